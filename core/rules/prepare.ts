import type { ConfigError, Prepared } from '@gatehouse/sdk'
import { findEngine } from '../domain/engines.js'
import type { FoundEngine, OpenedEngine } from '../domain/engines.js'
import type { Rule } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import { compileCovers } from './covers.js'
import { demands, engineKeys } from './demands.js'
import type { Engines } from './engines.js'

/** Never rejects: what its engine cannot prepare comes back `broken`. `instance` is the one that the rule names, if any. */
export async function prepareRule(
  engines: Engines,
  rule: Rule,
  instance: OpenedEngine | null,
): Promise<Omit<CompiledRule, 'change'>> {
  const found = findEngine(rule.engine, engines.kinds(), instance)
  const covers = compileCovers(rule)
  const looksOnly = rule.shadow || rule.action === 'block' || rule.action === 'detect'
  const unknown = {
    rule,
    kind: rule.engine,
    instance: null,
    whole: true,
    looksOnly,
    state: undefined,
    passes: 1,
    covers,
  }
  if ('message' in found) return { ...unknown, broken: wordsOf([found]) }
  const { kind, declaration } = found.kind
  const known = { ...unknown, kind, instance: found.instance?.name ?? null, whole: declaration.whole !== false }
  const { id, name, version } = rule
  const prepared = await ask(engines, found, rule, { id, name, version })
  if (!prepared.ok) return { ...known, broken: wordsOf(prepared.errors) }
  return { ...known, state: prepared.state, passes: prepared.passes, broken: null }
}

/** What is wrong with a rule that is about to be saved; empty: nothing. Holds nothing afterwards. */
export async function checkRule(
  engines: Engines,
  rule: Rule,
  instance: OpenedEngine | null,
): Promise<readonly ConfigError[]> {
  const found = findEngine(rule.engine, engines.kinds(), instance)
  if ('message' in found) return [found]
  const prepared = await ask(engines, found, rule, null)
  if (!prepared.ok) return prepared.errors
  engines.retire(found.kind.kind, prepared.state)
  return []
}

async function ask(
  engines: Engines,
  { kind, instance }: FoundEngine,
  rule: Rule,
  who: { readonly id: string; readonly name: string; readonly version: number } | null,
): Promise<Prepared> {
  const errors = demands(kind, rule)
  if (errors.length > 0) return { ok: false, errors }
  const config = engineKeys(rule)
  try {
    return await engines.prepare(kind.kind, { config, action: rule.action, instance: told(instance), rule: who })
  } catch (thrown) {
    return { ok: false, errors: [{ message: thrown instanceof Error ? thrown.message : 'the engine failed' }] }
  }
}

/** What an engine is told of its instance. */
export const told = (instance: OpenedEngine | null) =>
  instance === null ? null : { id: instance.id, name: instance.name, config: instance.config }

const wordsOf = (errors: readonly ConfigError[]): string =>
  errors.map(({ path, message }) => (path === undefined ? message : `${path}: ${message}`)).join('; ') ||
  'the rule is not valid'
