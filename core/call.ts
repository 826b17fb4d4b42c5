import type { Credentials, Era, FeatureKind, JsonObject, Principal } from '@gatehouse/sdk'
import type { AssignmentPlan, GatewayPlan, Snapshot } from './domain/snapshot.js'
import type { GatehouseError } from './errors.js'
import type { Trail } from './record/trail.js'
import type { CancelSignal } from './domain/cancel-signal.js'
import type { Flow } from './domain/flow.js'
import type { Tolerance } from './mcp/classify.js'
import type { Ask } from './mcp/questions.js'
import type { Ability } from './upstream/ability.js'
import type { RpcError, Target, UpstreamReply } from './upstream/types.js'

/**
 * The types of a call on its way. Each room takes the type of the room before it and gives the next one (`room` tells
 * them apart), so that skipping a room does not compile.
 */
type At<Call, Room extends string> = Omit<Call, 'room'> & { readonly room: Room }

/**
 * Takes a call into the next room with what was found out. It stays one object from the door to the answer (a copy in each
 * room was a fifth of the cost of a call), so a room must not keep the call that it was given.
 */
export function enter<From extends { readonly room: string }, const Room extends string, Facts extends object>(
  call: From,
  room: Room,
  facts: Facts,
): Omit<From, 'room' | keyof Facts> & Facts & { readonly room: Room } {
  return Object.assign(call, facts, { room }) as unknown as Omit<From, 'room' | keyof Facts> &
    Facts & { readonly room: Room }
}

/** A request as the door read it: classified by era, nothing believed yet. */
export interface Inbound {
  readonly room: 'door'
  readonly era: Era
  /** The protocol version that the client speaks. */
  readonly version: string
  /** Absent for a notification. */
  readonly id: string | number | null
  readonly method: string
  readonly params: JsonObject
  /** The message as it came, for the record. */
  readonly text: string
  /** Set when the message is not valid: refused as soon as it is known that the caller may be told. */
  readonly fault: GatehouseError | null
  /** A fault of the client that is borne. */
  readonly tolerated: Tolerance | null
  readonly credentials: Credentials
  /** What stands in the URL after `/mcp/`; null at the picker. */
  readonly gatewayName: string | null
  readonly sessionId: string | null
  /** One of several that came in one array. */
  readonly batched: boolean
  readonly snapshot: Snapshot
  /** Milliseconds since the epoch. */
  readonly deadline: number
  /** Tells when the client goes away. */
  readonly gone: Gone
  /** Sends a notification before the answer, which turns the answer into an event stream; null: the client takes none. */
  readonly notify: ((note: JsonObject) => void) | null
  /** Asks the client before the answer; null: it cannot be asked on this message. */
  readonly ask: Ask | null
  /** The client's answer to a question of ours, when the message is one. */
  readonly answer: { readonly id: string | number; readonly body: JsonObject } | null
  /** How fast the client reads what `notify` sends; null where that is null. */
  readonly flow: Flow | null
  /** Ends the stream of the answer for now, where its client can take it up again; null: it takes no streams. */
  readonly interrupt: (() => void) | null
  /**
   * Tells the door whose call it is, and of which session: from now on its client can take it back. Throws when the caller may
   * have no more of its kind.
   */
  readonly joins: (principal: Principal, session: LegacySession | null, correlationId: string) => void
  readonly trail: Trail
}

/** The part of an `AbortSignal` that a call needs at every turn; a real one, which costs a hundred times more, on demand. */
export interface Gone extends CancelSignal {
  readonly signal: () => AbortSignal
}

/** The caller is known and has the right to this gateway. */
export interface Authenticated extends At<Inbound, 'authenticated'> {
  readonly principal: Principal
  readonly plan: GatewayPlan
}

/** A legacy call bound to its session, or one that has none. */
export interface InSession extends At<Authenticated, 'session'> {
  readonly session: LegacySession | null
  /** What servers are told that this client can do. */
  readonly ability: Ability
}

export interface LegacySession {
  readonly id: string
  readonly version: string
  readonly connectionId: string
  readonly gatewayId: string
  readonly client: { readonly name: string | null; readonly version: string | null }
  readonly capabilities: JsonObject
  /** As `logging/setLevel` said; null until then. */
  readonly logLevel: string | null
  /** Public URIs that `resources/subscribe` named. */
  readonly subscriptions: readonly string[]
}

/** The feature that is meant: which server has it, under which of its own names. */
export interface Feature {
  readonly kind: FeatureKind
  /** The upstream's own name, or its own URI. */
  readonly name: string
  /** What the client called it. */
  readonly publicName: string
  readonly assignment: AssignmentPlan
  /** The feature as the upstream last listed it; null when it stands in no list (a resource of a template). */
  readonly definition: JsonObject | null
}

/** It is known which server is meant, and the params are in its terms. */
export interface Routed extends At<InSession, 'routed'> {
  readonly feature: Feature
  readonly upstreamParams: JsonObject
}

/** The caller may use this feature now, and it is known with which credential. */
export interface Permitted extends At<Routed, 'permitted'> {
  readonly target: Target
}

/** Passed the rules of the request leg; `upstreamParams` is what the server will see. */
export type Inspected = At<Permitted, 'inspected'>

/** The server has answered. */
export interface Answered extends At<Inspected, 'answered'> {
  readonly reply: UpstreamReply
}

/** Passed the rules of the response leg: exactly one of `result` and `error` is what the client will see. */
export interface Released extends At<Answered, 'released'> {
  readonly result: JsonObject | null
  readonly error: RpcError | null
}

/** What goes back to the door. `text` is the JSON-RPC answer; null for what has none. */
export interface Reply {
  readonly status: number
  readonly text: string | null
  readonly headers: Readonly<Record<string, string>>
}
