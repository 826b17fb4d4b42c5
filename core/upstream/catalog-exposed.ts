import { createHash } from 'node:crypto'
import type { JsonObject } from '@gatehouse/sdk'
import { holdUnlooked, judge, renamesOf, type Judgement } from '../domain/feature-judge.js'
import type { Exposure, FeatureGroup } from '../domain/provisioning.js'
import type { AssignmentPlan } from '../domain/snapshot.js'
import type { ListKind, NameKind, Sighting } from '../domain/store.js'
import { withoutMarks } from '../mcp/json.js'
import { appUriOf } from '../mcp/tools.js'
import type { ApprovalTable } from './approvals.js'
import type { SeenList } from './catalog-slot.js'
import { LISTS } from './catalog-types.js'

type ById = SeenList['byId']

/** What of a server's list exists on a gateway. */
export interface Exposed {
  readonly byId: ById
  readonly judged: ReadonlyMap<string, Judgement>
  readonly hiddenNames: ReadonlySet<string>
  /** Something pinned waits until it is recorded. */
  readonly waits: boolean
  /** What is worth keeping and is not kept yet. */
  readonly sightings: readonly Sighting[]
  /** Apps that tools name of which none is shown: they go with their tools. */
  readonly hiddenApps: ReadonlySet<string>
  /** The same text for the same features. */
  readonly hash: string
}

/** Templates go with resources. */
export const groupOf = (kind: ListKind): FeatureGroup => (kind === 'templates' ? 'resources' : kind)

export const exposureOf = ({ exposures }: AssignmentPlan, kind: ListKind): Exposure | null => exposures[groupOf(kind)]

/** Null for everything: nothing has to be looked at. */
export function guardOf(plan: AssignmentPlan, kind: ListKind, table: ApprovalTable | undefined): 'guarded' | null {
  if (exposureOf(plan, kind) !== null || (kind === 'resources' && plan.exposures.tools !== null)) return 'guarded'
  return table !== undefined && table.isRefusing(plan.assignment.id) ? 'guarded' : null
}

interface Remembered {
  readonly table: ApprovalTable | undefined
  readonly version: number
  readonly apps: ReadonlySet<string>
  readonly exposed: Exposed
}
const remembered = new WeakMap<AssignmentPlan, WeakMap<ById, Remembered>>()
const NO_NAMES: ReadonlySet<string> = new Set()

export interface Seen {
  readonly kind: ListKind
  readonly byId: ById
  /** Of resources: those of hidden tools. */
  readonly apps?: ReadonlySet<string>
  /** Whether a definition was looked through; asked where nothing else may be shown. */
  readonly isLooked?: (definition: JsonObject) => boolean
}

/** Remembered for as long as the plan, the server's list and what is approved stay what they are. */
export function expose(
  plan: AssignmentPlan,
  { kind, byId, apps = NO_NAMES, isLooked = () => true }: Seen,
  table: ApprovalTable | undefined,
): Exposed {
  const lists = remembered.get(plan) ?? new WeakMap<ById, Remembered>()
  remembered.set(plan, lists)
  const known = lists.get(byId)
  const version = table?.version ?? 0
  if (known !== undefined && known.table === table && known.version === version && known.apps === apps)
    return known.exposed
  const exposed = look(plan, { kind, byId, apps, isLooked }, table)
  lists.set(byId, { table, version, apps, exposed })
  return exposed
}

function look(plan: AssignmentPlan, seen: Required<Seen>, table: ApprovalTable | undefined): Exposed {
  const { kind, byId, apps, isLooked } = seen
  const exposure = exposureOf(plan, kind)
  const { name: nameKind, id } = LISTS[kind]
  const assignmentId = plan.assignment.id
  const judged = new Map<string, Judgement>()
  const shown = new Map<string, JsonObject>()
  for (const [name, definition] of byId) {
    const subject = { name, definition: withoutMarks(definition), id }
    const plain = judge(exposure, subject, table?.of(assignmentId, nameKind, name))
    const judgement = holdUnlooked(plain, exposure, isLooked(definition))
    judged.set(name, judgement)
    if (judgement.exposed && !(kind === 'resources' && apps.has(name))) shown.set(name, definition)
  }
  const isWhole = shown.size === byId.size
  const hash = createHash('sha256')
    .update(JSON.stringify([...shown.values()]))
    .digest('hex')
  return {
    byId: isWhole ? byId : shown,
    judged,
    hiddenNames: isWhole ? NO_NAMES : new Set([...byId.keys()].filter((name) => !shown.has(name))),
    waits: [...judged.values()].some(({ why }) => why === 'unrecorded' || why === 'unlooked'),
    sightings: table === undefined ? [] : sightingsOf({ plan, kind: nameKind, byId, judged }, table),
    hiddenApps: kind === 'tools' ? appsLost(byId, shown) : NO_NAMES,
    hash,
  }
}

function appsLost(byId: ById, shown: ById): ReadonlySet<string> {
  const lost = new Set<string>()
  for (const [name, tool] of byId) {
    const app = shown.has(name) ? undefined : appUriOf(tool)
    if (app !== undefined) lost.add(app)
  }
  for (const tool of shown.values()) lost.delete(appUriOf(tool) ?? '')
  return lost.size === 0 ? NO_NAMES : lost
}

interface Looked {
  readonly plan: AssignmentPlan
  readonly kind: NameKind
  readonly byId: ById
  readonly judged: ReadonlyMap<string, Judgement>
}

function sightingsOf({ plan, kind, byId, judged }: Looked, table: ApprovalTable): Sighting[] {
  const assignmentId = plan.assignment.id
  const approved = table.all(assignmentId, kind)
  const formerNameOf = renamesOf(
    [...approved].flatMap(([name, { hashes }]) => (hashes === null || byId.has(name) ? [] : [[name, hashes] as const])),
  )
  const sightings: Sighting[] = []
  for (const [name, judgement] of judged) {
    const { hashes, sha256 } = judgement
    const definition = withoutMarks(byId.get(name))
    if (hashes === null || sha256 === null || definition === undefined) continue
    const approval = approved.get(name)
    const former = approval === undefined ? formerNameOf(hashes, definition) : null
    const event = eventOf(judgement, {
      isKnown: approval !== undefined,
      isNew: table.isBegun(assignmentId, kind),
      former,
    })
    if (event === null) continue
    const note = event === 'renamed' ? former : null
    const waits = event === 'trusted' && judgement.why === 'unrecorded' && judgement.admission?.waits === true
    const sighting = { event, name, version: approval?.version ?? 1, sha256, hashes, definition, note, waits }
    if (!table.isTold(assignmentId, kind, sighting)) sightings.push(sighting)
  }
  return sightings
}

interface Known {
  readonly isKnown: boolean
  /** Features of its kind were recorded before. */
  readonly isNew: boolean
  readonly former: string | null
}

/** What has to be kept of a feature that is pinned; null: nothing that is not known. */
function eventOf({ why, admission }: Judgement, { isKnown, isNew, former }: Known): Sighting['event'] | null {
  switch (why) {
    case 'changed':
    case 'kept':
      return 'changed'
    case 'pending':
      return 'appeared'
    case 'approved':
      return isKnown ? null : 'trusted'
    case 'unrecorded': {
      if (former !== null) return 'renamed'
      return isNew && admission?.waits === true ? 'appeared' : 'trusted'
    }
    default:
      return null
  }
}
