import 'reflect-metadata'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseStrictly, type Alert, type PluginLog } from '@gatehouse/sdk'
import { schedule } from 'node-cron'
import type { Middleware } from 'koa'
import type { Logger } from 'pino'
import { container as root, instanceCachingFactory, type DependencyContainer } from 'tsyringe'
import type { InSession, Routed } from './call.js'
import { createEpochs, type Epochs } from './cluster/epochs.js'
import { ifUnlocked, withAdvisoryLock } from './cluster/locks.js'
import type { Config } from './config.js'
import { createFileOperations, type FileOperations } from './configuration/apply.js'
import { createKeeper, type KeeperOptions } from './configuration/keeper.js'
import { createMutations, type Mutations } from './configuration/mutations.js'
import type { Checks } from './configuration/work.js'
import { ensureOperator, leaveCredential } from './configuration/local-credential.js'
import { readQuickstart, seedQuickstart, type Quickstart } from './configuration/quickstart.js'
import { createSnapshots, type Snapshots } from './configuration/snapshots.js'
import { createAlertRepository, type AlertRepository } from './db/repositories/alerts.js'
import { createSecretSource } from './db/repositories/secrets.js'
import { createSessionRows } from './db/repositories/sessions.js'
import { createStore } from './db/repositories/store.js'
import { createVerdictStore } from './db/repositories/verdicts.js'
import { openLibrary } from './documentation/library.js'
import { createDocsServer } from './documentation/mcp-server.js'
import type { Identity } from './domain/nouns.js'
import type { Store } from './domain/store.js'
import type { Egress } from './egress/egress.js'
import type { Host } from './host/lifecycle.js'
import type { Fault } from './hooks/settle.js'
import { createApi } from './http/api/index.js'
import type { ApiOptions } from './http/api/operation.js'
import { createDocs } from './http/docs.js'
import { createHealth } from './http/health.js'
import { createDoor } from './http/mcp-door.js'
import { createOwnNames, type OwnNames } from './http/origin.js'
import { createAddressOf } from './http/peer.js'
import { createServer } from './http/server.js'
import { createSessionStreams, type SessionStreams } from './http/session-streams.js'
import { createWellKnown, resourceMetadataUrl } from './http/well-known.js'
import { createIdentities, type Identities } from './identity/identities.js'
import { hashSecret } from './identity/tokens.js'
import { createSessions, type LegacySessions } from './mcp/sessions.js'
import { publicResult } from './mcp/uris.js'
import { createPipeline, type Pipeline } from './pipeline.js'
import { createExporters, type Exporters } from './record/exporters.js'
import type { Overflow } from './record/gap.js'
import { createRecorder, type RecordLog } from './record/log.js'
import { createLogReader } from './record/query.js'
import { createRetention } from './record/retention.js'
import { createTailer, type Tailer } from './record/tailer.js'
import { asPluginLog, openEgress, openPlugins, openResources, type Resources } from './resources.js'
import { createAnswer } from './rooms/answer.js'
import { createAuthenticate } from './rooms/authenticate.js'
import { createForward } from './rooms/forward.js'
import { createInspect } from './rooms/inspect.js'
import { createList } from './rooms/list.js'
import { createPermit } from './rooms/permit.js'
import { createRespond } from './rooms/respond.js'
import { createRoute } from './rooms/route.js'
import { createSession } from './rooms/session.js'
import { createBusEngines } from './rules/bus-engines.js'
import { createRules, type Rules } from './rules/rules.js'
import { rotate } from './vault/rotate.js'
import { createCatalog, type Catalog } from './upstream/catalog.js'
import { createCredentials, type Credentials } from './upstream/credentials.js'
import type { Upstreams } from './upstream/types.js'
import { createUpstreams } from './upstream/upstreams.js'
import type { Verdict } from './upstream/verdicts.js'

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly log: Logger
}

/** A running gateway. */
export interface Gatehouse {
  readonly url: string
  readonly port: number
  /** What a newcomer needs to read. */
  readonly banner: string
  stop(): Promise<void>
}

const VERSION = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version
const GRACE_MS = 30_000

/** A part of the house by name. Parts are made when they are first asked for, once. */
interface Part<T> {
  readonly name: symbol
  readonly type?: T
}
const part = <T>(name: string): Part<T> => ({ name: Symbol(name) })

