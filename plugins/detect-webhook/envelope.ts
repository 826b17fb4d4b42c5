import type { CallContext, EvaluateRequest, Json, JsonObject } from '@gatehouse/sdk'
import type { JsonRpcMessage, WebhookMetadata, WebhookRequest } from '@gatehouse/sdk/webhook'

/** Whose rule asks. */
export interface Asker {
  readonly engineId: string
  readonly ruleId: string | null
}

type Asked = Pick<EvaluateRequest, 'leg' | 'message'> & {
  readonly context: Pick<CallContext, 'correlationId' | 'method' | 'rpcId' | 'server' | 'feature' | 'user'> & {
    readonly gateway: CallContext['gateway'] | null
  }
}

/** What the engine is sent. `now` is milliseconds since the epoch. */
export function envelopeOf({ engineId, ruleId }: Asker, { leg, message, context }: Asked, now: number): WebhookRequest {
  const metadata: WebhookMetadata = {
    ruleEngineId: engineId,
    userGuid: context.user?.id ?? null,
    gatewayGuid: context.gateway?.id ?? null,
    serverGuid: context.server?.id ?? null,
    direction: leg,
    method: context.method,
    toolName: context.feature?.kind === 'tool' ? context.feature.name : null,
    ruleId,
    correlationId: context.correlationId,
    timestamp: new Date(now).toISOString(),
  }
  return { metadata, body: bodyOf(leg, message as JsonObject, context) }
}

function bodyOf(leg: Asked['leg'], message: JsonObject, { rpcId, method }: Asked['context']): JsonRpcMessage {
  return leg === 'request'
    ? { jsonrpc: '2.0', id: rpcId, method, params: message }
    : { jsonrpc: '2.0', id: rpcId, result: message }
}

/** A message that holds the text, where there is no call: nobody's, at no gateway. */
export function sampleOf(leg: Asked['leg'], text: string, correlationId: string): Asked {
  const message: Json =
    leg === 'request' ? { name: 'test', arguments: { text } } : { content: [{ type: 'text', text }] }
  const feature = { kind: 'tool', name: 'test' } as const
  const context = { correlationId, method: 'tools/call', rpcId: 1, gateway: null, server: null, feature, user: null }
  return { leg, message, context }
}
