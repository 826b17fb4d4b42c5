import type { JsonObject } from '@gatehouse/sdk'
import type { InSession } from '../call.js'
import { GatehouseError } from '../errors.js'
import type { Bus } from '../hooks/bus.js'
import type { ListKind } from '../domain/store.js'
import { appUriOf, toolFor, withoutApp } from '../mcp/tools.js'
import { wayOf } from '../record/trail.js'
import { LISTS, type Access, type Catalog, type Listing, type ListItem } from '../upstream/catalog-types.js'
import { page } from '../upstream/catalog-pages.js'

/** Which list a method asks for. */
export const LIST_METHODS: ReadonlyMap<string, ListKind> = new Map(
  (Object.keys(LISTS) as ListKind[]).map((kind) => [LISTS[kind].method, kind]),
)

export type List = (call: InSession) => Promise<JsonObject>

export interface ListOptions {
  readonly catalog: Catalog
  readonly accessOf: (call: InSession) => Access
  /** False when it is known that no server of the gateway has such a list. */
  readonly mayHave: (call: InSession, capability: 'tools' | 'prompts' | 'resources') => boolean
  readonly bus: Bus
  readonly limits: () => { readonly list: number }
}

/**
 * Merges what every server of the gateway offers to this caller. One dead, hanging or slow server is marked and never
 * delays or empties the others; when all fail, that is an error and not an empty list.
 */
export function createList({ catalog, accessOf, mayHave, bus, limits }: ListOptions): List {
  /** The apps of these tools that a hook hides from the caller: what is not shown as a resource is not shown with a tool. */
  async function hiddenApps(items: readonly ListItem[], call: InSession): Promise<ReadonlySet<string>> {
    const apps = new Set(items.flatMap(({ entry }) => appUriOf(entry) ?? []))
    if (apps.size === 0) return NONE
    const resources = await catalog.list(call.plan, 'resources', accessOf(call), Date.now() + limits().list)
    const own = { ...resources, items: resources.items.filter(({ entry }) => apps.has(String(entry.uri))) }
    const shown = new Set((await hooked(bus, call, own, 'resources')).items.map(({ entry }) => entry.uri))
    return new Set(own.items.map(({ entry }) => String(entry.uri)).filter((uri) => !shown.has(uri)))
  }
  return async (call) => {
    const kind = LIST_METHODS.get(call.method)
    if (kind === undefined) throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD')
    const startedAt = Date.now()
    const listing = await catalog.list(
      call.plan,
      kind,
      accessOf(call),
      Math.min(call.deadline, startedAt + limits().list),
    )
    writeLegs(call, listing, startedAt)
    if (listing.failed !== null) throw listing.failed
    // Known only now, perhaps: whoever was asked for its list has said what it has.
    if (listing.items.length === 0 && !mayHave(call, LISTS[kind].capability))
      throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD', { message: 'No server of this gateway has such a list' })
    const shown = bus.has('feature.list') ? await hooked(bus, call, listing, kind) : listing
    const { items, nextCursor } = page(shown, call.params.cursor)
    const hidden = kind === 'tools' && bus.has('feature.list') ? await hiddenApps(items, call) : NONE
    const marks = shown.servers.length === 0 ? {} : { _meta: { 'gatehouse/servers': shown.servers } }
    return {
      [LISTS[kind].field]: kind === 'tools' ? items.map((item) => toolOf(item, call, hidden)) : items.map(entryOf),
      ...(nextCursor === undefined ? {} : { nextCursor }),
      ...(call.era === 'modern' ? { resultType: 'complete', ttlMs: shown.ttlMs, cacheScope: shown.scope } : {}),
      ...marks,
    } as JsonObject
  }
}

const NONE: ReadonlySet<string> = new Set()
const entryOf = ({ entry }: ListItem): JsonObject => entry

function toolOf({ entry, era }: ListItem, call: InSession, hidden: ReadonlySet<string>): JsonObject {
  const app = hidden.size === 0 ? undefined : appUriOf(entry)
  return toolFor(app !== undefined && hidden.has(app) ? withoutApp(entry) : entry, era, call.era)
}

/** Two legs for each server that was really asked; one answered from the cache got no message. */
function writeLegs(call: InSession, listing: Listing, startedAt: number): void {
  for (const asked of listing.perServer) {
    const way = wayOf(asked.assignment)
    if (asked.hidden > 0) call.trail.leg('gateway_feature_filtered', { error: `${asked.hidden} hidden` }, way)
    if (!asked.asked) continue
    const ok = asked.error === null
    call.trail.leg('mcp_request_success', { offset: startedAt - call.trail.at }, way)
    call.trail.leg(
      ok ? 'mcp_response_success' : 'mcp_response_error',
      { durationMs: asked.ms, bytes: asked.bytes, error: asked.error?.code ?? null },
      way,
    )
  }
}

/** `feature.list` sees the entries of one server at a time; what it leaves out cannot be seen. */
async function hooked(bus: Bus, call: InSession, listing: Listing, kind: ListKind): Promise<Listing> {
  const { gateway } = call.plan
  const items: Listing['items'][number][] = []
  const servers = [...listing.servers]
  for (const assignment of call.plan.assignments) {
    const own = listing.items.filter((item) => item.feature.assignment === assignment)
    if (own.length === 0) continue
    const passed = await bus.sequential('feature.list', {
      kind: LISTS[kind].name,
      server: assignment.server,
      gateway,
      principal: call.principal,
      entries: own.map((item) => item.entry),
    })
    if (passed.blocked) {
      servers.push({ server: assignment.prefix, state: 'missing', reason: passed.reason, since: null })
      continue
    }
    // A handler may drop entries and change their texts; what it adds under an unknown name has no feature behind it.
    for (const entry of passed.payload.entries) {
      const item = own.find((candidate) => candidate.entry === entry || keyOf(candidate.entry) === keyOf(entry))
      if (item !== undefined) items.push({ ...item, entry })
    }
  }
  const ttlMs = servers.length === listing.servers.length ? listing.ttlMs : 0
  return { ...listing, items, servers, ttlMs, scope: 'private' }
}

const keyOf = (entry: JsonObject) => entry.uriTemplate ?? entry.uri ?? entry.name
