import type { Assignment, Gateway, Rule } from '../../domain/nouns.js'
import { GatehouseError } from '../../errors.js'
import { invalid } from '../problems.js'
import { MOST_RULES, TOO_MANY_RULES } from '../schemas.js'
import { conflict, mustBeMine, mustExist } from '../work.js'
import type { Work } from '../work.js'
import { assignmentState, draftAssignment, setAssignments } from './gateways.js'
import type { AssignmentInput } from './gateways.js'
import { draftRule, ruleInput } from './rules.js'
import type { RuleDraft, RuleInput } from './rules.js'

/** Assignments and rules one by one, as the admin API changes them. */

type Defined<T> = { [K in keyof T]?: T[K] | undefined }
/** Where in the order it stands, from 0; at the end when left out. */
interface Placed {
  readonly position?: number | undefined
}

export async function addAssignment(work: Work, reference: string, input: AssignmentInput): Promise<Assignment> {
  const gateway = await mustBeChangeable(work, reference)
  const draft = await draftAssignment(work, input)
  await setAssignments(work, gateway, [...gateway.assignments, draft])
  const after = await mustExist(work.store.gateways, 'gateway', gateway.id)
  return added(after.assignments, gateway.assignments)
}

export async function updateAssignment(
  work: Work,
  reference: string,
  id: string,
  input: Defined<AssignmentInput> & Placed,
): Promise<Assignment> {
  const gateway = await mustBeChangeable(work, reference)
  const stored = find(gateway.assignments, 'assignment', id)
  const { position, ...fields } = input
  const { as, server, identity, enabled } = await assignmentState(work, stored)
  const state = { server, identity, enabled, ...(as === null ? {} : { as }) }
  const named = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
  const draft = await draftAssignment(work, { ...state, ...named }, stored.provisioning)
  if (draft.serverId !== stored.serverId) throw conflict('an assignment stays with its server; make another', 'server')
  await setAssignments(work, gateway, placed(gateway.assignments, { ...draft, id: stored.id }, position))
  return find((await mustExist(work.store.gateways, 'gateway', gateway.id)).assignments, 'assignment', id)
}

export async function removeAssignment(work: Work, reference: string, id: string): Promise<void> {
  const gateway = await mustBeChangeable(work, reference)
  const stored = find(gateway.assignments, 'assignment', id)
  await setAssignments(work, gateway, without(gateway.assignments, stored))
}

export async function addRule(work: Work, reference: string, input: RuleInput & Placed): Promise<Rule> {
  const gateway = await mustBeChangeable(work, reference)
  mustBeUnnamed(gateway, input.name)
  if (gateway.rules.length >= MOST_RULES) throw invalid('rules', TOO_MANY_RULES)
  const { position, ...fields } = input
  const rules: (Rule | RuleDraft)[] = [...gateway.rules]
  rules.splice(position ?? rules.length, 0, await draftRule(work, fields as RuleInput))
  await work.store.gateways.setRules(gateway.id, rules)
  const after = await mustExist(work.store.gateways, 'gateway', gateway.id)
  return added(after.rules, gateway.rules)
}

/** What is named changes; a key of the engine's configuration that is null is taken away. */
export async function updateRule(
  work: Work,
  reference: string,
  id: string,
  input: Readonly<Record<string, unknown>> & Placed,
): Promise<Rule> {
  const gateway = await mustBeChangeable(work, reference)
  const stored = find(gateway.rules, 'rule', id)
  const { position, ...fields } = input
  const merged = Object.entries({ ...ruleInput(stored), ...defined(fields) }).filter(([, value]) => value !== null)
  const next = Object.fromEntries(merged) as RuleInput
  if (next.name !== stored.name) mustBeUnnamed(gateway, next.name)
  const draft = await draftRule(work, next)
  await work.store.gateways.setRules(gateway.id, placed(gateway.rules, { ...draft, id: stored.id }, position))
  return find((await mustExist(work.store.gateways, 'gateway', gateway.id)).rules, 'rule', id)
}

export async function removeRule(work: Work, reference: string, id: string): Promise<void> {
  const gateway = await mustBeChangeable(work, reference)
  await work.store.gateways.setRules(gateway.id, without(gateway.rules, find(gateway.rules, 'rule', id)))
}

export function find<T extends { readonly id: string }>(all: readonly T[], noun: string, id: string): T {
  const found = all.find((one) => one.id === id)
  if (!found) throw new GatehouseError('GH_API_NOT_FOUND', { message: `no ${noun} '${id}' on this gateway` })
  return found
}

async function mustBeChangeable(work: Work, reference: string): Promise<Gateway> {
  const gateway = await mustExist(work.store.gateways, 'gateway', reference)
  mustBeMine(work, 'gateway', gateway.slug, gateway)
  return gateway
}

function mustBeUnnamed(gateway: Gateway, name: string): void {
  if (gateway.rules.some((rule) => rule.name === name))
    throw conflict(`the gateway has a rule called '${name}' already`, 'name')
}

function placed<T extends { readonly id: string }, U extends { readonly id: string }>(
  all: readonly T[],
  changed: U,
  position: number | undefined,
): (T | U)[] {
  const at = all.findIndex(({ id }) => id === changed.id)
  const others: (T | U)[] = all.filter(({ id }) => id !== changed.id)
  others.splice(position ?? at, 0, changed)
  return others
}

const without = <T extends { readonly id: string }>(all: readonly T[], one: T): T[] =>
  all.filter(({ id }) => id !== one.id)

function added<T extends { readonly id: string }>(after: readonly T[], before: readonly T[]): T {
  const found = after.find(({ id }) => !before.some((one) => one.id === id))
  if (!found) throw new GatehouseError('GH_INTERNAL', { detail: 'what was added is not there' })
  return found
}

const defined = (fields: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
