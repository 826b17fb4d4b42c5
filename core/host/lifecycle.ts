import type { PluginLog, RunningPlugin } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { createRegistry, type Bus, type Registry } from '../hooks/bus.js'
import type { Fault } from '../hooks/settle.js'
import type { LoadedPlugin } from './load.js'
import { createScope, type Lent } from './scope.js'

export interface HostOptions {
  readonly lent: Lent
  readonly log: PluginLog
  readonly onFault: (fault: Fault) => void
  /** Milliseconds that one `setup` may take. */
  readonly bootMs?: number
  /** Milliseconds that one `stop` may take. */
  readonly stopMs?: number
}

export interface Host {
  readonly bus: Bus
  /** Ids in the order of their set-up. */
  readonly plugins: readonly string[]
  /** Stops in reverse order; a plugin that fails to stop is logged and does not hold up the others. */
  stop(): Promise<void>
}

interface Started {
  readonly id: string
  readonly running: RunningPlugin
}

/**
 * Sets the plugins up one after another, each after those it depends on. A throwing or late `setup` refuses the start:
 * what it registered is taken back and all that were set up before are stopped in reverse.
 */
export async function startPlugins(loaded: readonly LoadedPlugin[], options: HostOptions): Promise<Host> {
  const ordered = inOrder(loaded)
  const registry = createRegistry(options.onFault)
  const started: Started[] = []
  for (const entry of ordered) {
    try {
      started.push(await setUp(entry, registry, options))
    } catch (thrown) {
      registry.removeAll(entry.plugin.id)
      await stopAll(started, options)
      throw new GatehouseError('GH_HOST_PLUGIN', {
        message: `Plugin '${entry.plugin.id}' could not be set up: ${reason(thrown)}`,
        cause: thrown,
      })
    }
  }
  let stopped: Promise<void> | undefined
  return {
    bus: registry.seal(),
    plugins: started.map((entry) => entry.id),
    stop: () => (stopped ??= stopAll(started, options)),
  }
}

async function setUp({ plugin, config }: LoadedPlugin, registry: Registry, options: HostOptions): Promise<Started> {
  const { id } = plugin
  const { context, close } = createScope(id, config, registry, options.lent)
  const running = Promise.resolve().then(() => plugin.setup(context))
  let isAwaited = true
  // What a setup opened that comes back too late is closed all the same.
  running
    .then(
      (late) => (isAwaited ? undefined : stopAll([{ id, running: checkRunning(late) }], options)),
      () => undefined,
    )
    .catch(() => undefined)
  try {
    return { id, running: checkRunning(await within(options.bootMs ?? 10_000, 'setup', running)) }
  } finally {
    isAwaited = false
    close()
  }
}

/** The order of the list, but every plugin after those it depends on. */
function inOrder(loaded: readonly LoadedPlugin[]): LoadedPlugin[] {
  const byId = new Map<string, LoadedPlugin>()
  for (const entry of loaded) {
    if (byId.has(entry.plugin.id)) throw refuse(entry.plugin.id, 'is listed twice')
    byId.set(entry.plugin.id, entry)
  }
  const done = new Set<string>()
  const order: LoadedPlugin[] = []
  const visit = (entry: LoadedPlugin, path: readonly string[]): void => {
    const { id, dependsOn = [] } = entry.plugin
    if (done.has(id)) return
    if (path.includes(id)) throw refuse(id, `depends on itself: ${[...path.slice(path.indexOf(id)), id].join(' -> ')}`)
    for (const needed of dependsOn) {
      const found = byId.get(needed)
      if (found === undefined) throw refuse(id, `needs '${needed}', which is not in the plugins list`)
      visit(found, [...path, id])
    }
    done.add(id)
    order.push(entry)
  }
  for (const entry of loaded) visit(entry, [])
  return order
}

async function stopAll(started: readonly Started[], options: HostOptions): Promise<void> {
  for (const { id, running } of started.toReversed()) {
    try {
      await within(
        options.stopMs ?? 10_000,
        'stop',
        Promise.resolve().then(() => running.stop?.()),
      )
    } catch (thrown) {
      options.log.error({ plugin: id, reason: reason(thrown) }, 'plugin did not stop')
    }
  }
}

async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function checkRunning(running: unknown): RunningPlugin {
  if (running === undefined) return {}
  const stop = typeof running === 'object' && running !== null ? (running as RunningPlugin).stop : running
  if (typeof running !== 'object' || running === null || (stop !== undefined && typeof stop !== 'function'))
    throw new Error('setup must return nothing or an object with stop()')
  return running as RunningPlugin
}

const reason = (thrown: unknown) => (thrown instanceof Error ? thrown.message : `threw ${typeof thrown}`)
const refuse = (id: string, why: string) => new GatehouseError('GH_HOST_PLUGIN', { message: `Plugin '${id}' ${why}` })
