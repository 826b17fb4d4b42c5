/**
 * For authors of webhook engines: the service behind an engine of the kind `webhook`. The gateway POSTs one JSON object for
 * each rule and leg, the service answers one; both at most 16 MiB, all attempts together at most 30 s. The contract in prose:
 * `docs/webhook-engines.md`.
 */
import { z } from 'zod'
import type { Json } from './call.js'
import type { JsonRpcMessage, JsonRpcResponse, WebhookRequest, WebhookResponse } from './webhook-types.js'

export { SIGNATURE_HEADER, signBody, verifySignature } from './signature.js'
export type { SignedBody } from './signature.js'
export type {
  JsonRpcId,
  JsonRpcMessage,
  JsonRpcRequest,
  JsonRpcResponse,
  WebhookMetadata,
  WebhookRequest,
  WebhookResponse,
} from './webhook-types.js'
export { hasTextBesideData, readData, readTexts, replaceData, replaceTexts } from './webhook-text.js'

/** The message goes on unchanged. */
export const pass = (): WebhookResponse => ({ verdict: 'pass' })
/** The message ends here; the client reads the reason. */
export const block = (reason?: string): WebhookResponse => ({
  verdict: 'block',
  ...(reason === undefined ? {} : { reason }),
})
/** `body` goes on in place of the message; take the `id` over from it (`replaceTexts` and `replaceData` do). */
export const modify = (body: JsonRpcMessage): WebhookResponse => ({ verdict: 'modify', modifiedPayload: { body } })
/** Could not tell: the rule's `onFailure` decides. */
export const undecided = (message?: string): WebhookResponse => ({
  verdict: 'error',
  ...(message === undefined ? {} : { message }),
})

const id = z.union([z.string(), z.number(), z.null()])
const object = z.record(z.string(), z.json())
const guid = z.string().nullable()
const request = z.object({
  metadata: z.looseObject({
    ruleEngineId: z.string(),
    userGuid: guid,
    gatewayGuid: guid,
    serverGuid: guid,
    direction: z.enum(['request', 'response']),
    method: z.string(),
    toolName: z.string().nullable(),
    ruleId: guid,
    correlationId: z.string(),
    timestamp: z.string(),
  }),
  body: z.union([
    z.object({ jsonrpc: z.literal('2.0'), id, method: z.string(), params: object }),
    z.object({ jsonrpc: z.literal('2.0'), id, result: object }),
  ]),
})

/** Reads the body of a request of the gateway, as text or parsed. Throws a `TypeError` that says what does not fit. */
export function parseWebhookRequest(body: unknown): WebhookRequest {
  const parsed = request.safeParse(typeof body === 'string' ? parseJson(body) : body)
  if (parsed.success) return parsed.data as WebhookRequest
  const [issue] = parsed.error.issues
  throw new TypeError(`not a request of the gateway: ${issue?.path.join('.') || 'it'} ${issue?.message}`)
}

/** Whether the message is an answer of the server, so that `body.result` is what to look at. */
export function isResponse(asked: WebhookRequest): asked is WebhookRequest<JsonRpcResponse> {
  return asked.metadata.direction === 'response'
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new TypeError('not a request of the gateway: it is not JSON')
  }
}
