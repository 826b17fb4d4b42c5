import type { JsonObject, LogType } from '@gatehouse/sdk'
import type { Inbound, InSession, Released, Reply } from '../call.js'
import { asGatehouseError, type GatehouseError, HIDDEN, retryAfter } from '../errors.js'
import type { RpcError } from '../upstream/types.js'
import { writeJson } from '../mcp/json.js'
import { isObject } from '../mcp/message.js'

/** An answer with what the record says of it. */
export interface Response {
  readonly reply: Reply
  readonly outcome: LogType
  readonly rpcError: number | null
  readonly error: string | null
  /** Whether the answer's text may stand in the record. */
  readonly keepsBody: boolean
}

/** The only place that shapes answers and errors, in the era of the caller. */
export interface Respond {
  released(call: Released): Response
  own(call: InSession, result: JsonObject, headers: Readonly<Record<string, string>>): Response
  /** What a stream begins with that is the answer itself. */
  opened(first: JsonObject): Response
  accepted(): Response
  refused(call: Inbound, thrown: unknown): Response
}

const NO_HEADERS = Object.freeze({})
const MODERN_NOT_FOUND = -32602
const LEGACY_NOT_FOUND = -32002
const INTERNAL = -32603
const UNABLE = -32021

export function createRespond(resourceMetadata: (gatewayName: string | null) => string): Respond {
  return {
    released(call) {
      const error = call.error === null ? null : translateError(call.error, call)
      if (error === null) return done(call, call.result ?? {}, NO_HEADERS)
      if (isUrlForOlder(error, call)) return sentToUrl(call, error)
      // 2026-07-28: a client that lacks a capability is told by the status too.
      const status = error.code === UNABLE && call.era === 'modern' ? 400 : 200
      return { ...rpcFailure(call, status, error, NO_HEADERS), error: 'upstream_error' }
    },
    own: (call, result, headers) => done(call, result, headers),
    opened: (first) => ({
      reply: { status: 200, text: writeJson(first), headers: NO_HEADERS },
      outcome: 'proxy_response_success',
      rpcError: null,
      error: null,
      keepsBody: true,
    }),
    accepted: () => ({
      reply: { status: 202, text: null, headers: NO_HEADERS },
      outcome: 'proxy_response_success',
      rpcError: null,
      error: null,
      keepsBody: false,
    }),
    refused: (call, thrown) => refuse(call, asGatehouseError(thrown), resourceMetadata),
  }
}

function done(call: Inbound | InSession | Released, result: JsonObject, headers: Reply['headers']): Response {
  const text = `{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},"result":${writeJson(result)}}`
  return {
    reply: { status: 200, text, headers },
    outcome: 'proxy_response_success',
    rpcError: null,
    error: null,
    keepsBody: true,
  }
}

/**
 * An unknown resource has another code in each era: -32002 in every legacy revision (Resources, "Error Handling"), -32602
 * from 2026-07-28 on. Legacy servers say either (SEP-2164 counts them); of this method, whose params were checked at the
 * door, nothing but the URI can be meant. The client reads its own URI.
 */
function translateError(error: RpcError, call: Released): RpcError {
  if (call.method !== 'resources/read') return error
  if (error.code !== LEGACY_NOT_FOUND && error.code !== MODERN_NOT_FOUND) return error
  const code = call.era === 'modern' ? MODERN_NOT_FOUND : LEGACY_NOT_FOUND
  return { ...error, code, data: { ...(error.data as object | undefined), uri: call.feature.publicName } }
}

const URL_REQUIRED = -32042

/** Only 2025-11-25 has an error that sends its client to a URL; the modern era asks. */
const isUrlForOlder = ({ code }: RpcError, { era, version, method }: Released): boolean =>
  code === URL_REQUIRED && era === 'legacy' && version < '2025-11-25' && method === 'tools/call'

/** A model can pass on to its person where to go. */
function sentToUrl(call: Released, { code, message, data }: RpcError): Response {
  const named = isObject(data) && Array.isArray(data.elicitations) ? data.elicitations.filter(isObject) : []
  const lines = named.flatMap(({ url, message: why }) =>
    typeof url === 'string' ? [`${typeof why === 'string' ? `${why}: ` : ''}${url}`] : [],
  )
  const result = { content: [{ type: 'text', text: [message, ...lines].join('\n') }], isError: true }
  const answer = done(call, result, NO_HEADERS)
  return { ...answer, outcome: 'proxy_response_error', rpcError: code, error: 'upstream_error' }
}

