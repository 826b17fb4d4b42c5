import type { JsonObject } from '@gatehouse/sdk'
import type { Answered, Inspected } from '../call.js'
import { asGatehouseError } from '../errors.js'
import { paramHeaders } from '../mcp/param-headers.js'
import { progressTokenOf } from '../mcp/translate.js'
import { isObject } from '../mcp/message.js'
import type { LegFacts } from '../record/trail.js'
import type { Upstreams } from '../upstream/types.js'

export type Forward = (call: Inspected, onNote: ((note: JsonObject) => void) | null) => Promise<Answered>

/** Calls the server with the credential that was lent, and writes the two legs in the middle of the record. */
export function createForward(upstreams: Upstreams, limits: () => { readonly callTotal: number }): Forward {
  return async (call, onNote) => {
    const sentAt = Date.now()
    const progressToken = onNote === null ? undefined : progressTokenOf(call.params)
    const headers = call.method === 'tools/call' ? headersOf(call) : undefined
    try {
      const reply = await upstreams.request(call.target, {
        method: call.method,
        params: call.upstreamParams,
        deadline: call.deadline,
        hardDeadline: call.trail.at + limits().callTotal,
        signal: call.signal(),
        ...(progressToken === undefined ? {} : { progressToken }),
        ...(headers === undefined ? {} : { paramHeaders: headers }),
        ...(onNote === null ? {} : { onNotification: onNote }),
      })
      const common = { ...serverFacts(call), httpStatus: reply.httpStatus }
      call.trail.leg('mcp_request_success', {
        ...serverFacts(call),
        offset: sentAt - call.trail.at,
        bytes: reply.bytesSent,
      })
      call.trail.leg(reply.error === null ? 'mcp_response_success' : 'mcp_response_error', {
        ...common,
        durationMs: Date.now() - sentAt,
        bytes: reply.bytesReceived,
        rpcError: reply.error?.code ?? null,
      })
      return { ...call, room: 'answered', reply }
    } catch (thrown) {
      throw failed(call, sentAt, thrown)
    }
  }
}

/** A server that was never reached got no request; any other failure is one of its answer. */
function failed(call: Inspected, sentAt: number, thrown: unknown): unknown {
  const error = asGatehouseError(thrown)
  const facts = { ...serverFacts(call), error: error.code, durationMs: Date.now() - sentAt }
  const offset = sentAt - call.trail.at
  if (error.code === 'GH_UPSTREAM_UNREACHABLE') call.trail.leg('mcp_request_error', { ...facts, offset })
  else {
    call.trail.leg('mcp_request_success', { ...serverFacts(call), offset })
    call.trail.leg('mcp_response_error', facts)
  }
  return thrown
}

function headersOf(call: Inspected): Readonly<Record<string, string>> | undefined {
  const { definition } = call.feature
  if (definition === null) return undefined
  const given = call.upstreamParams.arguments
  return paramHeaders(definition, isObject(given) ? given : {})
}

function serverFacts(call: Inspected): LegFacts {
  const { server, assignment, identity } = call.feature.assignment
  return {
    server,
    identityId: identity?.id ?? null,
    scheme: assignment.scheme.kind === 'per-user' ? 'per_user' : assignment.scheme.kind,
  }
}
