import { GatehouseError } from '../errors.js'
import type { ErrorCode } from '../errors.js'

export interface FaultFacts {
  /** For the log only. */
  readonly detail?: string
  readonly cause?: unknown
  /** True when the request surely never ran, so that asking again is harmless. */
  readonly retryable?: boolean
  readonly retryAfterMs?: number
  readonly httpStatus?: number
}

/** The detail of a refusal of our own: the server was not asked. */
export const NOT_SENT = 'it was not sent'

/** One way to say what a server did wrong: the message names the server and is fit for the client. */
export function fault(code: ErrorCode, slug: string, what: string, facts: FaultFacts = {}): GatehouseError {
  return new GatehouseError(code, {
    message: `Server "${slug}" ${what}`,
    ...(facts.detail === undefined ? {} : { detail: facts.detail }),
    ...(facts.cause === undefined ? {} : { cause: facts.cause }),
    data: {
      server: slug,
      retryable: facts.retryable ?? false,
      ...(facts.retryAfterMs === undefined ? {} : { retryAfterMs: facts.retryAfterMs }),
      ...(facts.httpStatus === undefined ? {} : { httpStatus: facts.httpStatus }),
    },
  })
}

/** The fault of a dial: whatever went wrong, the request that waited for it was never sent. */
export function neverSent(error: unknown): unknown {
  if (!(error instanceof GatehouseError) || error.data?.retryable === true) return error
  const { code, message, detail, cause, data } = error
  return new GatehouseError(code, {
    message,
    ...(detail === undefined ? {} : { detail }),
    ...(cause === undefined ? {} : { cause }),
    data: { ...data, retryable: true },
  })
}

export function brokenProtocol(slug: string, why: string, detail?: string): GatehouseError {
  return fault(
    'GH_UPSTREAM_PROTOCOL',
    slug,
    `broke the protocol: it sent ${why}`,
    detail === undefined ? {} : { detail },
  )
}

/** The beginning of what a server said where a protocol message was due; for the log only. */
export function gist(text: string): string {
  return text.slice(0, 1_000).replaceAll(/\s+/g, ' ').trim().slice(0, 200)
}

/** What undici, the operating system or the egress guard said, as one of ours. */
export function networkFault(slug: string, error: unknown, sent: boolean): GatehouseError {
  if (error instanceof GatehouseError) {
    if (error.code.startsWith('GH_UPSTREAM_')) return error
    return fault('GH_UPSTREAM_UNREACHABLE', slug, `cannot be reached: ${error.message}`, {
      cause: error,
      retryable: !sent,
    })
  }
  const code = codeOf(error)
  const isNotHttp = error instanceof Error && error.name === 'HTTPParserError'
  if (isNotHttp || code === 'UND_ERR_HEADERS_OVERFLOW')
    return fault('GH_UPSTREAM_PROTOCOL', slug, 'broke the protocol: its answer is not HTTP', {
      detail: code,
      cause: error,
    })
  if (code === 'UND_ERR_BODY_TIMEOUT')
    return fault('GH_UPSTREAM_TIMEOUT', slug, 'fell silent in the middle of its answer', { cause: error })
  if (!sent || NEVER_CONNECTED.has(code))
    return fault('GH_UPSTREAM_UNREACHABLE', slug, `cannot be reached (${code})`, { cause: error, retryable: true })
  return fault('GH_UPSTREAM_UNREACHABLE', slug, 'closed the connection before it answered', {
    detail: code,
    cause: error,
  })
}

const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'unknown cause'
}

/**
 * The connection is of no use any more and the request surely did not run: open a new one and send it once again.
 * `session`: the server does not know our session. `era`: the server speaks the other era than we thought. `transport`: the
 * server is not to be initialized by POST; it may have the two endpoints of 2024-11-05.
 */
export class PeerLost extends Error {
  override readonly name = 'PeerLost'
  constructor(
    readonly why: 'session' | 'era' | 'transport',
    readonly fault: GatehouseError,
  ) {
    super(fault.message)
  }
}
