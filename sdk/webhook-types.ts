import type { JsonObject } from './call.js'

export type JsonRpcId = string | number | null

/** A call on its way to the server (`direction` is `request`). For `tools/call` the arguments stand in `params.arguments`. */
export interface JsonRpcRequest {
  readonly jsonrpc: '2.0'
  readonly id: JsonRpcId
  readonly method: string
  readonly params: JsonObject
}

/**
 * What the server answered, on its way to the client (`direction` is `response`). For `tools/call` the result has `content`, a list
 * of blocks, and perhaps `structuredContent`; what a server says in the middle of a call has the latter alone.
 */
export interface JsonRpcResponse {
  readonly jsonrpc: '2.0'
  readonly id: JsonRpcId
  readonly result: JsonObject
}

export type JsonRpcMessage = JsonRpcRequest | JsonRpcResponse

/** Who called what. Members may be added at any time: heed those that you know. Ids are UUIDs of the gateway. */
export interface WebhookMetadata {
  /** The engine as it is registered. */
  readonly ruleEngineId: string
  /** The person who calls; null for a call of a service. */
  readonly userGuid: string | null
  readonly gatewayGuid: string | null
  /** The MCP server that is called. */
  readonly serverGuid: string | null
  readonly direction: 'request' | 'response'
  /** The JSON-RPC method, also where the body is a response. */
  readonly method: string
  /** The server's own name of the tool; null for what is no tool. */
  readonly toolName: string | null
  /** The rule that asks; null when the engine is only tried. */
  readonly ruleId: string | null
  /** The same in every request about one call, and in the gateway's log. */
  readonly correlationId: string
  /** ISO 8601, when the gateway asked. */
  readonly timestamp: string
}

/** What the gateway sends: exactly these two members. */
export interface WebhookRequest<Body extends JsonRpcMessage = JsonRpcMessage> {
  readonly metadata: WebhookMetadata
  readonly body: Body
}

/**
 * What an engine answers, with any 2xx status.
 *
 * - `pass`: the message goes on unchanged.
 * - `block`: it ends here. The client reads `reason`, at most 500 characters: no secret in it, and nothing of the message.
 * - `modify`: `modifiedPayload.body` goes on in its place: a whole message with the same `id`, not a patch.
 * - `error`: could not decide. The rule's `onFailure` does; `message` is shown when the engine is tested and nowhere else.
 */
export type WebhookResponse =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'block'; readonly reason?: string }
  | { readonly verdict: 'modify'; readonly modifiedPayload: { readonly body: JsonRpcMessage } }
  | { readonly verdict: 'error'; readonly message?: string }
