import type { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { RULE_LIMITS } from '@gatehouse/sdk/rule-limits'
import { compile } from './re2.js'
import { isTorn } from './text.js'
import type { Problem } from './types.js'

export type RuleConfig = Readonly<Record<string, string>>

/** What is wrong with a rule's configuration, by its manifest; each says what to do. */
export function checkConfig(manifest: RuleManifest, config: RuleConfig): readonly Problem[] {
  const unknown = Object.keys(config).filter((key) => !Object.hasOwn(manifest.config, key))
  const known = Object.keys(manifest.config).join(', ') || 'none'
  return [
    ...unknown.map((path) => ({ path, message: `is no key of this rule; its keys: ${known}` })),
    ...Object.entries(manifest.config).flatMap(([path, { default: preset, pattern }]) => {
      const value = Object.hasOwn(config, path) ? config[path] : preset
      if (value === undefined) return [{ path, message: 'must be given: the rule has no default for it' }]
      return problemsOf(value, pattern).map((message) => ({ path, message }))
    }),
  ]
}

function problemsOf(value: unknown, pattern: string | undefined): string[] {
  if (typeof value !== 'string') return ['must be a text']
  if (Buffer.byteLength(value) > RULE_LIMITS.configValueBytes)
    return [`has more than ${RULE_LIMITS.configValueBytes} bytes of UTF-8`]
  if (isTorn(value)) return ['holds half of a character']
  if (pattern === undefined || compile(pattern).testExact(value)) return []
  return [`must match ${pattern}`]
}

/** The configuration with its defaults: what the rule gets. It has no prototype, and cannot be changed. */
export function settledConfig(manifest: RuleManifest, config: RuleConfig): RuleConfig {
  const settled: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [key, { default: preset }] of Object.entries(manifest.config)) {
    const value = Object.hasOwn(config, key) ? config[key] : preset
    if (value !== undefined) settled[key] = value
  }
  return Object.freeze(settled)
}
