import { type House, PARTS } from './house.js'

/** A change of a server reaches its connections and lists; a change of a list reaches the clients that listen. */
export function followChanges(house: House): void {
  const [catalog, upstreams, streams] = [house.get(PARTS.catalog), house.get(PARTS.upstreams), house.get(PARTS.streams)]
  const snapshots = house.get(PARTS.snapshots)
  catalog.onChanged((serverId, kind) => {
    const plans = new Set(snapshots.current().gateways.values())
    const showing = [...plans].filter((plan) => plan.assignments.some((entry) => entry.server.id === serverId))
    streams.listChanged(new Set(showing.map((plan) => plan.gateway.id)), kind === 'templates' ? 'resources' : kind)
  })
  house.get(PARTS.sessions).onEnd(streams.close)
  const personal = house.get(PARTS.personal)
  const reload = () => personal.load(house.get(PARTS.store))
  snapshots.onSwap((next, previous) => {
    void reload().catch(() => undefined)
    for (const [id, server] of previous?.servers ?? []) {
      const now = next.servers.get(id)
      if (now !== undefined && now.updatedAt === server.updatedAt) continue
      void upstreams.forget(id)
      catalog.drop(id)
    }
  })
}
