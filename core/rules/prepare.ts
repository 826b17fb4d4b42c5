import type { Artifact, ConfigError, Prepared, PrepareRequest } from '@gatehouse/sdk'
import { findEngine } from '../domain/engines.js'
import type { EngineKind, FoundEngine, OpenedEngine } from '../domain/engines.js'
import type { Rule } from '../domain/nouns.js'
import { newWatch } from '../domain/rule-watch.js'
import type { CompiledRule } from '../domain/snapshot.js'
import { compileCovers } from './covers.js'
import { demands, engineKeys } from './demands.js'
import type { Engines } from './engines.js'

/** What a rule names besides what it says itself: an instance of its engine, an artifact. Null where it names none. */
export interface Named {
  readonly instance: OpenedEngine | null
  readonly artifact: Artifact | null
}

/** Never rejects: what its engine cannot prepare comes back `broken`. */
export async function prepareRule(
  engines: Engines,
  rule: Rule,
  { instance, artifact }: Named,
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
    chains: false,
    artifact: artifact === null ? null : factsOf(artifact),
    share: null,
    watch: newWatch(),
    covers,
  }
  if ('message' in found) return { ...unknown, broken: wordsOf([found]) }
  const { kind, declaration } = found.kind
  const { whole = true, chains = false } = declaration
  const known = { ...unknown, kind, instance: found.instance?.name ?? null, whole, chains }
  const prepared = await ask(engines, { ...found, artifact }, rule, whoIs(rule))
  if (!prepared.ok) return { ...known, broken: wordsOf(prepared.errors) }
  const { state, passes, remembers = false } = prepared
  return { ...known, state, passes: chains ? 1 : passes, looksOnly: looksOnly && !remembers, broken: null }
}

/** What is wrong with a rule that is about to be saved; empty: nothing. Holds nothing afterwards. */
export async function checkRule(
  engines: Engines,
  rule: Rule,
  { instance, artifact }: Named,
): Promise<readonly ConfigError[]> {
  const found = findEngine(rule.engine, engines.kinds(), instance)
  if ('message' in found) return [found]
  const prepared = await ask(engines, { ...found, artifact }, rule, null)
  if (!prepared.ok) return prepared.errors
  engines.retire(found.kind.kind, prepared.state)
  return []
}

const whoIs = ({ id, name, version }: Rule) => ({ id, name, version })
const factsOf = ({ name, version, sha256 }: Artifact) => Object.freeze({ name, version, sha256 })

async function ask(
  engines: Engines,
  { kind, instance, artifact }: FoundEngine & Pick<Named, 'artifact'>,
  rule: Rule,
  who: PrepareRequest['rule'],
): Promise<Prepared> {
  const errors = [...demands(kind, rule), ...lacking(kind, artifact)]
  if (errors.length > 0) return { ok: false, errors }
  const config = engineKeys(rule)
  try {
    const request = { config, action: rule.action, instance: told(instance), rule: who }
    return await engines.prepare(kind.kind, artifact === null ? request : { ...request, artifact })
  } catch (thrown) {
    return { ok: false, errors: [{ message: thrown instanceof Error ? thrown.message : 'the engine failed' }] }
  }
}

/** An engine that has artifacts is never asked without one. */
export function lacking({ kind, declaration }: EngineKind, artifact: Artifact | null): ConfigError[] {
  if (declaration.artifact === undefined || artifact !== null) return []
  const { key } = declaration.artifact
  return [{ path: key, message: `the engine ${kind} needs one, and there is none of that name` }]
}

/** What an engine is told of its instance. */
export const told = (instance: OpenedEngine | null) =>
  instance === null ? null : { id: instance.id, name: instance.name, config: instance.config }

const wordsOf = (errors: readonly ConfigError[]): string =>
  errors.map(({ path, message }) => (path === undefined ? message : `${path}: ${message}`)).join('; ') ||
  'the rule is not valid'
