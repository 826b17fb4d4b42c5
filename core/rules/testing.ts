import type { CallContext, EvaluateRequest, Evaluation, Finding, JsonObject, Prepared } from '@gatehouse/sdk'
import { z } from 'zod'
import type { EngineKind, OpenedEngine } from '../domain/engines.js'
import type { Rule } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import type { Outcome } from './chain.js'
import type { Engines, Limits, Subject } from './engines.js'
import { createRules } from './rules.js'
import type { Rules, RulesOptions } from './rules.js'

/** Builders for the tests of the rules: rules, subjects, and engines that answer as they are told. */

type Answer = (request: EvaluateRequest, limits?: Limits) => Evaluation | Promise<Evaluation>

let made = 0

export function rule(facts: Partial<Rule> = {}): Rule {
  made += 1
  return {
    id: `rule-${made}`,
    managedBy: 'api',
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    gatewayId: 'gateway-1',
    name: `Rule ${made}`,
    position: made,
    version: 3,
    engine: 'words',
    hook: 'both',
    action: 'mask',
    onFailure: 'block',
    alerts: false,
    enabled: true,
    shadow: false,
    servers: [],
    features: [],
    config: {},
    ...facts,
  }
}

export function subject(facts: Partial<Subject> = {}): Subject {
  return {
    prefix: 'crm-mine',
    serverSlug: 'crm',
    kind: 'tool',
    feature: 'find_contact',
    context: () => CONTEXT,
    header: () => undefined,
    ...facts,
  }
}

const CONTEXT: CallContext = {
  correlationId: 'correlation-1',
  method: 'tools/call',
  rpcId: 1,
  era: 'modern',
  gateway: { id: 'gateway-1', slug: 'engineering' },
  server: { id: 'server-1', slug: 'crm' },
  feature: { kind: 'tool', name: 'find_contact' },
  user: { id: 'user-1', email: 'ana@example.com' },
  host: { id: 'host-1', name: 'bot' },
  connection: { id: 'connection-1' },
  attributes: {},
}

/** Finds the words of its `words`, one pass for each, in every leaf it is shown. */
export const words: Answer = ({ state, pass, leaves }) => {
  const word = (state as readonly string[])[pass] ?? ''
  const findings: Finding[] = []
  leaves.forEach(({ text }, leaf) => {
    for (let start = text.indexOf(word); start >= 0; start = text.indexOf(word, start + word.length)) {
      findings.push({ type: word, leaf, start, end: start + word.length, score: 1 })
    }
  })
  return { verdict: 'findings', findings }
}

export interface Bench {
  readonly rules: Rules
  readonly undecided: readonly string[]
  readonly retired: readonly unknown[]
  request(arguments_: JsonObject, rules: readonly Rule[], about?: Subject): Promise<Outcome>
  response(result: JsonObject, rules: readonly Rule[], about?: Subject): Promise<Outcome>
  compile(rules: readonly Rule[]): Promise<readonly CompiledRule[]>
}

interface BenchOptions extends Pick<RulesOptions, 'onQuarantined' | 'tallies'> {
  /** Engines that are asked for rules in a row. */
  readonly chaining?: readonly string[]
}

/** `verdicts` are those of the engines that decide on whole messages. */
export function bench(
  answers: Readonly<Record<string, Answer>> = {},
  verdicts: readonly string[] = [],
  { chaining = [], ...told }: BenchOptions = {},
): Bench {
  const engines: Readonly<Record<string, Answer>> = { words, ...answers }
  const undecided: string[] = []
  const retired: unknown[] = []
  const way: Engines = {
    kinds: () =>
      Object.keys(engines).map((kind) =>
        engineKind(kind, {
          declaration: chaining.includes(kind) ? CHAINING : declared(verdicts.includes(kind)),
        }),
      ),
    prepare: (_kind, { config }) => Promise.resolve(prepareWords(config)),
    evaluate: (kind, request, limits) => (engines[kind] as Answer)(request, limits),
    test: () => Promise.reject(new Error('not tried here')),
    retire: (_kind, state) => void retired.push(state),
  }
  const rules = createRules({
    engines: way,
    hashKey: null,
    engineLimit: () => 1_000,
    onUndecided: (_rule, why) => void undecided.push(why),
    ...told,
  })
  const compile = (list: readonly Rule[]) => Promise.all(list.map((one) => rules.prepareRule(one, null, null)))
  return {
    rules,
    undecided,
    retired,
    compile,
    request: async (given, list, about = subject()) =>
      rules.inspectRequest(await compile(list), about, { name: about.feature, arguments: given }),
    response: async (result, list, about = subject()) => rules.inspectResponse(await compile(list), about, result),
  }
}

function prepareWords(config: Readonly<Record<string, unknown>>): Prepared {
  const list = config['words']
  if (config['invalid'] === true) return { ok: false, errors: [{ path: 'words', message: 'a word is missing' }] }
  const remembers = config['remembers'] === true
  return { ok: true, state: list ?? [], passes: Array.isArray(list) ? list.length : 1, remembers }
}

const declared = (isVerdict: boolean): EngineKind['declaration'] => ({
  rule: z.looseObject({}),
  answers: isVerdict ? 'verdict' : 'spans',
  fails: true,
})

const CHAINING: EngineKind['declaration'] = {
  rule: z.looseObject({}),
  answers: 'either',
  fails: true,
  whole: false,
  chains: true,
}

/** A kind that takes any configuration and answers spans. */
export const engineKind = (kind: string, facts: Partial<EngineKind> = {}): EngineKind => ({
  kind,
  plugin: `detect-${kind}`,
  declaration: declared(false),
  instance: null,
  ...facts,
})

export const openedEngine = (kind: string, config: OpenedEngine['config'] = {}): OpenedEngine => ({
  id: `engine-${kind}`,
  name: `my-${kind}`,
  kind,
  config,
})
