import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import type { Assignment, Gateway, Scheme } from '../../domain/nouns.js'
import { DEFAULT_POISONING } from '../../domain/provisioning.js'
import type { Exposing, Pinning, Poisoning, Provisioning } from '../../domain/provisioning.js'
import { invalid, within } from '../problems.js'
import type { Assignment as AssignmentSchema, Gateway as GatewaySchema } from '../schemas.js'
import { conflict, given, managerAfter, mustBeFree, mustBeMine, mustExist, mustHold, mustRefer } from '../work.js'
import type { Work } from '../work.js'
import { draftDefaultRules } from '../default-rules.js'
import { mustBeAllowedToProvision, pinningOf, PROVISIONING_CAPABILITY, provisioningOf } from './provisioning.js'
import { draftRules, ruleState } from './rules.js'
import type { RuleState } from './rules.js'

export type GatewayInput = z.output<typeof GatewaySchema> & { readonly slug?: string | undefined }
export type AssignmentInput = z.output<typeof AssignmentSchema>
export type AssignmentDraft = Omit<Assignment, 'id' | 'gatewayId' | 'position'> & { readonly id?: string }

/** A gateway as the file says it, every key filled in. */
export interface GatewayState {
  readonly title: string
  readonly enabled: boolean
  readonly teams: readonly string[]
  readonly prefix: Gateway['prefix']
  readonly legacySse: boolean
  readonly capture: Gateway['capture']
  readonly pinning: Pinning
  readonly poisoning: Poisoning
  readonly servers: readonly AssignmentState[]
  readonly rules: readonly RuleState[]
}
export interface AssignmentState {
  readonly server: string
  readonly as: string | null
  readonly identity: 'open' | 'per-user' | { readonly shared: string }
  readonly enabled: boolean
  readonly tools: Exposing
  readonly prompts: Exposing
  readonly resources: Exposing
}

/** One that is made without rules has the default ones; an empty list means none. */
export async function createGateway(work: Work, slug: string, input: GatewayInput): Promise<Gateway> {
  await mustBeUnused(work, slug)
  const teamIds = await teamsOf(work, input.teams ?? [])
  const { title = slug, enabled = true, prefix = 'collision', legacySse = false, capture = 'redacted' } = input
  const pinning = pinningOf(input.pinning)
  const { poisoning = DEFAULT_POISONING } = input
  if (!isDeepStrictEqual(pinning, pinningOf(undefined)) || poisoning !== DEFAULT_POISONING)
    mustHold(work, PROVISIONING_CAPABILITY)
  const gateway = await work.store.gateways.insert({
    slug,
    title,
    enabled,
    prefix,
    legacySse,
    capture,
    pinning,
    poisoning,
    teamIds,
    formerSlugs: [],
    assignments: [],
    rules: [],
    managedBy: work.actor.managedBy,
  })
  if (input.rules === undefined) await work.store.gateways.setRules(gateway.id, await draftDefaultRules(work))
  return setParts(work, gateway, { servers: input.servers ?? [], rules: input.rules })
}

/** A new slug leaves the old one valid for ever. Servers and rules, when named, are replaced whole. */
export async function updateGateway(work: Work, reference: string, input: GatewayInput): Promise<Gateway> {
  const stored = await mustExist(work.store.gateways, 'gateway', reference)
  mustBeMine(work, 'gateway', stored.slug, stored)
  const { title, enabled, prefix, legacySse, capture, slug, poisoning } = input
  const isRenamed = slug !== undefined && slug !== stored.slug
  if (isRenamed) await mustBeUnused(work, slug, stored.id)
  const formerSlugs = [...new Set([...stored.formerSlugs, stored.slug])].filter((former) => former !== slug)
  const teamIds = input.teams && (await teamsOf(work, input.teams))
  const pinning = input.pinning && pinningOf(input.pinning, stored.pinning)
  const isOther = poisoning !== undefined && poisoning !== stored.poisoning
  if (isOther || (pinning && !isDeepStrictEqual(pinning, stored.pinning))) mustHold(work, PROVISIONING_CAPABILITY)
  const gateway = await work.store.gateways.update(stored.id, {
    ...given({ title, enabled, prefix, legacySse, capture, pinning, poisoning, teamIds }),
    ...(isRenamed ? { slug, formerSlugs } : {}),
    ...managerAfter(work, stored),
  })
  return setParts(work, gateway, input)
}

/** Its connections and their tokens go too. */
export async function removeGateway(work: Work, reference: string): Promise<void> {
  const stored = await mustExist(work.store.gateways, 'gateway', reference)
  mustBeMine(work, 'gateway', stored.slug, stored)
  await work.store.connections.removeOf({ gatewayId: stored.id })
  await work.store.gateways.remove(stored.id)
}

export async function draftAssignment(
  work: Work,
  input: AssignmentInput,
  before?: Provisioning,
): Promise<AssignmentDraft> {
  const server = await mustRefer(work.store.servers, 'server', input.server)
  const scheme = await schemeOf(work, server.id, input.identity ?? 'open')
  const provisioning = provisioningOf(input, before)
  return { serverId: server.id, as: input.as ?? null, scheme, provisioning, enabled: input.enabled ?? true }
}

