import { definePlugin, type Plugin, type PluginContext, type RunningPlugin } from '@gatehouse/sdk'
import { createMemoryStore } from '@gatehouse/sdk/memory-store'
import { z } from 'zod'
import type { Fault } from '../hooks/settle.js'
import { startPlugins, type Host } from './lifecycle.js'
import type { Lent } from './scope.js'

export interface Logged {
  readonly plugin: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A host for tests: what was logged and which faults were told stand beside it. */
export function hostFor(): {
  readonly logged: Logged[]
  readonly faults: Fault[]
  readonly start: (plugins: readonly Plugin[], configs?: Readonly<Record<string, unknown>>) => Promise<Host>
} {
  const logged: Logged[] = []
  const faults: Fault[] = []
  const log = (plugin: string) => {
    const line = (fields: Logged['fields'], message: string) => void logged.push({ plugin, message, fields })
    return { debug: line, info: line, warn: line, error: line }
  }
  const lent: Lent = {
    log,
    store: () => createMemoryStore(),
    fetch: () => Promise.reject(new Error('no way out in this test')),
    dial: () => Promise.reject(new Error('no way out in this test')),
    now: () => 0,
  }
  const onFault = (fault: Fault) => void faults.push(fault)
  return {
    logged,
    faults,
    start: (plugins, configs = {}) =>
      startPlugins(
        plugins.map((plugin) => ({ plugin, config: configs[plugin.id] ?? {} })),
        { lent, log: log('host'), onFault, bootMs: 30, stopMs: 30 },
      ),
  }
}

type Setup = (context: PluginContext<unknown>) => void | RunningPlugin | Promise<void | RunningPlugin>

export function pluginOf(id: string, setup: Setup = () => {}, dependsOn?: readonly string[]): Plugin {
  const plugin = { id, sdk: '^0.1.0', config: z.unknown(), setup }
  return definePlugin(dependsOn === undefined ? plugin : { ...plugin, dependsOn })
}
