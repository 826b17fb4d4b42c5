import type { Era, JsonObject, Principal } from '@gatehouse/sdk'
import type { Bearer } from '../domain/bearer.js'
import type { CancelSignal } from '../domain/cancel-signal.js'
import type { Flow } from '../domain/flow.js'
import type { Server } from '../domain/nouns.js'
import type { OnProgress, Question, QuestionAnswer } from '../mcp/questions.js'
import type { Ability } from './ability.js'

/** Which server, and as whom. `key` names the credential (`public`, an identity's id): one process or session pool each. */
export interface Target {
  readonly server: Server
  readonly key: string
  /** What the server is told that its client can do; connections and lists differ by it. */
  readonly ability: Ability
  /** The token that goes with every request to it; asked each time, for it is renewed while connections live. */
  readonly bearer?: Bearer | undefined
  /** Opens the secrets; called only when the server is dialled, and again after a 401. */
  readonly secrets: () => Promise<{
    readonly headers: Readonly<Record<string, string>>
    readonly env: Readonly<Record<string, string>>
  }>
}

/** What a server says of itself, whichever era it speaks. */
export interface ServerInfo {
  readonly era: Era
  /** The negotiated version, e.g. `2025-11-25`. */
  readonly version: string
  readonly capabilities: JsonObject
  readonly serverInfo: JsonObject
  readonly instructions: string | null
}

export interface UpstreamRequest {
  readonly method: string
  /** Params as the upstream shall see them, without our reserved `_meta` keys. */
  readonly params: JsonObject
  /** Milliseconds since the epoch. */
  readonly deadline: number
  /**
   * With it, every progress note of the server grants the first span (`deadline` minus now) anew, at most until here.
   * Without it `deadline` is final.
   */
  readonly hardDeadline?: number | undefined
  readonly signal?: CancelSignal | undefined
  /** Set when the client gave one: ours is sent instead, and restored on the notes that come back. */
  readonly progressToken?: string | number | undefined
  /** `Mcp-Param-*` headers of the modern era, recomputed from the arguments. */
  readonly paramHeaders?: Readonly<Record<string, string>> | undefined
  /** Notifications that belong to this request (progress, message), in order, before the reply. */
  readonly onNotification?: ((note: JsonObject) => void) | undefined
  /** How fast the client reads those notifications: while it is full, no more is read of the answer's stream. */
  readonly flow?: Flow | undefined
  /** Told when the server ends the stream of its answer before it, to go on at another (2025-11-25, SSE polling). */
  readonly onCut?: (() => void) | undefined
  /** How to ask the client back; without it a server's question is refused. */
  readonly conversation?: Conversation | undefined
  /** The least level of log notes that the client wants; null: none; absent: as the server likes. */
  readonly logLevel?: string | null | undefined
}

/** A client of the legacy eras, in its session, at one gateway. */
export interface Party {
  readonly sessionId: string
  readonly gatewayId: string
  readonly principal: Principal
}

/** Lets a server of the legacy eras ask while it works on a request; one of the modern era asks in its result. */
export interface Conversation {
  /** The legacy session that it belongs to; null: this request gets an upstream session of its own. */
  readonly party: Party | null
  /** Whose request it is. An upstream session that served it serves nobody else's: it may still ask what it asked for. */
  readonly whose: string
  /**
   * `signal` tells that the server took its question back, or the request has ended; `onProgress` stands where the server
   * gave a token.
   */
  readonly onQuestion: (question: Question, signal: CancelSignal, onProgress?: OnProgress) => Promise<QuestionAnswer>
}

/** An answer of the server: a result, or the server's own JSON-RPC error. Unknown fields are kept. */
export interface UpstreamReply {
  readonly result: JsonObject | null
  readonly error: RpcError | null
  readonly era: Era
  readonly httpStatus: number | null
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Told when its client does not get to see it: what it asks for will not come. */
  readonly unseen?: (() => void) | undefined
}

export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/**
 * Every upstream server behind one interface, whatever its era and transport. What cannot be answered throws a
 * `GatehouseError` of the family `GH_UPSTREAM_*`, naming the server.
 */
export interface Upstreams {
  request(target: Target, request: UpstreamRequest): Promise<UpstreamReply>
  /** Era, capabilities and instructions; cached, dialled when unknown. */
  info(target: Target, deadline: number): Promise<ServerInfo>
  /** Closes what was opened for a client session. */
  endSession(sessionId: string): void
  /** Passes on what a client tells all servers of its session. */
  toldBySession(sessionId: string, note: JsonObject): void
  /**
   * Has a server tell of these resources and of no others, where it speaks the modern era; answers of which it will. Settles
   * when it can tell of changed lists as well, of whatever era it is.
   */
  listen(target: Target, uris: ReadonlySet<string>, deadline: number): Promise<ReadonlySet<string>>
  /** Told when a server says that a list changed; `missed`: it may have said so while nobody heard it. */
  onListChanged(
    listener: (serverId: string, kind: 'tools' | 'prompts' | 'resources', why: 'said' | 'missed') => void,
  ): void
  /** Told when the shared connection of a target was lost or opened anew: what the server was to tell, it has forgotten. */
  onForgotten(listener: (target: Target) => void): void
  /** The server, or with `key` a credential of it, was changed: from now on it is called anew. What is under way ends by itself. */
  replace(serverId: string, key?: string): void
  /** Ends what belongs to a server, calls under way too: it was disabled or removed. */
  forget(serverId: string): Promise<void>
  /** How a server fares, for health and lists. */
  state(serverId: string): {
    readonly up: boolean | null
    readonly reason: string | null
    readonly since: number | null
  }
  stop(): Promise<void>
}
