import { type House, PARTS } from './house.js'

/** A change of a server reaches its connections and lists; a change of a list reaches the clients that listen. */
export function followChanges(house: House): void {
  const [catalog, upstreams, lines] = [house.get(PARTS.catalog), house.get(PARTS.upstreams), house.get(PARTS.lines)]
  const snapshots = house.get(PARTS.snapshots)
  catalog.onChanged((serverId, kind) => {
    const plans = new Set(snapshots.current().gateways.values())
    const showing = [...plans].filter((plan) => plan.assignments.some((entry) => entry.server.id === serverId))
    lines.listChanged(new Set(showing.map((plan) => plan.gateway.id)), kind === 'templates' ? 'resources' : kind)
  })
  house.get(PARTS.sessions).onEnd(lines.close)
  house.get(PARTS.sessions).onEnd(upstreams.endSession)
  snapshots.onSwap((next, previous) => {
    for (const [id, server] of previous?.servers ?? []) {
      const now = next.servers.get(id)
      if (now !== undefined && now.updatedAt === server.updatedAt) continue
      if (now?.enabled) upstreams.replace(id)
      else void upstreams.forget(id)
      catalog.drop(id)
    }
    // A connection holds the credential that it was opened with.
    for (const [id, identity] of previous?.identities ?? []) {
      if (next.identities.get(id)?.updatedAt === identity.updatedAt) continue
      upstreams.replace(identity.serverId)
      catalog.drop(identity.serverId)
    }
  })
}
