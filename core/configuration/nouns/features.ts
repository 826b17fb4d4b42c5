import type { Assignment, Gateway } from '../../domain/nouns.js'
import type { FeatureEvent, FeatureKey, FeatureRecord, NameKind } from '../../domain/store.js'
import type { Store } from '../../domain/store.js'
import type { FeatureGroup } from '../../domain/provisioning.js'
import { absent, conflict, mustExist } from '../work.js'
import type { Work } from '../work.js'

/** Which definitions of a server's features are trusted on a gateway: decided by people, one by one. */

export interface DecisionInput {
  readonly sha256: string
  readonly note?: string | undefined
}

/** By id, or by the name that the server goes by on the gateway. */
export async function assignmentOf(
  store: Pick<Store, 'servers'>,
  gateway: Gateway,
  reference: string,
): Promise<Assignment> {
  for (const one of gateway.assignments) {
    const prefix = one.as ?? (await store.servers.find(one.serverId))?.slug
    if (one.id === reference || prefix === reference.toLowerCase()) return one
  }
  throw absent('server', reference)
}

/** Trusts a definition that was seen, from now on at every replica. */
export async function approveFeature(
  work: Work,
  key: FeatureKey,
  { sha256, note }: DecisionInput,
): Promise<FeatureRecord> {
  await mustNotSayOtherwise(work, key)
  return work.store.features.decide(key, { sha256, note: note ?? null, verdict: 'approved', by: await nameOf(work) })
}

/** Never lets a definition through, whatever is done about changes otherwise. */
export async function rejectFeature(
  work: Work,
  key: FeatureKey,
  { sha256, note }: DecisionInput,
): Promise<FeatureRecord> {
  return work.store.features.decide(key, { sha256, note: note ?? null, verdict: 'rejected', by: await nameOf(work) })
}

/** Takes back the last approval: what was trusted before it is trusted again. */
export async function undoFeature(work: Work, key: FeatureKey): Promise<FeatureRecord> {
  const decisions = (await work.store.features.history(key)).filter(isDecision)
  const [last] = decisions
  if (last === undefined) throw absent(key.kind, key.name.slice(0, 200))
  if (last.event === 'rejected') throw conflict('the last decision rejected a definition; approve that to take it back')
  const before = trustedBefore(decisions)
  if (before === null) throw conflict('nothing else was ever trusted; reject this definition instead')
  return approveFeature(work, key, { sha256: before, note: 'undone' })
}

/**
 * What was trusted before the last approval, by the decisions, newest first. Who goes back to it has taken that approval back, so
 * that doing so twice trusts nothing anew; what was rejected is never gone back to.
 */
export function trustedBefore(decisions: readonly Pick<FeatureEvent, 'event' | 'sha256'>[]): string | null {
  let trusted: string[] = []
  for (const { event, sha256 } of decisions.toReversed()) {
    if (event === 'rejected') trusted = trusted.filter((one) => one !== sha256)
    else if (sha256 === trusted.at(-2)) trusted.pop()
    else if (sha256 !== trusted.at(-1)) trusted.push(sha256)
  }
  return trusted.at(-2) ?? null
}

const isDecision = ({ event }: FeatureEvent): boolean => ['trusted', 'approved', 'rejected'].includes(event)

/** A pin with its hash trusts nothing else: it is changed where it stands. */
async function mustNotSayOtherwise(work: Work, { gatewayId, assignmentId, kind, name }: FeatureKey): Promise<void> {
  const gateway = await mustExist(work.store.gateways, 'gateway', gatewayId)
  const assignment = gateway.assignments.find(({ id }) => id === assignmentId)
  const group = groupOf(kind)
  const pinned = assignment?.provisioning[group].allow.find(
    (entry) => entry.name === name && entry.pin?.sha256 !== undefined,
  )
  if (pinned !== undefined)
    throw conflict(`'${name.slice(0, 200)}' is pinned to one hash in the list of ${group}; change or drop it there`)
}

const groupOf = (kind: NameKind): FeatureGroup =>
  kind === 'tool' ? 'tools' : kind === 'prompt' ? 'prompts' : 'resources'

async function nameOf({ store, actor }: Work): Promise<string | null> {
  return actor.userId === null ? null : ((await store.users.find(actor.userId))?.email ?? null)
}
