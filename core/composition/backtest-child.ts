import { resolve } from 'node:path'
import { createMemoryStore } from '@gatehouse/sdk/memory-store'
import { Pool } from 'pg'
import type { DataSource } from 'typeorm'
import type { ReplayJob, Told } from '../domain/replay.js'
import { replay } from '../backtest/replay.js'
import { storedCalls } from '../backtest/stored.js'
import { createThrottle } from '../backtest/throttle.js'
import { readConfig, type Config } from '../config.js'
import { artifactOfRule } from '../configuration/nouns/artifact-references.js'
import { openEngine } from '../configuration/nouns/open-engine.js'
import { createDataSource } from '../db/data-source.js'
import { createBodyKeyRows } from '../db/repositories/body-keys.js'
import { createStore } from '../db/repositories/store.js'
import type { EngineKind } from '../domain/engines.js'
import type { Gateway, Rule } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import type { Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import type { LoadedPlugin } from '../host/load.js'
import { startPlugins, type Host } from '../host/lifecycle.js'
import { createBusEngines } from '../rules/bus-engines.js'
import { createRules, type Rules } from '../rules/rules.js'
import { createBodySealer } from '../vault/body-sealer.js'
import { loadMasterKeys } from '../vault/load-master-keys.js'
import { createVault } from '../vault/vault.js'
import { hashKeyOf } from './hash-key.js'
import type { Surroundings } from './house.js'
import { asPluginLog, loadPlugins, openEgress } from './resources.js'

/** What the process of a backtest is told first. The URL holds the database's password. */
export interface ChildStart {
  readonly job: ReplayJob
  readonly databaseUrl: string
}

export interface ChildLine {
  readonly signal: AbortSignal
  readonly tell: (told: Told) => void
}

/** Of one core, while it runs. */
const SHARE = 0.25
const SLOWEST_QUERY_MS = 60_000

/** One backtest, from its first connection to its last: what it opens is its own, and nothing of it is the gateway's. */
export async function runChild({ job, databaseUrl }: ChildStart, around: Surroundings, line: ChildLine): Promise<Told> {
  const { log } = around
  const dataSource = createDataSource(databaseUrl, { log: asPluginLog(log), poolSize: 2 })
  const pool = new Pool({
    connectionString: databaseUrl,
    max: 1,
    application_name: 'gatehouse backtest',
    statement_timeout: SLOWEST_QUERY_MS,
  })
  pool.on('error', (thrown) => log.warn({ error: String(thrown) }, 'the connection of a backtest broke'))
  const host = await openHost(job, around)
  try {
    await dataSource.initialize()
    return await runWith({ job, dataSource, pool, host, around, line })
  } finally {
    await host.stop()
    await pool.end()
    if (dataSource.isInitialized) await dataSource.destroy()
  }
}

interface Opened {
  readonly job: ReplayJob
  readonly dataSource: DataSource
  readonly pool: Pool
  readonly host: Host
  readonly around: Surroundings
  readonly line: ChildLine
}

async function runWith({ job, dataSource, pool, host, around, line }: Opened): Promise<Told> {
  const config = readConfig(around.env)
  const { masterKey: inline, masterKeyFile: file } = config
  const vault = createVault(await loadMasterKeys({ inline, file, home: resolve(around.cwd, config.home) }))
  const store = createStore({ dataSource, vault })
  const { engine, bodyInLog } = (await store.settings.get()).limits
  const engines = createBusEngines(host.bus)
  const rules = createRules({
    engines,
    hashKey: await hashKeyOf(store, dataSource),
    engineLimit: () => engine,
    onUndecided: (rule, why) => around.log.debug({ rule: rule.name, why }, 'a rule could not decide in a backtest'),
  })
  const prepare = prepareWith({ rules, store, kinds: engines.kinds() })
  const gateway = await store.gateways.find(job.gatewayId)
  if (gateway === null) throw new GatehouseError('GH_API_NOT_FOUND', { message: 'The gateway is gone.' })
  return replay({
    job,
    stored: storedCalls(pool, job, bodyInLog),
    rules,
    compiled: await compileAll(prepare, job.rules),
    probes: job.external ? [] : await probesOf(prepare, job.rules),
    gateway: { id: gateway.id, slug: gateway.slug },
    open: createBodySealer(createBodyKeyRows(dataSource), vault).open,
    prefixesOf: await prefixesOf(store, gateway),
    throttle: createThrottle(SHARE),
    signal: line.signal,
    tell: line.tell,
  })
}

/** The plugins that the rules need and no others, with a store that is nobody's and, unless it was allowed, no way out. */
async function openHost(job: ReplayJob, { env, cwd, log }: Surroundings): Promise<Host> {
  const config = readConfig(env)
  const loaded = await neededOf(config, cwd, job.plugins)
  const egress = openEgress(config)
  return startPlugins(loaded, {
    lent: {
      log: (plugin) => asPluginLog(log.child({ plugin })),
      // What a plugin counts of old messages must not mix with what it counts of live ones.
      store: () => createMemoryStore(),
      fetch: job.external ? egress.fetch : noWayOut,
      dial: job.external ? egress.dial : noWayOut,
      now: Date.now,
    },
    log: asPluginLog(log),
    onFault: (fault) => log.debug({ ...fault }, 'a plugin failed in a backtest'),
  })
}

/** With what they depend on. */
async function neededOf(config: Config, cwd: string, ids: readonly string[]): Promise<readonly LoadedPlugin[]> {
  const loaded = await loadPlugins(config, cwd, new Set(ids))
  const more = loaded.flatMap(({ plugin }) => plugin.dependsOn ?? []).filter((id) => !ids.includes(id))
  return more.length === 0 ? loaded : neededOf(config, cwd, [...ids, ...more])
}

async function noWayOut(): Promise<never> {
  throw new GatehouseError('GH_EGRESS_REFUSED', { message: 'This backtest may send nothing to other services.' })
}

type Prepare = (rule: Rule) => Promise<CompiledRule>

/** With the stored engine and the artifact that a rule names, if it names any. */
function prepareWith({ rules, store, kinds }: { rules: Rules; store: Store; kinds: readonly EngineKind[] }): Prepare {
  return async (rule) => {
    const engine = await store.engines.byKey(rule.engine)
    const instance = engine === null ? null : await openEngine(store, engine)
    const kind = kinds.find((one) => one.kind === (engine?.kind ?? rule.engine))
    const artifact = kind === undefined ? null : await artifactOfRule(store, kind, rule.config)
    return rules.prepareRule(rule, instance, artifact)
  }
}

async function compileAll(prepare: Prepare, drafts: readonly Rule[]): Promise<readonly CompiledRule[]> {
  const compiled = await Promise.all(drafts.map((rule) => prepare(rule)))
  const broken = compiled.find((one) => one.broken !== null)
  if (broken === undefined) return compiled
  throw new GatehouseError('GH_API_INVALID', { message: `The rule “${broken.rule.name}”: ${broken.broken}` })
}

/** Rules that stop or only find, as if they masked. An engine that cannot is left out. */
async function probesOf(prepare: Prepare, drafts: readonly Rule[]): Promise<readonly CompiledRule[]> {
  const finding = drafts.filter(({ action }) => action === 'block' || action === 'detect')
  const masking = finding.map((rule) => prepare({ ...rule, action: 'mask' }))
  return (await Promise.all(masking)).filter(({ broken }) => broken === null)
}

async function prefixesOf(store: Store, { assignments }: Gateway) {
  const servers = new Map((await store.servers.all()).map((server) => [server.id, server.slug]))
  const named = assignments.map(({ serverId, as }) => ({ serverId, prefix: as ?? servers.get(serverId) ?? '' }))
  const all = named.map(({ prefix }) => prefix)
  return (serverId: string | null): readonly string[] =>
    serverId === null ? all : named.filter((one) => one.serverId === serverId).map(({ prefix }) => prefix)
}
