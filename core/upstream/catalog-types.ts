import type { Era, FeatureKind, JsonObject } from '@gatehouse/sdk'
import type { Feature } from '../call.js'
import type { Judgement, Why } from '../domain/feature-judge.js'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import type { ListKind, NameKind } from '../domain/store.js'
import type { ErrorCode, GatehouseError } from '../errors.js'
import type { ToPublicUri } from '../mcp/uris.js'
import type { Target } from './types.js'

/**
 * Many servers behind one gateway: their features in one list under names that last, and the way back from a public name
 * to the server's own. A server that is down, hung or slow never delays the others nor empties their lists.
 */
export interface Catalog {
  /** All features of one kind that the servers show, in gateway order, then in each server's own. Never throws for a server. */
  list(plan: GatewayPlan, kind: ListKind, access: Access, deadline: number): Promise<Listing>
  /**
   * Which feature is meant, as far as memory knows: null is unknown, undefined has to be asked with `resolve`. The
   * definition is null when nobody could list it now (the server is down, disabled or waits for a credential).
   */
  resolveNow(plan: GatewayPlan, kind: FeatureKind, publicName: string, access: Access): Feature | null | undefined
  /** The same, but asks servers that were never seen or whose list is stale before it says unknown. */
  resolve(
    plan: GatewayPlan,
    kind: FeatureKind,
    publicName: string,
    access: Access,
    deadline: number,
  ): Promise<Feature | null>
  /** The URIs of this server as clients of the gateway know them; for `publicResult` and the like. */
  publicUris(plan: GatewayPlan, assignment: AssignmentPlan): ToPublicUri
  /**
   * Stands for what the caller would see of a list as it is in memory: the same text for the same features. Null when a server
   * was never asked. Whoever wants it to be of now asks for the list first.
   */
  fingerprint(plan: GatewayPlan, kind: ListKind, access: Access): string | null
  /** Why what was not found is hidden; null: nobody has it. For the record alone: to the client both are unknown. */
  whyHidden(plan: GatewayPlan, kind: FeatureKind, publicName: string, access: Access): Why | null
  /** Not everything of the kind that the server has need exist on the gateway. */
  mayHide(plan: GatewayPlan, assignment: AssignmentPlan, kind: FeatureKind): boolean
  /** What one server lists to one credential, each with how it stands to an exposure. Throws when it cannot be listed. */
  preview(plan: AssignmentPlan, kind: ListKind, of: PreviewOf): Promise<readonly Previewed[]>
  /** Told after the cache was dropped, or when an answer came too late for those who had asked. Returns the way to end it. */
  onChanged(listener: ListListener): () => void
  /** The server's lists, or those that one credential saw, count as stale from now on: it said so, or they were changed. */
  drop(serverId: string, kinds?: readonly ListKind[], key?: string): void
  stop(): void
}

export interface PreviewOf {
  readonly gatewayId: string
  readonly target: Target
  readonly deadline: number
}
export interface Previewed {
  readonly name: string
  readonly definition: JsonObject
  readonly judgement: Judgement
}

/** `said`: the server says that its list has changed. `doubted`: it may have. */
export type ListListener = (serverId: string, kind: ListKind, why: 'said' | 'doubted') => void

/** How the caller stands to each server; the credential is resolved by the caller. */
export interface Access {
  target(assignment: AssignmentPlan): Target | NoAccess
}
export interface NoAccess {
  readonly state: 'disabled' | 'connect_required'
  readonly reason: string
  /** The `slotKey` of a credential that expired: its last list goes on being shown. */
  readonly lastSeenAs?: string
}

export interface Listing {
  readonly items: readonly ListItem[]
  /** `_meta["gatehouse/servers"]`; empty when all is well. */
  readonly servers: readonly ServerMark[]
  /** One per assignment, in order, for the legs of the record. */
  readonly perServer: readonly ListLeg[]
  readonly ttlMs: number
  readonly scope: 'public' | 'private'
  /** Set when no server could be listed: to be thrown instead of answering an empty list. */
  readonly failed: GatehouseError | null
}

export interface ListItem {
  readonly feature: Feature
  /** As clients see it: public name and URIs, unknown keys kept. */
  readonly entry: JsonObject
  /** The era that its server told it in; null when nobody knows any more. */
  readonly era: Era | null
}

export type MarkState = 'stale' | 'missing' | 'connect_required' | 'disabled'
export interface ServerMark {
  readonly server: string
  readonly state: MarkState
  readonly reason: string
  /** ISO 8601; null when unknown. */
  readonly since: string | null
}

export interface ListLeg {
  readonly assignment: AssignmentPlan
  /** False when the answer came from memory alone. */
  readonly asked: boolean
  readonly ms: number
  readonly bytes: number
  /** How many features of the server do not exist on this gateway. */
  readonly hidden: number
  readonly state: 'ok' | MarkState
  readonly error: { readonly code: ErrorCode; readonly message: string } | null
}

/** What is particular to each kind of list. */
export interface ListShape {
  readonly method: string
  readonly capability: 'tools' | 'prompts' | 'resources'
  /** Where the entries stand in the result. */
  readonly field: string
  /** What identifies an entry. */
  readonly id: 'name' | 'uri' | 'uriTemplate'
  readonly name: NameKind
  readonly feature: FeatureKind
}

export const LISTS: Readonly<Record<ListKind, ListShape>> = Object.freeze({
  tools: { method: 'tools/list', capability: 'tools', field: 'tools', id: 'name', name: 'tool', feature: 'tool' },
  prompts: {
    method: 'prompts/list',
    capability: 'prompts',
    field: 'prompts',
    id: 'name',
    name: 'prompt',
    feature: 'prompt',
  },
  resources: {
    method: 'resources/list',
    capability: 'resources',
    field: 'resources',
    id: 'uri',
    name: 'resource',
    feature: 'resource',
  },
  templates: {
    method: 'resources/templates/list',
    capability: 'resources',
    field: 'resourceTemplates',
    id: 'uriTemplate',
    name: 'template',
    feature: 'resource',
  },
})

/** The part of a pino logger that is used here. */
export interface CatalogLog {
  warn(facts: Readonly<Record<string, unknown>>, message: string): void
}
