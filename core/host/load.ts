import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseStrictly, SDK_VERSION, type Plugin } from '@gatehouse/sdk'
import semver from 'semver'
import { GatehouseError } from '../errors.js'

/** One line of the `plugins:` list. */
export interface PluginUse {
  /** An id of ours (`auth-token`), a package's name, or the path of a file or folder, relative to the file that names it. */
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
  const plugin = await importFirst(await specifiers(use), use.use, load)
  if (!semver.satisfies(SDK_VERSION, plugin.sdk))
    throw refuse(use.use, `was written for SDK ${plugin.sdk}, this is ${SDK_VERSION}`)
  const parsed = parseStrictly(plugin.config, use.config ?? {})
  if (!parsed.ok) throw refuse(plugin.id, parsed.problem)
  return { plugin, config: parsed.value }
}

const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/
/** Whether a `use` names a plugin by its id. */
export const isPluginId = (use: string): boolean => ID.test(use)

async function specifiers({ use, from }: PluginUse): Promise<string[]> {
  if (use.startsWith('.') || isAbsolute(use)) return [pathToFileURL(await entryOf(resolve(from, use))).href]
  return ID.test(use) ? [`@gatehouse/${use}`, use] : [use]
}

/** A folder is entered where its package.json says, else at `index.js`: an import by path does not look there by itself. */
async function entryOf(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (!isFolder) return path
  const stated = await readFile(join(path, 'package.json'), 'utf8').then(
    (text) => JSON.parse(text) as { exports?: unknown; main?: unknown },
    () => ({}) as { exports?: unknown; main?: unknown },
  )
  return join(path, exported(stated.exports) ?? (typeof stated.main === 'string' ? stated.main : 'index.js'))
}

function exported(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports
  if (typeof exports !== 'object' || exports === null) return undefined
  const { '.': root, import: esm, default: any } = exports as Readonly<Record<string, unknown>>
  return exported(root) ?? exported(esm) ?? exported(any)
}

/** The first candidate that is there. One that is there but broken is never passed over for a stranger of that name. */
async function importFirst(candidates: readonly string[], name: string, load: Import): Promise<Plugin> {
  let absence: unknown
  for (const candidate of candidates) {
    let module: unknown
    try {
      module = await load(candidate)
    } catch (thrown) {
      if (!isAbsent(thrown, candidate)) throw refuse(name, 'cannot be imported', thrown)
      absence ??= thrown
      continue
    }
    return checkShape(module, name)
  }
  throw refuse(name, 'is not installed; check the plugins list', absence)
}

/** True when `candidate` itself is not there; false when something that it imports is missing. */
function isAbsent(thrown: unknown, candidate: string): boolean {
  const { code, message } = (thrown ?? {}) as { code?: unknown; message?: unknown }
  if (code !== 'ERR_MODULE_NOT_FOUND') return false
  const missing = /'([^']+)'/.exec(String(message))?.[1] ?? ''
  return candidate.startsWith('file:')
    ? missing === fileURLToPath(candidate)
    : candidate === missing || candidate.startsWith(`${missing}/`)
}

function checkShape(module: unknown, name: string): Plugin {
  const plugin = (module as { default?: Partial<Plugin> } | undefined)?.default
  if (typeof plugin !== 'object' || plugin === null || typeof plugin.setup !== 'function')
    throw refuse(name, 'has no default export made by definePlugin')
  if (typeof plugin.id !== 'string' || !ID.test(plugin.id)) throw refuse(name, "has no id of the form 'family-name'")
  if (typeof plugin.sdk !== 'string' || semver.validRange(plugin.sdk) === null)
    throw refuse(plugin.id, 'states no SDK range')
  if (typeof plugin.config?.safeParse !== 'function') throw refuse(plugin.id, 'states no config schema')
  if (plugin.dependsOn !== undefined && !isTexts(plugin.dependsOn))
    throw refuse(plugin.id, 'must state dependsOn as a list of ids')
  return plugin as Plugin
}

const isTexts = (value: unknown) => Array.isArray(value) && value.every((entry) => typeof entry === 'string')

function refuse(name: string, why: string, cause?: unknown): GatehouseError {
  return new GatehouseError('GH_HOST_PLUGIN', {
    message: `Plugin '${name}' ${why}`,
    ...(cause instanceof Error ? { detail: cause.message, cause } : {}),
  })
}
