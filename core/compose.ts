import 'reflect-metadata'
import type { Middleware } from 'koa'
import { schedule } from 'node-cron'
import { hostname } from 'node:os'

import { fileURLToPath } from 'node:url'
import { type DependencyContainer, container as root, instanceCachingFactory } from 'tsyringe'
import { ifUnlocked, withAdvisoryLock } from './cluster/locks.js'
import { banner } from './composition/banner.js'
import { apiOptions, keeperOptions } from './composition/configuration.js'
import { followChanges } from './composition/follow.js'
import { databaseIsThere, recordIsCarried } from './composition/health.js'
import { type House, PARTS, type Surroundings, VERSION, type Part } from './composition/house.js'
import { openParts } from './composition/parts.js'
import { layRooms } from './composition/rooms.js'
import type { Config } from './config.js'
import { createKeeper } from './configuration/keeper.js'
import { ensureOperator, leaveCredential } from './configuration/local-credential.js'
import { readQuickstart, seedQuickstart } from './configuration/quickstart.js'
import { openLibrary } from './documentation/library.js'
import { createDocsServer } from './documentation/mcp-server.js'
import { createApi } from './http/api/index.js'
import { createDocs } from './http/docs.js'
import { createHealth } from './http/health.js'
import { createDoor } from './http/mcp-door.js'
import { type OwnNames, createOwnNames } from './http/origin.js'
import { createAddressOf } from './http/peer.js'
import { createServer } from './http/server.js'
import { createWellKnown } from './http/well-known.js'
import { hashSecret } from './identity/tokens.js'
import { createRetention } from './record/retention.js'
import { type Resources, asPluginLog, openResources } from './composition/resources.js'

/** A running gateway. */
export interface Gatehouse {
  readonly url: string
  readonly port: number
  /** What a newcomer needs to read. */
  readonly banner: string
  stop(): Promise<void>
}

const GRACE_MS = 30_000

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
  let publicUrl = config.url ?? ''
  let draining = false
  await openParts(house, resources, config, around)
  layRooms(house, () => publicUrl)
  const [store, epochs, snapshots] = [house.get(PARTS.store), house.get(PARTS.epochs), house.get(PARTS.snapshots)]
  await epochs.check()
  await snapshots.rebuild()
  const retention = createRetention({
    database: resources.recordPool,
    days: () => snapshots.current().settings.retentionDays.logs,
    logger: asPluginLog(log),
  })
  await retention.maintain()
  house.get(PARTS.tailer).start()
  house.get(PARTS.exporters).start()
  followChanges(house)

  const library = await openLibrary(fileURLToPath(new URL('../../docs', import.meta.url)))
  const docs = createDocsServer(library, VERSION)
  const onBroken = (thrown: unknown) => log.error({ err: thrown }, 'a request broke')
  const names = () => createOwnNames(publicUrl, config.host)
  const door = createDoor({
    pipeline: house.get(PARTS.pipeline),
    snapshot: snapshots.current,
    names: lazily(names),
    sessions: house.get(PARTS.sessions),
    streams: house.get(PARTS.streams),
    addressOf: createAddressOf(config.trustedProxies),
    draining: () => draining,
    onBroken,
  })
  const api = createApi(apiOptions(house, () => publicUrl, onBroken))
  const server = createServer({
    door,
    middleware: [
      api.routes() as Middleware,
      createHealth({
        draining: () => draining,
        checks: { database: () => databaseIsThere(resources), record: () => recordIsCarried(house) },
      }),
      createWellKnown(() => publicUrl),
      createDocs(library, docs),
    ],
    tls: config.tls,
    onBroken,
  })
  const keeper = config.file === null ? null : createKeeper(keeperOptions(house, config.file, around))
  await ensureOperator(store)
  await keeper?.apply()
  const port = await server.listen(config.host, config.port)
  publicUrl = config.url ?? `${config.tls === null ? 'http' : 'https'}://localhost:${port}`
  const local = `http${config.tls === null ? '' : 's'}://127.0.0.1:${port}`
  await withAdvisoryLock(resources.dataSource, 'quickstart', () =>
    seedQuickstart(store, resources.home, `${local}/docs/mcp`),
  )
  await snapshots.rebuild()
  await leaveCredential(store, resources.home, local, hostname())
  keeper?.watch()
  const chores = schedule(
    '17 3 * * *',
    () => void ifUnlocked(resources.dataSource, 'retention', retention.maintain).catch(onBroken),
  )
  const sweeps = schedule('*/5 * * * *', () => void house.get(PARTS.sessions).sweep().catch(onBroken))

  const stop = async () => {
    draining = true
    await Promise.all([chores.stop(), sweeps.stop(), keeper?.stop()])
    house.get(PARTS.streams).stop()
    // The documentation has a standing stream of our own upstream side: it must end for the server to.
    await Promise.all([server.stop(GRACE_MS), docs.stop()])
    await house.get(PARTS.exporters).stop()
    await house.get(PARTS.catalog).stop()
    await house.get(PARTS.upstreams).stop()
    await house.get(PARTS.host).stop()
    await house.get(PARTS.tailer).stop()
    await house.get(PARTS.recorder).stop()
    await house.get(PARTS.identities).stop()
    await snapshots.stop()
    epochs.stop()
    await house.get(PARTS.egress).stop()
    await resources.close()
  }
  const quickstart = await readQuickstart(store, resources.home, hashSecret)
  return { url: publicUrl, port, banner: banner(publicUrl, quickstart, house.get(PARTS.host)), stop }
}

/** The public URL is known only once the port is. */
function lazily(make: () => OwnNames): OwnNames {
  let made: OwnNames | undefined
  const names = () => (made ??= make())
  return {
    hostIsOurs: (header) => names().hostIsOurs(header),
    originIsOurs: (header) => names().originIsOurs(header),
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
