import type { ConfigError, JsonObject, Prepared } from '@gatehouse/sdk'
import { z } from 'zod'
import { textChange } from '../domain/actions.js'
import type { Rule } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import { inspect } from './chain.js'
import type { Outcome, Workshop } from './chain.js'
import { compileCovers } from './covers.js'
import type { Engines, Subject } from './engines.js'

/** The rules of a gateway: prepared once per change of configuration, run on every message they cover. */
export interface Rules {
  /** Never rejects: a rule that its engine cannot prepare comes back `broken` and is undecided on every message. */
  prepareRule(rule: Rule): Promise<CompiledRule>
  /** What is wrong with a rule that is about to be saved; empty: nothing. Holds nothing afterwards. */
  checkRule(rule: Rule): Promise<readonly ConfigError[]>
  retireRule(compiled: CompiledRule): void
  inspectRequest(rules: readonly CompiledRule[], subject: Subject, params: JsonObject): Outcome | Promise<Outcome>
  inspectResponse(rules: readonly CompiledRule[], subject: Subject, result: JsonObject): Outcome | Promise<Outcome>
}

export interface RulesOptions {
  readonly engines: Engines
  /** The workspace's key for `hash`; null hashes without a key. */
  readonly hashKey: Uint8Array | null
  /** Told of every rule that could not decide. `why` is for the log alone. */
  readonly onUndecided?: (rule: Rule, why: string) => void
}

/** The keys of a rule's configuration that are core's, which applies the action; the others are the engine's. */
const settings = z.looseObject({
  replacement: z.string().max(10_000).optional(),
  keepLast: z.number().int().min(0).max(1_000).optional(),
})

export function createRules({ engines, hashKey, onUndecided }: RulesOptions): Rules {
  const workshop: Workshop = {
    engines,
    changeOf: (rule) => textChange(rule.action, rule.config, hashKey),
    onUndecided: onUndecided ?? (() => {}),
  }
  return {
    prepareRule: (rule) => prepareRule(engines, rule),
    async checkRule(rule) {
      const prepared = await prepare(engines, rule)
      if (!prepared.ok) return prepared.errors
      engines.retire(rule.engine, prepared.state)
      return []
    },
    retireRule({ rule, state, broken }) {
      if (broken === null) engines.retire(rule.engine, state)
    },
    inspectRequest: (rules, subject, params) => inspect(workshop, 'request', rules, subject, params),
    inspectResponse: (rules, subject, result) => inspect(workshop, 'response', rules, subject, result),
  }
}

async function prepareRule(engines: Engines, rule: Rule): Promise<CompiledRule> {
  const prepared = await prepare(engines, rule)
  const covers = compileCovers(rule)
  if (prepared.ok) return { rule, state: prepared.state, passes: prepared.passes, broken: null, covers }
  const broken = prepared.errors.map(({ path, message }) => (path === undefined ? message : `${path}: ${message}`))
  return { rule, state: undefined, passes: 1, broken: broken.join('; ') || 'the rule is not valid', covers }
}

async function prepare(engines: Engines, rule: Rule): Promise<Prepared> {
  if (!engines.has(rule.engine)) return refused({ message: `there is no engine “${rule.engine}”`, path: 'engine' })
  const own = settings.safeParse(rule.config)
  if (!own.success) return refused(...own.error.issues.map(toError))
  const { replacement: _, keepLast: __, ...config } = rule.config
  const { id, name, version, action } = rule
  try {
    return await engines.prepare(rule.engine, { config, action, instance: null, rule: { id, name, version } })
  } catch (thrown) {
    return refused({ message: thrown instanceof Error ? thrown.message : 'the engine failed' })
  }
}

const refused = (...errors: readonly ConfigError[]): Prepared => ({ ok: false, errors })
const toError = ({ message, path }: z.core.$ZodIssue): ConfigError => ({ message, path: path.join('.') })
