import type { PluginContext, PluginDial, PluginFetch, PluginLog, PluginStore } from '@gatehouse/sdk'
import type { Registry } from '../hooks/bus.js'

/** What the host lends to plugins; each gets its own view of it. */
export interface Lent {
  readonly log: (plugin: string) => PluginLog
  readonly store: (plugin: string) => PluginStore
  readonly fetch: PluginFetch
  readonly dial: PluginDial
  readonly now: () => number
}

/** The context of one plugin. Registration is open until `close`, i.e. during `setup` only. */
export function createScope(
  plugin: string,
  config: unknown,
  registry: Registry,
  lent: Lent,
): { context: PluginContext<unknown>; close: () => void } {
  let open = true
  const ensureOpen = () => {
    if (!open) throw new Error('handlers can be registered during setup only')
  }
  const context: PluginContext<unknown> = Object.freeze({
    config,
    log: lent.log(plugin),
    on: (hook, handler, options) => {
      ensureOpen()
      registry.add(plugin, hook, handler, options?.order ?? 'normal')
    },
    serve: (hook, key, handler, options) => {
      ensureOpen()
      if (hook === 'engine.prepare' && options?.engine === undefined)
        throw new Error(`the engine '${key}' must say how it works: give 'engine' with 'engine.prepare'`)
      registry.serve(plugin, hook, key, handler, options ?? {})
    },
    store: lent.store(plugin),
    fetch: lent.fetch,
    dial: lent.dial,
    now: lent.now,
  } satisfies PluginContext<unknown>)
  return { context, close: () => (open = false) }
}
