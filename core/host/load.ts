import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SDK_VERSION, type Plugin } from '@gatehouse/sdk'
import semver from 'semver'
import { GatehouseError } from '../errors.js'

/** One line of the `plugins:` list. */
export interface PluginUse {
  /** An id of ours (`auth-token`), a package's name, or a path relative to the file that names it. */
  readonly use: string
  readonly config: unknown
  /** The folder that relative paths start from. */
  readonly from: string
}

export interface LoadedPlugin {
  readonly plugin: Plugin
  readonly config: unknown
}

export type Import = (specifier: string) => Promise<unknown>

/** Imports what configuration names: the only way by which core ever meets a plugin. */
export async function loadPlugin(
  use: PluginUse,
  load: Import = (specifier) => import(specifier),
): Promise<LoadedPlugin> {
  const plugin = await importFirst(specifiers(use), use.use, load)
  if (!semver.satisfies(SDK_VERSION, plugin.sdk))
    throw refuse(use.use, `was written for SDK ${plugin.sdk}, this is ${SDK_VERSION}`)
  const parsed = plugin.config.safeParse(use.config ?? {})
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue?.path.join('.')
    throw refuse(plugin.id, `config${where ? `.${where}` : ''}: ${issue?.message ?? 'is not valid'}`)
  }
  return { plugin, config: parsed.data }
}

function specifiers(use: PluginUse): string[] {
  if (use.use.startsWith('.') || isAbsolute(use.use)) return [pathToFileURL(resolve(use.from, use.use)).href]
  return /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(use.use) ? [`@gatehouse/${use.use}`, use.use] : [use.use]
}

async function importFirst(candidates: readonly string[], name: string, load: Import): Promise<Plugin> {
  let failure: unknown
  for (const candidate of candidates) {
    try {
      return checkShape(await load(candidate), name)
    } catch (thrown) {
      if (thrown instanceof GatehouseError) throw thrown
      // The first cause is the telling one unless that package simply is not there.
      if (failure === undefined || isNotFound(failure)) failure = thrown
    }
  }
  throw refuse(name, isNotFound(failure) ? 'is not installed; check the plugins list' : 'cannot be imported', failure)
}

const isNotFound = (thrown: unknown) => (thrown as { code?: string } | undefined)?.code === 'ERR_MODULE_NOT_FOUND'

function checkShape(module: unknown, name: string): Plugin {
  const plugin = (module as { default?: Partial<Plugin> }).default
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.setup !== 'function')
    throw refuse(name, 'has no default export made by definePlugin')
  if (typeof plugin.id !== 'string' || !/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/.test(plugin.id))
    throw refuse(name, "has no id of the form 'family-name'")
  if (typeof plugin.sdk !== 'string' || semver.validRange(plugin.sdk) === null)
    throw refuse(plugin.id, 'states no SDK range')
  if (typeof plugin.config?.safeParse !== 'function') throw refuse(plugin.id, 'states no config schema')
  return plugin as Plugin
}

function refuse(name: string, why: string, cause?: unknown): GatehouseError {
  return new GatehouseError('GH_HOST_PLUGIN', {
    message: `Plugin '${name}' ${why}`,
    ...(cause instanceof Error ? { detail: cause.message, cause } : {}),
  })
}
