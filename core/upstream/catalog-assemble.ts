import type { GatewayPlan, AssignmentPlan } from '../domain/snapshot.js'
import type { ListKind } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import type { Exposed } from './catalog-exposed.js'
import type { View } from './catalog-lists.js'
import { nameItems } from './catalog-name-items.js'
import type { NameTable } from './catalog-names.js'
import type { Slot } from './catalog-slot.js'
import type { Listing, ListItem, ListLeg, MarkState, NoAccess, ServerMark } from './catalog-types.js'

/** What one server of the gateway adds to a list. */
export interface Part {
  readonly assignment: AssignmentPlan
  readonly slot: Slot | null
  readonly view: View | null
  /** What of `view.seen` exists on this gateway; null: all. */
  readonly exposed: Exposed | null
  readonly noAccess: NoAccess | null
  readonly asked: boolean
  readonly ms: number
}

interface Marked {
  readonly part: Part
  readonly items: readonly ListItem[]
  readonly mark: { readonly state: MarkState; readonly reason: string; readonly since: number | null } | null
}

/** Puts the parts together as the client sees them. */
export function assemble(
  plan: GatewayPlan,
  kind: ListKind,
  parts: readonly Part[],
  table: NameTable | undefined,
): Listing {
  const marked = parts.map((part) => markPart(plan, kind, part, table))
  const servers = marked.flatMap(({ part, mark }) => (mark === null ? [] : [serverMark(part.assignment, mark)]))
  const isWhole = marked.every(({ mark }) => mark === null)
  const isPublic = isWhole && parts.every(({ slot, view }) => slot?.key === 'public' && view?.seen?.scope === 'public')
  return {
    items: marked.flatMap(({ items }) => items),
    servers,
    perServer: marked.map(legOf),
    ttlMs: ttlOf(marked),
    scope: parts.length > 0 && isPublic ? 'public' : 'private',
    failed: failureOf(marked, servers, table),
  }
}

function markPart(plan: GatewayPlan, kind: ListKind, part: Part, table: NameTable | undefined): Marked {
  const { assignment, view, noAccess } = part
  const seen = noAccess?.state === 'disabled' ? undefined : view?.seen
  const { items, unnamed } = seen
    ? nameItems(plan, assignment, { kind, byId: part.exposed?.byId ?? seen.byId, era: seen.era }, table)
    : NOTHING
  if (noAccess !== null) return { part, items, mark: { ...noAccess, since: null } }
  const mark = view?.mark ?? null
  if (mark !== null) return { part, items, mark }
  if (part.exposed?.waits) return { part, items, mark: { state: 'stale', reason: UNRECORDED, since: null } }
  return { part, items, mark: unnamed.length > 0 ? { state: 'stale', reason: HELD_BACK, since: null } : null }
}
const NOTHING = { items: [], unnamed: [] }
const UNRECORDED = 'new features are not recorded yet'
const HELD_BACK = 'new features have no public name yet'

function serverMark(assignment: AssignmentPlan, mark: NonNullable<Marked['mark']>): ServerMark {
  const { state, reason, since } = mark
  return { server: assignment.prefix, state, reason, since: since === null ? null : new Date(since).toISOString() }
}

function legOf({ part, mark }: Marked): ListLeg {
  const { assignment, asked, ms, view } = part
  const trouble = view?.trouble ?? null
  const bytes = asked && trouble === null ? (view?.seen?.bytes ?? 0) : 0
  return {
    assignment,
    // A server without the capability is known to have no such list: nothing was sent.
    asked: asked && (trouble !== null || bytes > 0),
    ms,
    bytes,
    hidden: part.noAccess === null ? (part.exposed?.hiddenNames.size ?? 0) : 0,
    state: mark?.state ?? 'ok',
    error: trouble === null ? null : { code: trouble.code, message: trouble.reason },
  }
}

/** As long as the shortest promise; none while a part may come back any moment. */
function ttlOf(marked: readonly Marked[]): number {
  if (marked.some(({ mark }) => mark?.state === 'stale' || mark?.state === 'missing')) return 0
  const promises = marked.flatMap(({ part }) => (part.noAccess === null && part.view ? [part.view.promisedMs] : []))
  return promises.length === 0 ? 0 : Math.min(...promises)
}

/** An empty list would say that there are no features; if nobody could be asked that is not known. */
function failureOf(
  marked: readonly Marked[],
  servers: readonly ServerMark[],
  table: NameTable | undefined,
): GatehouseError | null {
  const asked = marked.filter(({ part }) => part.noAccess === null)
  if (asked.length === 0) return null
  if (table === undefined) return new GatehouseError('GH_DB_UNAVAILABLE')
  if (asked.some(({ part, mark }) => part.view?.seen || mark?.state !== 'missing')) return null
  const message = `No server of this gateway can be listed: ${asked.map(({ part }) => part.assignment.prefix).join(', ')}`
  return new GatehouseError('GH_UPSTREAM_UNREACHABLE', { message, data: { servers } })
}
