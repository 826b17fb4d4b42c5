import type { Alert } from '@gatehouse/sdk'
import { clip } from '../domain/clip.js'
import { diffOf, visible, type FieldChange } from '../domain/feature-diff.js'
import { sha256 } from '../domain/feature-hash.js'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import type { FeatureKey, NameKind, Sighting, Store } from '../domain/store.js'
import type { OnSighting } from '../upstream/approvals.js'
import { LISTS } from '../upstream/catalog-types.js'
import { type House, PARTS } from './house.js'

const LONGEST_NAME = 120
/** A check, a field (its path may be of the server's own making) and what was seen there. */
const LONGEST_REASON = 400
const MOST_LISTED = 10
const LONGEST_LIST = 500

export interface FeatureAlertsOptions {
  readonly features: Pick<Store['features'], 'find'>
  readonly raise: (alert: Alert) => void
  readonly log: { warn(facts: Readonly<Record<string, unknown>>, message: string): void }
}

/** One alert for each change of a pinned feature, with what is other than what was approved. */
export function createFeatureAlerts({ features, raise, log }: FeatureAlertsOptions): OnSighting {
  const tell = async (plan: GatewayPlan, assignment: AssignmentPlan, kind: NameKind, sighting: Sighting) => {
    const key = { gatewayId: plan.gateway.id, assignmentId: assignment.assignment.id, kind, name: sighting.name }
    const before = sighting.event === 'changed' ? ((await features.find(key))?.definition ?? null) : null
    const diff = sighting.event === 'changed' ? diffOf(before, sighting.definition, idOf(kind)) : []
    raise(alertOf({ plan, assignment, key, sighting }, diff))
  }
  return (plan, assignment, kind, sighting) =>
    void tell(plan, assignment, kind, sighting).catch((thrown: unknown) =>
      log.warn({ server: assignment.prefix, error: String(thrown) }, 'a changed feature could not be told'),
    )
}

/** Whatever was told of the feature and waited for a decision is over with it. */
export function createOnDecided(house: House): (key: FeatureKey, version: number) => Promise<void> {
  const [features, alerts] = [house.get(PARTS.store).features, house.get(PARTS.alerts)]
  const resolveAll = async (key: FeatureKey, version: number): Promise<void> => {
    const before = (await features.history(key)).filter((one) => one.version < version)
    const told = before.filter(({ event }) => !DECISIONS.has(event))
    for (const hash of new Set(told.map(({ sha256 }) => sha256)))
      for (const type of ['feature_changed', 'feature_suspicious'] as const)
        await alerts.resolve(type, featureAlertKey(key, hash))
  }
  // The decision stands: an alert that could not be closed is closed by hand.
  return (key, version) => resolveAll(key, version).catch(() => undefined)
}

const DECISIONS: ReadonlySet<string> = new Set(['trusted', 'approved', 'rejected'])

/** By which the alert is found again when somebody has decided. */
export function featureAlertKey({ assignmentId, kind, name }: Omit<FeatureKey, 'gatewayId'>, hash: string): string {
  return `${assignmentId}/${kind}/${sha256(name).slice(0, 16)}/${hash.slice(0, 16)}`
}

interface Told {
  readonly plan: GatewayPlan
  readonly assignment: AssignmentPlan
  readonly key: FeatureKey
  readonly sighting: Sighting
}

function alertOf({ plan, assignment, key, sighting }: Told, diff: readonly FieldChange[]): Alert {
  const { event, sha256, note, suspicions } = sighting
  const name = visible(clip(sighting.name, LONGEST_NAME))
  const isKept =
    (event === 'changed' && plan.gateway.pinning.onChange === 'alert') ||
    (event === 'suspected' && plan.gateway.poisoning !== 'quarantine')
  const fields = diff.map(({ field }) => field)
  const kept = event === 'suspected' ? 'It is not hidden for that' : 'It is kept in use'
  const message = `${words(event, note, fields)}. ${isKept ? kept : 'It is hidden until somebody approves it'}`
  return {
    type: event === 'suspected' ? 'feature_suspicious' : 'feature_changed',
    severity: 'warning',
    key: featureAlertKey(key, sha256),
    message: `The ${key.kind} '${name}' of server '${assignment.prefix}' ${message}`,
    gatewayId: key.gatewayId,
    serverId: assignment.server.id,
    context: {
      gateway: plan.gateway.slug,
      server: assignment.prefix,
      kind: key.kind,
      feature: name,
      event,
      sha256,
      ...(note === null ? {} : { note: visible(clip(note, LONGEST_REASON)) }),
      ...(suspicions === undefined ? {} : { checks: listed(suspicions, 'check'), fields: listed(suspicions, 'field') }),
      ...Object.fromEntries(diff.map(({ field, before, after }) => [field, `${quoted(before)} → ${quoted(after)}`])),
    },
  }
}

/** Names of properties are words of the server's own. */
function listed(suspicions: NonNullable<Sighting['suspicions']>, what: 'check' | 'field'): string {
  const names = [...new Set(suspicions.map((one) => one[what]))].slice(0, MOST_LISTED)
  return visible(clip(names.map((name) => clip(name, LONGEST_NAME)).join(', '), LONGEST_LIST))
}

function words(event: Sighting['event'], note: string | null, fields: readonly string[]): string {
  switch (event) {
    case 'changed':
      return fields.length === 0 ? 'is not what its pin says' : `has changed: ${fields.join(', ')}`
    case 'renamed':
      return `is '${visible(clip(note ?? '', LONGEST_NAME))}' under another name`
    case 'suspected':
      return `looks poisoned: ${visible(clip(note ?? '', LONGEST_REASON))}`
    default:
      return 'is new'
  }
}

const quoted = (text: string | null): string => (text === null ? 'nothing' : `"${text}"`)

const idOf = (kind: NameKind): string => Object.values(LISTS).find(({ name }) => name === kind)?.id ?? 'name'
