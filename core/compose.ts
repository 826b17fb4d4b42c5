import 'reflect-metadata'
import { hostname } from 'node:os'

import { type DependencyContainer, container as root, instanceCachingFactory } from 'tsyringe'
import { withAdvisoryLock } from './cluster/locks.js'
import { layAuthorizationServer } from './composition/authorization-server.js'
import { layAlertDeliveries } from './composition/alert-deliveries.js'
import { banner } from './composition/banner.js'
import { tellBrokenRules } from './composition/broken-rules.js'
import { createChores } from './composition/chores.js'
import { followReplicas } from './composition/cluster.js'
import { keeperOptions } from './composition/configuration.js'
import { createFirstSight } from './composition/first-sight.js'
import { followChanges } from './composition/follow.js'
import { type House, PARTS, type Part, type Surroundings } from './composition/house.js'
import { openParts } from './composition/parts.js'
import { createServing } from './composition/serving.js'
import { layRooms } from './composition/rooms.js'
import { laySigningIn, setupUrl } from './composition/signing-in.js'
import { laySso } from './composition/sso.js'
import { layUpstreamAuth } from './composition/upstream-auth.js'
import type { Config } from './config.js'
import { createKeeper } from './configuration/keeper.js'
import { draftDefaultRules } from './configuration/default-rules.js'
import { ensureOperator, leaveCredential } from './configuration/local-credential.js'
import { readQuickstart, seedQuickstart } from './configuration/quickstart.js'
import { GATEWAY } from './configuration/work.js'
import { hashSecret } from './identity/tokens.js'
import { openOwnPort, openResources, type Resources } from './composition/resources.js'

/** A running gateway. */
export interface Gatehouse {
  readonly url: string
  readonly port: number
  /** What a newcomer needs to read. */
  readonly banner: string
  stop(): Promise<void>
}

/** Puts the house together, starts it and listens. What was opened before a failure is closed again. */
export async function compose(config: Config, around: Surroundings): Promise<Gatehouse> {
  const { log } = around
  const house = new Container()
  const resources = await openResources(config, around.cwd, log)
  house.put(PARTS.resources, resources)
  try {
    return await startIn(house, resources, config, around)
  } catch (thrown) {
    await resources.close().catch((also: unknown) => log.warn({ err: also }, 'could not close what was open'))
    throw thrown
  }
}

async function startIn(house: House, resources: Resources, config: Config, around: Surroundings): Promise<Gatehouse> {
  const { log } = around
  const place = { url: config.url ?? '', draining: false }
  const onBroken = (thrown: unknown) => log.error({ err: thrown }, 'a request broke')
  await openParts(house, resources, config, around)
  layAlertDeliveries(house, () => place.url, log)
  layRooms(house, () => place.url, log)
  laySigningIn(house, { url: () => place.url, mail: config.mail, log })
  laySso(house)
  layUpstreamAuth(house, () => place.url, log)
  layAuthorizationServer(house, () => place.url, config, log)
  const [store, snapshots] = [house.get(PARTS.store), house.get(PARTS.snapshots)]
  await house.get(PARTS.epochs).check()
  snapshots.onSwap(house.get(PARTS.quarantines).follow)
  await snapshots.rebuild()
  const chores = createChores(house, log, onBroken)
  await chores.start()
  followChanges(house)
  tellBrokenRules(house)
  followReplicas(house)
  const see = createFirstSight(house)
  snapshots.onSwap(see)
  see(snapshots.current())
  const keeper = config.file === null ? null : createKeeper(keeperOptions(house, config.file, around))
  await ensureOperator(store)
  await keeper?.apply()

  const serving = await createServing(house, config, place, log)
  await house.get(PARTS.replicas).present()
  const port = await serving.server.listen(config.host, config.port)
  openOwnPort(house.get(PARTS.egress), config, port)
  const scheme = config.tls === null ? 'http' : 'https'
  place.url = config.url ?? `${scheme}://localhost:${port}`
  // No certificate fits an address.
  const local = config.tls === null ? `http://127.0.0.1:${port}` : place.url
  house.get(PARTS.deliveries).start()
  const { checks } = house.get(PARTS.configuration)
  const rulesIn = (inside: typeof store) =>
    draftDefaultRules({ store: inside, actor: GATEWAY, checks, now: () => new Date() })
  const seed = () => seedQuickstart(store, { home: resources.home, docsUrl: `${local}/docs/mcp`, rulesIn })
  await withAdvisoryLock(resources.dataSource, 'quickstart', seed)
  await snapshots.rebuild()
  // Two gateways of one machine must not end each other's credential.
  await leaveCredential(store, resources.home, local, `${hostname()}:${resources.home}`)
  keeper?.watch()
  const setup = await setupUrl(house, place.url)
  const quickstart = await readQuickstart(store, resources.home, hashSecret)
  return {
    url: place.url,
    port,
    banner: banner({ url: place.url, setup, quickstart, plugins: house.get(PARTS.host).plugins }),
    stop: () => {
      place.draining = true
      const steps = [() => keeper?.stop(), chores.stop, serving.stop, ...inReverse(house), resources.close]
      return stopAll(steps, log)
    },
  }
}

/** The parts that must be ended, the way out before what it leads to. */
function inReverse(house: House): (() => unknown)[] {
  const { exporters, deliveries, alerting, host } = PARTS
  const { listeners, audience, subscriptions, catalog, parked, upstreams, grants, troubles } = PARTS
  const { quarantines, ruleStats } = PARTS
  const { replays, refusals, tailer, recorder, identities, snapshots, epochs, replicas, egress } = PARTS
  const listening = [listeners, audience, subscriptions]
  const ways = [catalog, parked, upstreams, grants, troubles]
  // What ends may raise alerts, and plugins are told of them.
  const rest = [alerting, host, refusals, tailer, recorder, identities, snapshots, epochs, replicas, egress]
  const order = [replays, exporters, ...listening, ...ways, quarantines, ruleStats, deliveries, ...rest]
  return order.map((part) => () => house.get<{ stop(): unknown }>(part).stop())
}

/** One after another; what does not end in order is logged and holds nobody up. */
async function stopAll(steps: readonly (() => unknown)[], log: Surroundings['log']): Promise<void> {
  for (const step of steps) {
    try {
      await step()
    } catch (thrown) {
      log.error({ err: thrown }, 'a part did not stop in order')
    }
  }
}

/** The container behind the house; tsyringe is known here and nowhere else. */
class Container implements House {
  readonly #container: DependencyContainer = root.createChildContainer()
  readonly #made = new Map<symbol, unknown>()
  get<T>(wanted: Part<T>): T {
    // Parts are asked for on the way of every call: the container is asked once.
    if (!this.#made.has(wanted.name)) this.#made.set(wanted.name, this.#container.resolve<T>(wanted.name))
    return this.#made.get(wanted.name) as T
  }
  put<T>(name: Part<T>, value: T): void {
    this.#container.register<T>(name.name, { useValue: value })
  }
  make<T>(name: Part<T>, how: (house: House) => T): void {
    this.#container.register<T>(name.name, { useFactory: instanceCachingFactory(() => how(this)) })
  }
}
