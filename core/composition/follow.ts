import type { Identity } from '../domain/nouns.js'
import { type House, PARTS } from './house.js'

/**
 * A change of a server reaches the calls under way, its connections, its lists and those who listen; the end of a session
 * what is held for it.
 */
export function followChanges(house: House): void {
  const [catalog, upstreams, lines] = [house.get(PARTS.catalog), house.get(PARTS.upstreams), house.get(PARTS.lines)]
  const [snapshots, audience] = [house.get(PARTS.snapshots), house.get(PARTS.audience)]
  const changed = ({ id, serverId }: Identity) => {
    upstreams.replace(serverId, id)
    audience.drop(serverId, id)
    catalog.drop(serverId, undefined, id)
  }
  // First of all: a call ends because of what was switched off, not because its connection was.
  const recheck = () => {
    house.get(PARTS.errands).recheck()
    void house.get(PARTS.parked).recheck()
  }
  house.get(PARTS.sessions).onEnd(lines.close)
  house.get(PARTS.sessions).onEnd(upstreams.endSession)
  house.get(PARTS.sessions).onEnd(house.get(PARTS.listeners).ended)
  house.get(PARTS.sessions).onChange(house.get(PARTS.listeners).changed)
  snapshots.onSwap((next, previous) => {
    recheck()
    for (const [id, server] of previous?.servers ?? []) {
      const now = next.servers.get(id)
      if (now !== undefined && now.updatedAt === server.updatedAt) continue
      if (now?.enabled) upstreams.replace(id)
      else void upstreams.forget(id)
      audience.drop(id)
      catalog.drop(id)
    }
    // A connection holds the credential that it was opened with.
    for (const [id, identity] of previous?.identities ?? []) {
      if (next.identities.get(id)?.updatedAt !== identity.updatedAt) changed(identity)
    }
    audience.swapped()
  })
  const own = house.get(PARTS.own)
  own.onChanged((before) => {
    recheck()
    changed(before)
    audience.swapped()
  })
  own.onGiven(audience.swapped)
}
