import type { GatewayPlan } from '../domain/snapshot.js'
import { infosOf, open, start, world, type World } from '../upstream/catalog-testing.js'
import type { Access } from '../upstream/catalog-types.js'
import { createSubscriptions } from '../upstream/subscriptions.js'
import { createAudience } from './audience.js'
import type { Listener, Update } from './seat.js'

/** Builders for tests of those who listen: a gateway whose configuration the test swaps. */
export function hall(gateway: GatewayPlan, w: World = world()) {
  // Deadlines are of the real clock.
  w.clock.now = Date.now()
  const plans = new Map([[gateway.gateway.id, gateway]])
  const log = { warn() {} }
  const catalog = start(w)
  const infos = infosOf(w.upstreams)
  const subscriptions = createSubscriptions({ upstreams: w.upstreams, log })
  const audience = createAudience({
    ...{ catalog, infos, subscriptions, log },
    plan: (id) => plans.get(id),
    limits: () => ({ list: w.limits.list }),
  })
  return {
    ...{ w, catalog, infos, subscriptions, audience },
    swap(next: GatewayPlan | null) {
      if (next === null) plans.clear()
      else plans.set(next.gateway.id, next)
      audience.swapped()
    },
    enter(access: Access = open) {
      const heard: string[] = []
      const updates: Update[] = []
      const listener: Listener = {
        gatewayId: gateway.gateway.id,
        access,
        listChanged: (kind) => heard.push(kind),
        updated: (update) => updates.push(update),
      }
      return { heard, updates, seat: audience.enter(listener) }
    },
    stop() {
      audience.stop()
      subscriptions.stop()
      catalog.stop()
    },
  }
}