/** Writes all assignments of a gateway, with what must hold among them. */
export async function setAssignments(work: Work, gateway: Gateway, drafts: readonly AssignmentDraft[]): Promise<void> {
  const prefixes = new Set<string>()
  for (const draft of drafts) {
    const prefix = await prefixOf(work, draft)
    if (prefixes.has(prefix)) throw invalid('as', `two servers go by '${prefix}'; give one of them another name`)
    prefixes.add(prefix)
  }
  if (gateway.prefix === 'never' && drafts.length > 1)
    throw invalid('prefix', 'never is for gateways with one server; use collision or always')
  mustBeAllowedToProvision(work, gateway.assignments, drafts)
  await work.store.gateways.setAssignments(gateway.id, drafts)
}

export async function gatewayState({ store }: Pick<Work, 'store'>, gateway: Gateway): Promise<GatewayState> {
  // One after another: within a transaction there is one connection.
  const teams: string[] = []
  for (const id of gateway.teamIds) teams.push((await store.teams.find(id))?.slug ?? id)
  const servers: AssignmentState[] = []
  for (const one of gateway.assignments) servers.push(await assignmentState({ store }, one))
  const { title, enabled, prefix, legacySse, capture, pinning, poisoning } = gateway
  const rules = gateway.rules.map((rule) => ruleState(rule))
  return { title, enabled, teams: teams.toSorted(), prefix, legacySse, capture, pinning, poisoning, servers, rules }
}

export async function assignmentState({ store }: Pick<Work, 'store'>, one: Assignment): Promise<AssignmentState> {
  const server = (await store.servers.find(one.serverId))?.slug ?? one.serverId
  const { scheme, as, enabled, provisioning } = one
  if (scheme.kind !== 'shared') return { server, as, identity: scheme.kind, enabled, ...provisioning }
  const shared = (await store.identities.find(scheme.identityId))?.slug ?? scheme.identityId
  return { server, as, identity: { shared }, enabled, ...provisioning }
}

async function setParts(
  work: Work,
  gateway: Gateway,
  { servers, rules }: Pick<GatewayInput, 'servers' | 'rules'>,
): Promise<Gateway> {
  // The rule about `prefix: never` concerns the servers that are there, too.
  const drafts = servers === undefined ? gateway.assignments : await draftAll(work, gateway, servers)
  if (servers !== undefined || gateway.prefix === 'never') await setAssignments(work, gateway, drafts)
  if (rules !== undefined) await work.store.gateways.setRules(gateway.id, await draftRules(work, gateway, rules))
  return mustExist(work.store.gateways, 'gateway', gateway.id)
}

/** Ids stay where server and name stay: public names hang on them. */
async function draftAll(work: Work, gateway: Gateway, inputs: readonly AssignmentInput[]): Promise<AssignmentDraft[]> {
  const drafts: AssignmentDraft[] = []
  for (const [index, input] of inputs.entries()) {
    const draft = await within(`servers[${index}]`, () => draftAssignment(work, input))
    const same = gateway.assignments.find(({ serverId, as }) => serverId === draft.serverId && as === draft.as)
    const isTaken = drafts.some(({ id }) => id === same?.id)
    drafts.push(same && !isTaken ? { ...draft, id: same.id } : draft)
  }
  return drafts
}

async function schemeOf(
  work: Work,
  serverId: string,
  identity: NonNullable<AssignmentInput['identity']>,
): Promise<Scheme> {
  if (typeof identity === 'string') return { kind: identity }
  const shared = await mustRefer(work.store.identities, 'identity.shared', identity.shared)
  if (shared.serverId !== serverId) throw invalid('identity.shared', `'${shared.slug}' is for another server`)
  if (!shared.shared) throw invalid('identity.shared', `'${shared.slug}' is personal`)
  return { kind: 'shared', identityId: shared.id }
}

async function prefixOf(work: Work, draft: AssignmentDraft): Promise<string> {
  return draft.as ?? (await work.store.servers.find(draft.serverId))?.slug ?? draft.serverId
}

async function teamsOf(work: Work, references: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const reference of references) ids.push((await mustRefer(work.store.teams, 'teams', reference)).id)
  return [...new Set(ids)]
}

/** A former slug still leads to its gateway: it may become another's only when that gateway is gone. */
async function mustBeUnused(work: Work, slug: string, except?: string): Promise<void> {
  const gateways = (await work.store.gateways.all()).filter(({ id }) => id !== except)
  const former = gateways.find(({ formerSlugs }) => formerSlugs.includes(slug))
  if (former) throw conflict(`'${slug}' is a former name of the gateway '${former.slug}'`, 'slug')
  if (gateways.some((gateway) => gateway.slug === slug)) await mustBeFree(work.store.gateways, 'gateway', slug)
}
