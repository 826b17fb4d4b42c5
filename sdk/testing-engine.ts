import type { EngineInstance, Evaluation, Leaf, RuleAction, TestAnswer } from './engine.js'
import { callContext } from './testing.js'
import type { TestHost } from './testing.js'

/** What an engine is shown in a test. */
export interface Shown {
  readonly leg?: 'request' | 'response'
  readonly leaves: readonly Leaf[]
  readonly rule?: Readonly<Record<string, unknown>>
  readonly action?: RuleAction | null
  readonly signal?: AbortSignal
  readonly deadline?: number
}

const instanceOf = (config: Readonly<Record<string, unknown>>): EngineInstance => ({
  id: 'engine-1',
  name: 'own',
  config,
})

/**
 * Prepares a rule for an instance and evaluates it once. What the engine rewrites comes back as the changes themselves, by the number
 * of the leaf.
 */
export async function evaluateOnce(
  host: TestHost,
  kind: string,
  config: Readonly<Record<string, unknown>>,
  shown: Shown,
): Promise<Evaluation> {
  const { leg = 'response', leaves, rule = {}, action = null, signal, deadline } = shown
  const instance = instanceOf(config)
  const prepared = await host.askKeyed('engine.prepare', kind, { config: rule, action, instance, rule: null })
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.errors))
  const { state } = prepared
  const message = {}
  const rewrite = (texts: ReadonlyMap<number, string>) => Object.fromEntries(texts)
  const context = callContext()
  const request = { state, pass: 0, leg, leaves, message, context, header: () => undefined, rewrite }
  const call = { ...(signal === undefined ? {} : { signal }), ...(deadline === undefined ? {} : { deadline }) }
  return host.askKeyed('engine.evaluate', kind, request, call)
}

/** Tries an instance on a text. */
export function tryOnce(
  host: TestHost,
  kind: string,
  config: Readonly<Record<string, unknown>>,
  text: string,
): Promise<TestAnswer> {
  const instance = instanceOf(config)
  return host.askKeyed('engine.test', kind, { config: {}, action: null, instance, leg: 'response', text })
}

/** Texts as leaves. */
export const valuesOf = (...texts: readonly string[]): readonly Leaf[] => texts.map((text) => ({ kind: 'value', text }))
