import type { JsonObject } from '@gatehouse/sdk'
import { enter, type Answered, type Inspected } from '../call.js'
import { asGatehouseError } from '../errors.js'
import { paramHeaders } from '../mcp/param-headers.js'
import { progressTokenOf } from '../mcp/translate.js'
import { isObject } from '../mcp/message.js'
import { wayOf } from '../record/trail.js'
import { NOT_SENT } from '../upstream/faults.js'
import type { Upstreams } from '../upstream/types.js'

export type Forward = (call: Inspected, onNote: ((note: JsonObject) => void) | null) => Promise<Answered>

/** Calls the server with the credential that was lent, and writes the two legs in the middle of the record. */
export function createForward(upstreams: Upstreams, limits: () => { readonly callTotal: number }): Forward {
  return async (call, onNote) => {
    const sentAt = Date.now()
    try {
      const reply = await upstreams.request(call.target, {
        method: call.method,
        params: call.upstreamParams,
        deadline: call.deadline,
        hardDeadline: call.trail.at + limits().callTotal,
        signal: call.gone,
        progressToken: onNote === null ? undefined : progressTokenOf(call.params),
        paramHeaders: call.method === 'tools/call' ? headersOf(call) : undefined,
        onNotification: onNote ?? undefined,
      })
      const way = wayOf(call.feature.assignment)
      call.trail.leg('mcp_request_success', { offset: sentAt - call.trail.at, bytes: reply.bytesSent }, way)
      const rpcError = reply.error?.code ?? null
      call.trail.leg(
        rpcError === null ? 'mcp_response_success' : 'mcp_response_error',
        { durationMs: Date.now() - sentAt, bytes: reply.bytesReceived, httpStatus: reply.httpStatus, rpcError },
        way,
      )
      return enter(call, 'answered', { reply })
    } catch (thrown) {
      throw failed(call, sentAt, thrown)
    }
  }
}

/** What surely was not sent is a failed request; any other failure is one of the answer: the server may have acted. */
function failed(call: Inspected, sentAt: number, thrown: unknown): unknown {
  const error = asGatehouseError(thrown)
  const way = wayOf(call.feature.assignment)
  const facts = { error: error.code, durationMs: Date.now() - sentAt }
  const offset = sentAt - call.trail.at
  const isAnswer = error.code === 'GH_UPSTREAM_RATE_LIMITED' && error.detail !== NOT_SENT
  if (error.data?.retryable === true && !isAnswer) call.trail.leg('mcp_request_error', { ...facts, offset }, way)
  else {
    call.trail.leg('mcp_request_success', { offset }, way)
    call.trail.leg('mcp_response_error', facts, way)
  }
  return thrown
}

function headersOf(call: Inspected): Readonly<Record<string, string>> | undefined {
  const { definition } = call.feature
  if (definition === null) return undefined
  const given = call.upstreamParams.arguments
  return paramHeaders(definition, isObject(given) ? given : {})
}