function refuse(call: Inbound, error: GatehouseError, resourceMetadata: (name: string | null) => string): Response {
  const outcome = outcomeOf(error)
  const facts = { outcome, error: error.code, keepsBody: false }
  if (error.code === 'GH_INSPECT_BLOCKED' && call.method === 'tools/call')
    return { ...done(call, blockedResult(call, error), NO_HEADERS), ...facts, keepsBody: true }
  const isModern = call.era === 'modern'
  const isUnable = error.code === 'GH_FORWARD_CAPABILITY' && !isModern
  // Only the modern era has an error for it; a model that reads why can do without the tool.
  if (isUnable && call.method === 'tools/call')
    return { ...done(call, blockedResult(call, error), NO_HEADERS), ...facts, keepsBody: true }
  const rpc: RpcError = {
    code: isUnable ? INTERNAL : error.code === 'GH_ROUTE_RESOURCE' && !isModern ? LEGACY_NOT_FOUND : error.entry.rpc,
    message: error.message,
    ...dataOf(error),
  }
  // Only the modern era gives the HTTP status of an unknown method a meaning.
  const status = !isModern && (isUnable || error.code === 'GH_DOOR_UNKNOWN_METHOD') ? 200 : error.entry.http
  return {
    ...rpcFailure(call, status, rpc, headersOf(error, call, resourceMetadata)),
    ...facts,
    keepsBody: status === 200,
  }
}

function rpcFailure(call: Inbound | Released, status: number, error: RpcError, headers: Reply['headers']): Response {
  const text = writeJson({ jsonrpc: '2.0', id: call.id, error })
  return {
    reply: { status, text, headers },
    outcome: 'proxy_response_error',
    rpcError: error.code,
    error: null,
    keepsBody: true,
  }
}

/** Models read a result better than a protocol error; it names the rule and nothing of what matched. */
function blockedResult(call: Inbound, error: GatehouseError): JsonObject {
  const result = { content: [{ type: 'text', text: error.message }], isError: true }
  return call.era === 'modern' ? { ...result, resultType: 'complete' } : result
}

function dataOf(error: GatehouseError): { data?: unknown } {
  const { reason } = error.entry
  if (reason === undefined && error.data === undefined) return {}
  return { data: { ...(reason === undefined ? {} : { reason }), ...error.data } }
}

/**
 * What a refusal says in its headers. RFC 6750, section 3, and RFC 9728, section 5.1: a challenge always has an absolute
 * `resource_metadata`. A step-up (403) names every scope that the call needs, since clients ask for exactly those.
 */
function headersOf(
  error: GatehouseError,
  call: Inbound,
  resourceMetadata: (name: string | null) => string,
): Reply['headers'] {
  const isStepUp = error.code === 'GH_PERMIT_SCOPE'
  if (error.entry.http !== 401 && !isStepUp) return retryAfter(error)
  const why = isStepUp ? 'insufficient_scope' : error.code === 'GH_AUTHENTICATE_MISSING' ? null : 'invalid_token'
  const parts = [
    ...(why === null ? [] : [`error="${why}"`]),
    `scope="${isStepUp && typeof error.data?.scope === 'string' ? error.data.scope : 'mcp'}"`,
    `resource_metadata="${resourceMetadata(call.gatewayName)}"`,
  ]
  return { 'www-authenticate': `Bearer ${parts.join(', ')}` }
}

function outcomeOf(error: GatehouseError): LogType {
  switch (error.code) {
    case 'GH_AUTHENTICATE_MISSING':
    case 'GH_AUTHENTICATE_INVALID':
    case 'GH_AUTHENTICATE_DISABLED':
    case 'GH_PERMIT_REFUSED':
    case 'GH_PERMIT_SCOPE':
      return 'auth_refused'
    case 'GH_INSPECT_BLOCKED':
      return error.detail === 'undecided' ? 'policy_enforced_error' : 'policy_enforced_abort'
    case 'GH_PERMIT_DISABLED':
      return 'gateway_feature_blocked'
    case 'GH_ROUTE_FEATURE':
    case 'GH_ROUTE_RESOURCE':
      return error.detail?.startsWith(HIDDEN) ? 'gateway_feature_blocked' : 'proxy_response_error'
    default:
      return 'proxy_response_error'
  }
}
