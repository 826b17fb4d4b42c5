import type { z } from 'zod'
import type { RuleAction } from '@gatehouse/sdk'
import type { Gateway, Rule, Stored } from '../../domain/nouns.js'
import { closest, invalid, within } from '../problems.js'
import type { Rule as RuleSchema } from '../schemas.js'
import { ruleShape } from '../schemas.js'
import type { Work } from '../work.js'

export type RuleInput = z.output<typeof RuleSchema>
export type RuleDraft = Omit<Rule, keyof Stored | 'gatewayId' | 'position' | 'version'> & {
  readonly id?: string
  readonly managedBy: Stored['managedBy']
}

/** A rule as the file says it, every key filled in; what is not named here is its engine's configuration. */
export interface RuleState {
  readonly name: string
  readonly engine: string
  readonly hook: Rule['hook']
  readonly action: RuleAction | null
  readonly onFailure: Rule['onFailure']
  readonly alerts: boolean
  readonly enabled: boolean
  readonly shadow: boolean
  readonly servers: readonly string[]
  readonly features: readonly string[]
  readonly [key: string]: unknown
}

/** Runs in this process and answers spans: it needs an action, and has nothing that could fail. */
const REGEX = 'regex'
/** What the API adds to a rule; an engine's own keys may not be called so. */
const RESERVED = ['id', 'version', 'gatewayId', 'managedBy', 'createdAt', 'updatedAt']

/** What a rule that is only checked has not got. */
const UNSAVED = { id: 'unsaved', gatewayId: '', position: 0, version: 0, createdAt: '', updatedAt: '' }

/** All rules of a gateway. A rule keeps its id where its name stays: its version and its receipts hang on it. */
export async function draftRules(work: Work, gateway: Gateway, inputs: readonly RuleInput[]): Promise<RuleDraft[]> {
  const drafts: RuleDraft[] = []
  for (const [index, input] of inputs.entries()) {
    const same = gateway.rules.find(({ name }) => name === input.name)
    const draft = await within(`rules[${index}]`, async () => {
      if (drafts.some(({ name }) => name === input.name)) throw invalid('name', `two rules are called '${input.name}'`)
      return draftRule(work, input)
    })
    drafts.push(same ? { ...draft, id: same.id } : draft)
  }
  return drafts
}

/** Checked by its engine. */
export async function draftRule(work: Work, input: RuleInput): Promise<RuleDraft> {
  const { engine } = input
  mustBeKnown(engine, work.checks.engines())
  const config = engineConfig(input)
  if (engine === REGEX && input.onFailure !== undefined)
    throw invalid('onFailure', 'the engine regex cannot fail; leave it out')
  if (engine === REGEX && input.action === undefined) throw invalid('action', 'the engine regex needs an action')
  if (engine === REGEX && input.action === 'replace' && typeof config['replacement'] !== 'string')
    throw invalid('replacement', 'the action replace needs a replacement')
  const draft = { ...fieldsOf(input), config, managedBy: work.actor.managedBy }
  const [error] = await work.checks.checkRule({ ...draft, ...UNSAVED })
  if (error) {
    const place = error.position === undefined ? '' : ` (at character ${error.position + 1})`
    throw invalid(error.path ?? '', `${error.message}${place}`)
  }
  return draft
}

export function ruleState(rule: RuleDraft): RuleState {
  const { name, engine, hook, action, onFailure, alerts, enabled, shadow, servers, features, config } = rule
  return { name, engine, hook, action, onFailure, alerts, enabled, shadow, servers, features, ...config }
}

/** The same rule as somebody would write it. */
export function ruleInput(rule: RuleDraft): RuleInput {
  const { action, onFailure, servers, features, ...rest } = ruleState(rule)
  return {
    ...rest,
    ...(action === null ? {} : { action }),
    ...(rule.engine === REGEX ? {} : { onFailure }),
    servers: [...servers],
    features: [...features],
  }
}

/** Every key filled in with its default. */
export function fieldsOf(input: RuleInput) {
  const { name, engine, hook, action = null, onFailure = 'block' } = input
  const { alerts = false, enabled = true, shadow = false, servers = [], features = [] } = input
  return { name, engine, hook, action, onFailure, alerts, enabled, shadow, servers, features }
}

/** What of a rule is its engine's. */
export function engineConfig(input: RuleInput): Record<string, unknown> {
  const reserved = RESERVED.find((key) => Object.hasOwn(input, key))
  if (reserved !== undefined) throw invalid(reserved, 'is set by the gateway')
  return Object.fromEntries(
    Object.entries(input).filter(([key]) => !Object.hasOwn(ruleShape, key) && key !== 'position'),
  )
}

function mustBeKnown(engine: string, known: readonly string[]): void {
  if (known.includes(engine)) return
  const meant = closest(engine, known)
  const hint = meant === undefined ? `loaded are ${known.join(', ') || 'none'}` : `did you mean ${meant}?`
  throw invalid('engine', `no engine '${engine}' is loaded; ${hint}`)
}
