import type { Artifact, ConfigError, JsonObject } from '@gatehouse/sdk'
import { textChange } from '../domain/actions.js'
import type { OpenedEngine } from '../domain/engines.js'
import type { Rule } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import { inspect } from './chain.js'
import type { Outcome, Workshop } from './chain.js'
import type { Engines, Subject } from './engines.js'
import { checkRule, prepareRule } from './prepare.js'
import type { Tallies } from './tallies.js'
import { rerun } from './rerun.js'
import type { Rerun, RerunRequest } from './rerun.js'
import { tryRule } from './trial.js'
import type { Trial, TrialRequest } from './trial.js'

/**
 * The rules of a gateway: prepared once per change of configuration, run on every message they cover. `instance` is the stored
 * engine that a rule names, `artifact` the version of one; null when it names none.
 */
export interface Rules {
  /** Never rejects: a rule that its engine cannot prepare comes back `broken` and is undecided on every message. */
  prepareRule(rule: Rule, instance: OpenedEngine | null, artifact: Artifact | null): Promise<CompiledRule>
  /** What is wrong with a rule that is about to be saved; empty: nothing. Holds nothing afterwards. */
  checkRule(rule: Rule, instance: OpenedEngine | null, artifact: Artifact | null): Promise<readonly ConfigError[]>
  /** What a rule would make of a text, whether it is saved or not. */
  tryRule(request: TrialRequest): Promise<Trial>
  /** What it makes today of what it saw then. Counts nowhere. */
  rerunRule(request: RerunRequest): Promise<Rerun>
  retireRule(compiled: CompiledRule): void
  inspectRequest(rules: readonly CompiledRule[], subject: Subject, params: JsonObject): Outcome | Promise<Outcome>
  inspectResponse(rules: readonly CompiledRule[], subject: Subject, result: JsonObject): Outcome | Promise<Outcome>
}

export interface RulesOptions {
  readonly engines: Engines
  /** The workspace's key for `hash`; null hashes without a key. */
  readonly hashKey: Uint8Array | null
  /** Milliseconds that one evaluation may take. */
  readonly engineLimit: () => number
  /** Told of every rule that could not decide. `why` is for the log alone. */
  readonly onUndecided?: (rule: Rule, why: string) => void
  /** Told of every rule that is put in quarantine here. Without it strikes do not count. */
  readonly onQuarantined?: Workshop['onQuarantined']
  readonly tallies?: Tallies
}

export function createRules(options: RulesOptions): Rules {
  const { engines, hashKey, engineLimit } = options
  const changeOf = (rule: Pick<Rule, 'action' | 'config'>) => textChange(rule.action, rule.config, hashKey)
  const workshop: Workshop = {
    engines,
    engineLimit,
    onUndecided: options.onUndecided ?? (() => {}),
    onQuarantined: options.onQuarantined ?? null,
    tallies: options.tallies ?? null,
  }
  return {
    prepareRule: async (rule, instance, artifact) => ({
      ...(await prepareRule(engines, rule, { instance, artifact })),
      change: changeOf(rule),
    }),
    checkRule: (rule, instance, artifact) => checkRule(engines, rule, { instance, artifact }),
    tryRule: (request) => tryRule(engines, request, changeOf),
    rerunRule: (request) => rerun(engines, engineLimit(), request),
    retireRule({ kind, state, broken }) {
      if (broken === null) engines.retire(kind, state)
    },
    inspectRequest: (rules, subject, params) => inspect(workshop, 'request', rules, subject, params),
    inspectResponse: (rules, subject, result) => inspect(workshop, 'response', rules, subject, result),
  }
}