const PARTS = {
  alerts: part<AlertRepository>('alerts'),
  catalog: part<Catalog>('catalog'),
  configuration: part<{ mutations: Mutations; files: FileOperations }>('configuration'),
  credentials: part<Credentials>('credentials'),
  egress: part<Egress>('egress'),
  epochs: part<Epochs>('epochs'),
  exporters: part<Exporters>('exporters'),
  host: part<Host>('host'),
  identities: part<Identities>('identities'),
  personal: part<ReturnType<typeof createPersonalIdentities>>('personal'),
  pipeline: part<Pipeline>('pipeline'),
  raise: part<(alert: Alert) => void>('raise'),
  recorder: part<RecordLog>('recorder'),
  resources: part<Resources>('resources'),
  rules: part<Rules>('rules'),
  sessions: part<LegacySessions>('sessions'),
  snapshots: part<Snapshots>('snapshots'),
  store: part<Store>('store'),
  streams: part<SessionStreams>('streams'),
  tailer: part<Tailer>('tailer'),
  upstreams: part<Upstreams>('upstreams'),
}

class House {
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

/** Puts the house together, starts it and listens. What was opened before a failure is closed again. */
export async function compose(config: Config, around: Surroundings): Promise<Gatehouse> {
  const { log } = around
  const house = new House()
  const resources = await openResources(config, around.cwd, log)
  house.put(PARTS.resources, resources)
  try {
    return await startIn(house, resources, config, around)
  } catch (thrown) {
    await resources.close().catch((also: unknown) => log.warn({ err: also }, 'could not close what was open'))
    throw thrown
  }
}

/** Opens what takes time: plugins and the record; registers everything else to be made when it is asked for. */
async function openParts(house: House, resources: Resources, config: Config, around: Surroundings): Promise<void> {
  const { log } = around
  const { dataSource, recordPool, vault, hashKey, home } = resources
  const logger = asPluginLog(log)
  house.make(PARTS.egress, () => openEgress(config))
  house.make(PARTS.store, () => createStore({ dataSource, vault }))
  house.make(PARTS.alerts, () => createAlertRepository(dataSource))
  house.make(PARTS.epochs, (h) => createEpochs({ store: h.get(PARTS.store) }))
  house.make(PARTS.raise, (h) => createRaise(h, log))
  house.make(PARTS.identities, (h) => createIdentities({ store: h.get(PARTS.store), epochs: h.get(PARTS.epochs) }))
  house.make(PARTS.rules, (h) =>
    createRules({
      engines: createBusEngines(h.get(PARTS.host).bus),
      hashKey,
      onUndecided: (rule, why) => log.warn({ rule: rule.id, engine: rule.engine, why }, 'a rule could not decide'),
    }),
  )
  house.make(PARTS.snapshots, (h) =>
    createSnapshots({
      store: h.get(PARTS.store),
      epochs: h.get(PARTS.epochs),
      log: logger,
      prepareRule: h.get(PARTS.rules).prepareRule,
      retireRule: h.get(PARTS.rules).retireRule,
    }),
  )
  const limits = () => house.get(PARTS.snapshots).current().settings.limits
  house.make(PARTS.sessions, () => createSessions(createSessionRows(dataSource), limits))
  house.make(PARTS.streams, () => createSessionStreams())
  house.make(PARTS.upstreams, (h) =>
    createUpstreams({
      egress: h.get(PARTS.egress),
      limits,
      clientInfo: { name: 'gatehouse', version: VERSION },
      childEnv: around.env,
      log: logger,
      verdicts: createVerdictStore<Verdict>(dataSource),
    }),
  )
  house.make(PARTS.catalog, (h) => {
    const store = h.get(PARTS.store)
    return createCatalog({
      upstreams: h.get(PARTS.upstreams),
      names: store.names,
      lists: store.lists,
      limits,
      log: logger,
    })
  })
  house.make(PARTS.tailer, (h) =>
    createTailer({ log: h.get(PARTS.recorder), database: recordPool, alert: h.get(PARTS.raise), logger }),
  )
  house.make(PARTS.exporters, (h) => createExports(h, logger))
  house.make(PARTS.configuration, (h) => createConfiguration(h, config))
  house.put(
    PARTS.recorder,
    await createRecorder({
      dir: join(home, 'record'),
      mode: () => house.get(PARTS.snapshots).current().settings.audit,
      onOverflow: (facts) => {
        log.error(facts, 'the record overflows')
        house.get(PARTS.raise)(overflowAlert(facts))
      },
    }),
  )
  const onFault = (fault: Fault) => {
    log.error({ ...fault }, 'a plugin failed')
    house.get(PARTS.raise)(faultAlert(fault))
  }
  const { cwd } = around
  const egress = house.get(PARTS.egress)
  house.put(PARTS.host, await openPlugins({ config, cwd, log, dataSource, egress, onFault }))
}

/** Stores an alert and tells the plugins. A failure to do so is logged: it must not fail the call. */
function createRaise(house: House, log: Logger): (alert: Alert) => void {
  const keep = async (alert: Alert) => {
    await house.get(PARTS.alerts).raise(alert)
    const { bus } = house.get(PARTS.host)
    if (bus.has('alert.raised')) await bus.parallel('alert.raised', alert)
  }
  return (alert) =>
    void keep(alert).catch((thrown: unknown) =>
      log.error({ type: alert.type, err: thrown }, 'an alert could not be stored'),
    )
}

function overflowAlert(facts: Overflow): Alert {
  const message = `The record is full: ${facts.lost} messages were not kept, ${facts.refused} were refused`
  return { type: 'audit_overflow', severity: 'error', key: 'audit_overflow', message }
}

function faultAlert(fault: Fault): Alert {
  const message = `Plugin '${fault.plugin}' failed at '${fault.hook}': ${fault.failure}`
  return { type: 'plugin_failed', severity: 'error', key: `plugin_failed/${fault.plugin}/${fault.hook}`, message }
}

function createExports(house: House, logger: PluginLog): Exporters {
  const { recordPool, dataSource } = house.get(PARTS.resources)
  const store = house.get(PARTS.store)
  const { bus } = house.get(PARTS.host)
  return createExporters({
    database: recordPool,
    exporters: async () => {
      const enabled = (await store.exporters.all()).filter((exporter) => exporter.enabled)
      return Promise.all(
        enabled.map(async (exporter) => ({
          id: exporter.id,
          name: exporter.slug,
          plugin: exporter.plugin,
          config: { ...exporter.config, headers: await headersOf(store, exporter.id) },
        })),
      )
    },
    async deliver(plugin, delivery) {
      const settled = await bus.keyed('exporter.deliver', plugin)?.ask(delivery)
      if (settled === undefined) return { kind: 'retry', message: `no plugin delivers for '${plugin}'` }
      return settled.ok ? settled.value : { kind: 'retry', message: settled.fault.detail }
    },
    alone: (name, work) => ifUnlocked(dataSource, name, work),
    alert: house.get(PARTS.raise),
    logger,
    service: { name: 'gatehouse', version: VERSION },
  })
}

async function headersOf(store: Store, id: string): Promise<Record<string, string>> {
  const fields = Object.entries(await store.secrets.fields({ kind: 'exporter', id }))
  return Object.fromEntries(
    fields
      .filter(([field]) => field.startsWith('headers.'))
      .map(([field, value]) => [field.slice('headers.'.length), value]),
  )
}

/** The rooms in the order of the corridor. */
function layRooms(house: House, publicUrl: () => string): void {
  const personal = createPersonalIdentities()
  house.make(PARTS.personal, () => personal)
  house.make(PARTS.credentials, (h) =>
    createCredentials({ secrets: h.get(PARTS.store).secrets, identityOf: personal.of, bus: h.get(PARTS.host).bus }),
  )
  house.make(PARTS.pipeline, (h) => {
    const { bus } = h.get(PARTS.host)
    const catalog = h.get(PARTS.catalog)
    const sessions = h.get(PARTS.sessions)
    const limits = () => h.get(PARTS.snapshots).current().settings.limits
    const accessOf = (call: InSession | Routed) => h.get(PARTS.credentials).access(call.principal)
    const inspect = createInspect({
      rules: h.get(PARTS.rules),
      bus,
      raise: h.get(PARTS.raise),
      publicResult: (call, result) => publicResult(result, catalog.publicUris(call.plan, call.feature.assignment)),
    })
    return createPipeline(
      {
        authenticate: createAuthenticate(bus, h.get(PARTS.identities)),
        session: createSession(sessions),
        route: createRoute(catalog, accessOf),
        permit: createPermit(accessOf),
        inspectRequest: inspect.request,
        relay: inspect.relay,
        forward: createForward(h.get(PARTS.upstreams), limits),
        inspectResponse: inspect.response,
        list: createList(catalog, accessOf, bus, limits),
        answer: createAnswer({ version: VERSION, openSession: sessions.open }),
        respond: createRespond((name) => resourceMetadataUrl(publicUrl(), name)),
      },
      h.get(PARTS.recorder),
    )
  })
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

function createConfiguration(house: House, config: Config): { mutations: Mutations; files: FileOperations } {
  const { dataSource } = house.get(PARTS.resources)
  const store = house.get(PARTS.store)
  const { bus } = house.get(PARTS.host)
  const checks: Checks = {
    engines: () => bus.keys('engine.evaluate'),
    checkRule: house.get(PARTS.rules).checkRule,
    exporters: () => bus.keys('exporter.deliver'),
    exporterSecrets: (plugin) => bus.keyed('exporter.deliver', plugin)?.options.secret ?? [],
    checkExporter: async (plugin, given) => {
      const schema = bus.keyed('exporter.deliver', plugin)?.options.config
      const parsed = schema === undefined ? null : parseStrictly(schema, given)
      return parsed === null || parsed.ok ? [] : [{ message: parsed.problem }]
    },
    checkUrl: house.get(PARTS.egress).check,
    stdio: config.stdio,
  }
  const mutations = createMutations({
    store,
    checks,
    lock: (work) => withAdvisoryLock(dataSource, 'configuration', work),
    // A change holds here when it is answered, and at the other replicas within a quarter of a second.
    onChanged: async () => {
      await house.get(PARTS.epochs).check()
      await house.get(PARTS.snapshots).rebuild()
      await house.get(PARTS.exporters).refresh()
    },
  })
  return { mutations, files: createFileOperations(mutations) }
}

function keeperOptions(house: House, path: string, around: Surroundings): KeeperOptions {
  return {
    path: resolve(around.cwd, path),
    files: house.get(PARTS.configuration).files,
    source: { env: around.env, readFile: (file) => readFile(resolve(around.cwd, file), 'utf8') },
    log: asPluginLog(around.log),
  }
}

function apiOptions(house: House, url: () => string, onBroken: (thrown: unknown) => void): ApiOptions {
  const { dataSource, recordPool, vault } = house.get(PARTS.resources)
  return {
    ...house.get(PARTS.configuration),
    store: house.get(PARTS.store),
    version: VERSION,
    url,
    resolveAdmin: house.get(PARTS.identities).resolveAdmin,
    logs: createLogReader(recordPool),
    exporterStatus: house.get(PARTS.exporters).status,
    rotateKeys: () => rotate({ vault, source: createSecretSource(dataSource.manager) }),
    plugins: () => house.get(PARTS.host).plugins,
    onBroken,
  }
}

/** A change of a server reaches its connections and lists; a change of a list reaches the clients that listen. */
function followChanges(house: House): void {
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

/** The identities of persons, by server and person; read again with every change of configuration. */
function createPersonalIdentities() {
  let byOwner = new Map<string, Identity>()
  return {
    of: (serverId: string, userId: string): Identity | null => byOwner.get(`${serverId}/${userId}`) ?? null,
    async load(store: Store): Promise<void> {
      const personal = (await store.identities.all()).filter(
        (identity) => !identity.shared && identity.ownerId !== null,
      )
      byOwner = new Map(personal.map((identity) => [`${identity.serverId}/${identity.ownerId}`, identity]))
    },
  }
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

/** What the database refuses for another reason than being away stays in the log until an operator has mended it. */
async function recordIsCarried(house: House): Promise<string | null> {
  const { failing } = house.get(PARTS.tailer).status()
  return failing === null ? null : `not carried to the database since ${new Date(failing.since).toISOString()}`
}

async function databaseIsThere({ dataSource }: Resources): Promise<string | null> {
  const answer = dataSource.query('select 1').then(
    () => null,
    () => 'the database does not answer',
  )
  return Promise.race([
    answer,
    new Promise<string>((resolve) => setTimeout(resolve, 2_000, 'the database is slow').unref()),
  ])
}

function banner(url: string, quickstart: Quickstart | null, host: Host): string {
  const lines = ['', `Gatehouse ${VERSION} listens at ${url}`, `  plugins: ${host.plugins.join(', ')}`]
  if (quickstart === null) return [...lines, ''].join('\n')
  const endpoint = `${url}/mcp/${quickstart.gateway}`
  return [
    ...lines,
    '',
    `  MCP URL:  ${endpoint}`,
    `  Token:    ${quickstart.token}`,
    '',
    '  Paste this into a terminal to connect Claude Code:',
    `  claude mcp add --transport http gatehouse ${endpoint} --header "Authorization: Bearer ${quickstart.token}"`,
    '',
  ].join('\n')
}
