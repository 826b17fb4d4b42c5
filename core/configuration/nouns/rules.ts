import { type Artifact, closest, type ConfigError, type RuleAction } from '@gatehouse/sdk'
import { findEngine } from '../../domain/engines.js'
import type { OpenedEngine } from '../../domain/engines.js'
import type { Gateway, Rule, Stored } from '../../domain/nouns.js'
import { invalid, within } from '../problems.js'
import type { RuleInput } from '../schemas.js'
import { ruleShape } from '../schemas.js'
import type { Work } from '../work.js'
import { artifactOfRule } from './artifact-references.js'
import { openEngine } from './open-engine.js'

export type { RuleInput }
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

/** What the API adds to a rule; an engine's own keys may not be called so. */
const RESERVED = ['id', 'version', 'gatewayId', 'managedBy', 'createdAt', 'updatedAt', 'quarantine']

/** What a rule that is only checked has not got. */
const UNSAVED = { id: 'unsaved', gatewayId: '', position: 0, version: 0, createdAt: '', updatedAt: '' }

/** All rules of a gateway. A rule keeps its id where its name stays: its version and its receipts hang on it. */
export async function draftRules(work: Work, gateway: Gateway, inputs: readonly RuleInput[]): Promise<RuleDraft[]> {
  const before = new Map(gateway.rules.map((rule) => [rule.name, rule]))
  const names = new Set<string>()
  const open = opener(work)
  const drafts: RuleDraft[] = []
  for (const [index, input] of inputs.entries()) {
    const same = before.get(input.name)
    const draft = await within(`rules[${index}]`, async () => {
      if (names.has(input.name)) throw invalid('name', `two rules are called '${input.name}'`)
      return draftRule(work, input, open)
    })
    names.add(input.name)
    drafts.push(same ? { ...draft, id: same.id } : draft)
  }
  return drafts
}

type Open = (name: string) => Promise<OpenedEngine | null>

/** Opens the stored engine of a name, each once. */
function opener({ store }: Work): Open {
  const opened = new Map<string, Promise<OpenedEngine | null>>()
  const read = async (name: string) => {
    const engine = await store.engines.byKey(name)
    return engine === null ? null : openEngine(store, engine)
  }
  return (name) => {
    const known = opened.get(name) ?? read(name)
    opened.set(name, known)
    return known
  }
}

/** Checked by its engine. */
export async function draftRule(work: Work, input: RuleInput, open: Open = opener(work)): Promise<RuleDraft> {
  const { engine } = input
  const config = engineConfig(input)
  const instance = await open(engine)
  const found = findEngine(engine, work.checks.engines(), instance)
  if ('message' in found) throw await unknownEngine(work, engine, found)
  if (!found.kind.declaration.fails && input.onFailure !== undefined)
    throw invalid('onFailure', `the engine ${engine} cannot fail; leave it out`)
  const draft = { ...fieldsOf(input), config, managedBy: work.actor.managedBy }
  const artifact = await artifactOfRule(work.store, found.kind, config)
  const error = await ruleError(work, draft, { instance, artifact })
  if (error) throw invalid(error.path ?? '', error.message)
  return draft
}

/** The first thing that is wrong with a rule, as its engine sees it, and where in a pattern it is. */
export async function ruleError(
  { checks }: Pick<Work, 'checks'>,
  draft: RuleDraft,
  { instance, artifact }: { readonly instance: OpenedEngine | null; readonly artifact: Artifact | null },
): Promise<ConfigError | undefined> {
  const [error] = await checks.checkRule({ ...UNSAVED, ...draft }, instance, artifact)
  if (error?.position === undefined) return error
  return { ...error, message: `${error.message} (at character ${error.position + 1})` }
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
    ...(onFailure === 'block' ? {} : { onFailure }),
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
export function engineConfig(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const reserved = RESERVED.find((key) => Object.hasOwn(input, key))
  if (reserved !== undefined) throw invalid(reserved, 'is set by the gateway')
  return Object.fromEntries(
    Object.entries(input).filter(([key]) => !Object.hasOwn(ruleShape, key) && key !== 'position'),
  )
}

async function unknownEngine({ store, checks }: Work, engine: string, fault: ConfigError) {
  const kinds = checks.engines()
  if (kinds.some(({ kind }) => kind === engine)) {
    const own = (await store.engines.all()).filter(({ kind }) => kind === engine).map(({ slug }) => slug)
    return invalid('engine', `${engine} is a kind of engine: name one of that kind (${own.join(', ') || 'none yet'})`)
  }
  const all = [...kinds.flatMap(({ kind, instance }) => (instance === null ? [kind] : [])), ...(await slugs(store))]
  if (all.includes(engine)) return invalid('engine', fault.message)
  const meant = closest(engine, all)
  const hint = meant === undefined ? `known are ${all.join(', ') || 'none'}` : `did you mean ${meant}?`
  return invalid('engine', `there is no engine '${engine}'; ${hint}`)
}

const slugs = async (store: Work['store']): Promise<string[]> => (await store.engines.all()).map(({ slug }) => slug)
