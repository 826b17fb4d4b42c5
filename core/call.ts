import type { Credentials, Era, FeatureKind, JsonObject, Principal } from '@gatehouse/sdk'
import type { AssignmentPlan, GatewayPlan, Snapshot } from './domain/snapshot.js'

import type { Trail } from './record/trail.js'
import type { UpstreamReply } from './upstream/types.js'

/**
 * The types of a call on its way through the rooms. Each room takes one and gives the next, so that skipping a room does
 * not compile: `forward` wants an `Inspected`, which only `inspect` can make, and so on back to the door.
 */
declare const room: unique symbol

/** A request as the door read it: an object with a method, classified by era, nothing believed yet. */
export interface Inbound {
  readonly era: Era
  /** The protocol version the client speaks; for a legacy request without a header the oldest streamable one. */
  readonly version: string
  /** The JSON-RPC id, byte-exact type; null for a notification. */
  readonly id: string | number | null
  readonly method: string
  readonly params: JsonObject
  readonly credentials: Credentials
  /** What stands in the URL after `/mcp/`; null at the picker. */
  readonly gatewayName: string | null
  readonly sessionId: string | null
  readonly snapshot: Snapshot
  /** Milliseconds since the epoch. */
  readonly deadline: number
  /** Aborted when the client goes away. Asked for lazily. */
  readonly signal: () => AbortSignal
  /** Sends a notification to the client before the answer; turns the answer into an event stream. */
  readonly notify: (note: JsonObject) => void
  readonly trail: Trail
}

export interface Authenticated extends Inbound {
  readonly [room]: 'authenticated' | 'session' | 'routed' | 'permitted' | 'inspected'
  readonly principal: Principal
  readonly plan: GatewayPlan
}

/** A legacy call bound to its session, or a modern one that has none. */
export interface InSession extends Authenticated {
  readonly [room]: 'session' | 'routed' | 'permitted' | 'inspected'
  readonly session: LegacySession | null
}

export interface LegacySession {
  readonly id: string
  readonly version: string
  readonly client: { readonly name: string | null; readonly version: string | null }
  readonly capabilities: JsonObject
}

/** The feature that is meant: which server has it, under which of its own names. */
export interface Feature {
  readonly kind: FeatureKind
  /** The upstream's own name, or its own URI. */
  readonly name: string
  /** What the client called it. */
  readonly publicName: string
  readonly assignment: AssignmentPlan
  /** The feature as the upstream last listed it; null when it is not in a list (a template’s resource). */
  readonly definition: JsonObject | null
}

export interface Routed extends InSession {
  readonly [room]: 'routed' | 'permitted' | 'inspected'
  readonly feature: Feature
}

export interface Permitted extends Routed {
  readonly [room]: 'permitted' | 'inspected'
}

/** Passed the rules of the request leg; `upstreamParams` is what the server will see. */
export interface Inspected extends Permitted {
  readonly [room]: 'inspected'
  readonly upstreamParams: JsonObject
}

/** The server has answered. */
export interface Answered {
  readonly call: Inspected
  readonly reply: UpstreamReply
}

/** Passed the rules of the response leg; made by `inspect` only. */
export interface Released {
  readonly [room]: 'released'
  readonly call: Inspected
  readonly result: JsonObject | null
  readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } | null
}

/** What goes back to the door: an HTTP status and a JSON-RPC answer (null for a notification). */
export interface Reply {
  readonly status: number
  readonly body: JsonObject | null
  readonly headers?: Readonly<Record<string, string>>
}
