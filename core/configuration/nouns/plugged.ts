import type { PluginChecks } from '../plugin-checks.js'
import { invalid } from '../problems.js'
import { isSecretKey } from '../schemas.js'
import { forField } from '../work.js'

/** What nouns have in common whose other keys belong to a plugin: identity providers, alert targets. */

export type State = Readonly<Record<string, unknown>>

/** Throws for a plugin that is not loaded, for what it refuses, and for an address that may not be called. */
export async function mustPlug(
  checks: PluginChecks,
  plugin: string,
  { config, checkUrl }: { readonly config: State; readonly checkUrl: (url: string) => Promise<void> },
): Promise<void> {
  const known = checks.loaded()
  if (!known.includes(plugin))
    throw invalid('plugin', `'${plugin}' is not loaded; known are ${known.join(', ') || 'none'}`)
  const [error] = await checks.check(plugin, config)
  if (error) throw invalid(error.path ?? '', error.message)
  for (const key of ADDRESSES) {
    const url = config[key]
    if (typeof url === 'string' && URL.canParse(url)) await forField(key, () => checkUrl(url))
  }
}

/** Keys under which a plugin is told where to go. */
const ADDRESSES = ['url', 'issuer', 'host'] as const

/** Whether what is kept secret would go elsewhere than where it was given for. */
export const hasMoved = (before: State, after: State): boolean =>
  ADDRESSES.some((key) => originOf(before[key]) !== originOf(after[key]))

/** The keys of a plugin, apart: those whose values are sealed, and the rest. */
export function splitSecrets(config: State, declared: readonly string[]): { secret: State; plain: State } {
  const isSecret = ([key]: [string, unknown]) => declared.includes(key) || isSecretKey(key)
  const entries = Object.entries(config)
  return {
    secret: Object.fromEntries(entries.filter(isSecret)),
    plain: Object.fromEntries(entries.filter((entry) => !isSecret(entry))),
  }
}

export const without = (state: State, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(state).filter(([key]) => !keys.includes(key)))

export const present = (input: object): object =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))

function originOf(url: unknown): string {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : String(url)
}
