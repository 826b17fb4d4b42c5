import type { ConfigError } from '@gatehouse/sdk'
import { parseStrictly } from '@gatehouse/sdk'
import { z } from 'zod'
import type { EngineKind } from '../domain/engines.js'
import type { Rule } from '../domain/nouns.js'

/** The keys of a rule's configuration that are core's, which applies the action; the others are the engine's. */
const own = z.looseObject({
  replacement: z.string().max(10_000).optional(),
  keepLast: z.number().int().min(0).max(1_000).optional(),
})

/** What of a rule's configuration is for its engine. */
export function engineKeys({ config }: Pick<Rule, 'config'>): Readonly<Record<string, unknown>> {
  const { replacement: _, keepLast: __, ...rest } = config
  return rest
}

/** What is wrong with a rule as its engine works, by what the engine declares of itself; empty: nothing. */
export function demands({ kind, declaration }: EngineKind, rule: Pick<Rule, 'action' | 'config'>): ConfigError[] {
  const { action, config } = rule
  const errors: ConfigError[] = []
  if (declaration.answers === 'spans' && action === null)
    errors.push({ path: 'action', message: `the engine ${kind} needs an action` })
  if (declaration.answers === 'verdict' && action !== null && action !== 'detect')
    errors.push({ path: 'action', message: `the engine ${kind} decides by itself: leave it out, or say detect` })
  if (action === 'replace' && declaration.named === false && typeof config['replacement'] !== 'string')
    errors.push({ path: 'replacement', message: 'the action replace needs a replacement' })
  const parsed = parseStrictly(own, config)
  if (!parsed.ok) errors.push(...parsed.errors)
  const theirs = parseStrictly(declaration.rule, engineKeys(rule))
  return theirs.ok ? errors : [...errors, ...theirs.errors]
}
