import { mkdir, readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PluginLog } from '@gatehouse/sdk'
import { Pool } from 'pg'
import type { Logger } from 'pino'
import type { DataSource } from 'typeorm'
import type { Config } from '../config.js'
import { readPlugins, type PluginSource } from '../configuration/plugins.js'
import { openPublishing, type Publishing } from '../cluster/publishing.js'
import { openDatabase } from '../db/data-source.js'
import { startEmbedded } from '../db/embedded.js'
import { guarded } from '../db/repositories/failures.js'
import { createPluginStore } from '../db/repositories/plugin-store.js'
import { createEgress, type Egress } from '../egress/egress.js'
import { startPlugins, type Host } from '../host/lifecycle.js'
import { isPluginId, loadPlugin, type LoadedPlugin } from '../host/load.js'
import type { Fault } from '../hooks/settle.js'
import { isLoopback } from '../domain/loopback.js'
import type { MasterKey } from '../vault/keys.js'
import { loadMasterKeys } from '../vault/load-master-keys.js'
import { createVault, type Vault } from '../vault/vault.js'

/** What has to be opened before anything can be put together, and closed after everything else. */
export interface Resources {
  readonly home: string
  /** Where the database is; with its password: never log it. */
  readonly databaseUrl: string
  readonly dataSource: DataSource
  /** The record's own connections: a full record must not starve the configuration. */
  readonly recordPool: Pool
  readonly vault: Vault
  /** Newest first. */
  readonly masterKeys: readonly MasterKey[]
  readonly publishing: Publishing
  close(): Promise<void>
}

export async function openResources(config: Config, cwd: string, log: Logger): Promise<Resources> {
  const home = resolve(cwd, config.home)
  await mkdir(home, { recursive: true })
  const embedded = config.databaseUrl === null ? await startEmbedded({ dir: home, log: asPluginLog(log) }) : null
  const databaseUrl = config.databaseUrl ?? embedded?.url ?? ''
  try {
    const dataSource = await openDatabase(databaseUrl, { log: asPluginLog(log) })
    const recordPool = new Pool({ connectionString: databaseUrl, max: 6, application_name: 'gatehouse record' })
    recordPool.on('error', (thrown) => log.warn({ error: String(thrown) }, 'a connection of the record broke'))
    const keys = await loadMasterKeys({ inline: config.masterKey, file: config.masterKeyFile, home })
    const publishing = await openPublishing({
      url: databaseUrl,
      query: (sql, given) => guarded(() => dataSource.query(sql, [...given])),
      log: asPluginLog(log),
    })
    const close = async () => {
      await publishing.stop()
      await recordPool.end()
      if (dataSource.isInitialized) await dataSource.destroy()
      await embedded?.stop()
    }
    return {
      home,
      databaseUrl,
      dataSource,
      recordPool,
      vault: createVault(keys),
      masterKeys: keys,
      publishing,
      close,
    }
  } catch (thrown) {
    await embedded?.stop()
    throw thrown
  }
}

/** The one way out. Loopback is reachable by itself only while the gateway itself is on loopback. */
export function openEgress(config: Config): Egress {
  return createEgress({
    allow: isLocal(config) ? config.egressAllow : [...config.egressAllow, ...ownName(config)],
    loopback: isLocal(config),
    httpsProxy: config.httpsProxy,
    noProxy: config.noProxy,
  })
}

const isLocal = ({ url }: Config) => url === null || isLoopback(new URL(url).hostname)

/** The documentation server is ours, on this machine, whatever the public address is; its port is known once we listen. */
export function openOwnPort(egress: Egress, config: Config, port: number): void {
  if (!isLocal(config)) egress.open(`127.0.0.1:${port}`)
}

/** Under TLS the documentation is reached by the name that stands in the certificate. */
const ownName = ({ tls, url }: Config) => (tls === null || url === null ? [] : [new URL(url).host])

/** The shipped defaults, then the operator's file: what is read of them at start only. */
export async function readOwnFiles({ file }: Pick<Config, 'file'>, cwd: string): Promise<readonly PluginSource[]> {
  const defaults = fileURLToPath(new URL('../../../gatehouse.defaults.yaml', import.meta.url))
  const files = [defaults, ...(file === null ? [] : [resolve(cwd, file)])]
  return Promise.all(
    files.map(async (path) => ({ text: await readFile(path, 'utf8'), name: path, from: dirname(path) })),
  )
}

export interface PluginsOptions {
  readonly sources: readonly PluginSource[]
  readonly log: Logger
  readonly dataSource: DataSource
  readonly egress: Egress
  readonly onFault: (fault: Fault) => void
}

/** Loads what the shipped list and the operator's file name, and sets it up. */
export async function openPlugins(options: PluginsOptions): Promise<Host> {
  const { sources, log, dataSource, egress } = options
  const host = await startPlugins(await importAll(sources), {
    lent: {
      log: (plugin) => asPluginLog(log.child({ plugin })),
      store: (plugin) => createPluginStore(dataSource, plugin),
      fetch: egress.fetch,
      dial: egress.dial,
      now: Date.now,
    },
    log: asPluginLog(log),
    onFault: options.onFault,
  })
  const hooks = Object.fromEntries(host.bus.order().map(({ hook, handlers }) => [hook, handlers]))
  log.info({ plugins: host.plugins, hooks }, 'plugins are set up, and are asked in this order')
  return host
}

/**
 * Imports what the two files name, in their order; nothing is set up yet. With `ids`, no plugin that goes by another id is
 * imported; one that is named by its path or package is, for its id is not known before.
 */
export async function loadPlugins(
  config: Pick<Config, 'file'>,
  cwd: string,
  ids: ReadonlySet<string> | null = null,
): Promise<readonly LoadedPlugin[]> {
  const isWanted = (use: string) => ids === null || ids.has(use) || !isPluginId(use)
  const loaded = await importAll(await readOwnFiles(config, cwd), isWanted)
  return loaded.filter(({ plugin }) => ids === null || ids.has(plugin.id))
}

const importAll = (
  sources: readonly PluginSource[],
  isWanted: (use: string) => boolean = () => true,
): Promise<readonly LoadedPlugin[]> =>
  Promise.all(
    readPlugins(sources)
      .filter(({ use }) => isWanted(use))
      .map((entry) => loadPlugin(entry)),
  )

/** pino already has the shape; bound, so that it can be handed on by parts. */
export function asPluginLog(log: Logger): PluginLog {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  }
}
