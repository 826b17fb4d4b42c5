/**
 * The catalogue of failures: HTTP status (before a JSON-RPC answer is possible, or for the admin API), JSON-RPC code and
 * `data.reason` at the MCP door. One line each; `ERRORS.md` is compared with it by a test.
 */
export const ERRORS = {
  GH_DOOR_TOO_LARGE: { http: 413, rpc: -32600, summary: 'The request body is over the limit.' },
  GH_DOOR_NOT_JSON: { http: 400, rpc: -32700, summary: 'The body is not JSON.' },
  GH_DOOR_NOT_RPC: { http: 400, rpc: -32600, summary: 'The body is not a JSON-RPC message of this era.' },
  GH_DOOR_MEDIA_TYPE: { http: 415, rpc: -32600, summary: 'The body must be application/json.' },
  GH_DOOR_ACCEPT: { http: 406, rpc: -32600, summary: 'Accept allows neither JSON nor an event stream.' },
  GH_DOOR_METHOD: { http: 405, rpc: -32600, summary: 'This verb is not served here.' },
  GH_DOOR_ORIGIN: { http: 403, rpc: -32600, summary: 'Origin or Host is not ours (DNS rebinding).' },
  GH_DOOR_HOP: { http: 421, rpc: -32600, summary: 'What another replica passed on does not hold here.' },
  GH_DOOR_BUSY: { http: 429, rpc: -32600, summary: 'Too many open streams; come back later.' },
  GH_DOOR_STREAM_GONE: { http: 400, rpc: -32600, summary: 'The stream is gone; send the request again.' },
  GH_DOOR_DRAINING: { http: 503, rpc: -32600, summary: 'The gateway is shutting down; try another replica.' },
  GH_DOOR_HEADER_MISMATCH: { http: 400, rpc: -32020, summary: 'A header of the modern era is missing or differs.' },
  GH_DOOR_ENVELOPE: { http: 400, rpc: -32602, summary: 'A required field of the modern envelope is missing.' },
  GH_DOOR_VERSION: { http: 400, rpc: -32022, summary: 'This protocol version is not served.' },
  GH_DOOR_UNKNOWN_METHOD: { http: 404, rpc: -32601, summary: 'Unknown method.' },
  GH_DOOR_PARAMS: { http: 200, rpc: -32602, summary: 'The params do not fit the method.' },
  GH_AUTHENTICATE_MISSING: { http: 401, rpc: -32600, summary: 'No credential was sent.' },
  GH_AUTHENTICATE_INVALID: { http: 401, rpc: -32600, summary: 'The credential is unknown, expired or revoked.' },
  GH_AUTHENTICATE_DISABLED: { http: 403, rpc: -32600, summary: 'User, host, connection or gateway is disabled.' },
  GH_SESSION_UNKNOWN: { http: 404, rpc: -32600, summary: 'The session is unknown, ended or another’s.' },
  GH_SESSION_NEEDED: { http: 400, rpc: -32600, summary: 'This method needs a session.' },
  GH_ROUTE_GATEWAY: { http: 404, rpc: -32600, summary: 'No such gateway.' },
  GH_ROUTE_FEATURE: { http: 200, rpc: -32602, summary: 'Unknown or hidden feature.' },
  GH_ROUTE_RESOURCE: { http: 200, rpc: -32602, summary: 'Unknown or hidden resource.' },
  GH_PERMIT_REFUSED: { http: 403, rpc: -32600, summary: 'No right to this gateway.' },
  GH_PERMIT_SCOPE: { http: 403, rpc: -32600, summary: 'The token lacks a scope that the call needs.' },
  GH_PERMIT_DISABLED: { http: 200, rpc: -32603, reason: 'server_disabled', summary: 'The server is disabled.' },
  GH_INSPECT_BLOCKED: { http: 200, rpc: -32603, reason: 'blocked_by_rule', summary: 'A rule blocked the message.' },
  GH_INSPECT_DEPTH: { http: 200, rpc: -32602, summary: 'The message is nested too deeply.' },
  GH_FORWARD_CONNECT: { http: 200, rpc: -32603, reason: 'connect_required', summary: 'A credential has to be given.' },
  GH_FORWARD_URL: {
    http: 200,
    rpc: -32042,
    summary: 'A person has to open a URL first, to give a credential.',
  },
  GH_FORWARD_CAPABILITY: {
    http: 400,
    rpc: -32021,
    reason: 'client_capability',
    summary: 'The server asks for what the client cannot do.',
  },
  GH_FORWARD_UNANSWERED: { http: 200, rpc: -32603, summary: 'The client did not answer a question of the server.' },
  GH_FORWARD_ROUNDS: { http: 200, rpc: -32603, reason: 'input_rounds', summary: 'The server asked too many times.' },
  GH_FORWARD_STATE: { http: 200, rpc: -32602, summary: 'The requestState is not valid here, or no longer.' },
  GH_FORWARD_STATE_SIZE: {
    http: 200,
    rpc: -32603,
    reason: 'state_too_large',
    summary: "The server's requestState is over the limit.",
  },
  GH_FORWARD_PARKED_LOST: {
    http: 200,
    rpc: -32603,
    reason: 'parked_call_lost',
    summary: 'The waiting call is gone with its replica; call again.',
  },
  GH_UPSTREAM_UNREACHABLE: { http: 200, rpc: -32603, reason: 'server_unreachable', summary: 'The server is down.' },
  GH_UPSTREAM_TIMEOUT: {
    http: 200,
    rpc: -32603,
    reason: 'server_timeout',
    summary: 'The server did not answer in time.',
  },
  GH_UPSTREAM_PROTOCOL: {
    http: 200,
    rpc: -32603,
    reason: 'server_unreachable',
    summary: 'The server broke the protocol.',
  },
  GH_UPSTREAM_TOO_LARGE: {
    http: 200,
    rpc: -32603,
    reason: 'server_unreachable',
    summary: 'The answer is over the limit.',
  },
  GH_UPSTREAM_RATE_LIMITED: {
    http: 200,
    rpc: -32603,
    reason: 'rate_limited',
    summary: 'The server asks for patience.',
  },
  GH_UPSTREAM_AUTH: {
    http: 200,
    rpc: -32603,
    reason: 'connect_required',
    summary: 'The server refused the credential.',
  },
  GH_UPSTREAM_SIGN_IN: {
    http: 200,
    rpc: -32603,
    reason: 'server_unreachable',
    summary: "The server's sign-in cannot be reached, so its access could not be renewed. Try again soon.",
  },
  GH_UPSTREAM_CANCELLED: { http: 200, rpc: -32603, summary: 'The caller took the request back.' },
  GH_EGRESS_REFUSED: { http: 400, rpc: -32603, summary: 'The address is not one that the gateway may call.' },
  GH_EGRESS_REDIRECT: { http: 502, rpc: -32603, summary: 'The other side redirects, which is never followed.' },
  GH_EGRESS_UNREACHABLE: { http: 502, rpc: -32603, summary: 'The other side could not be connected.' },
  GH_EGRESS_FAILED: { http: 502, rpc: -32603, summary: 'The exchange with the other side broke off.' },
  GH_EGRESS_TIMEOUT: { http: 504, rpc: -32603, summary: 'The other side did not answer in time.' },
  GH_EGRESS_TOO_LARGE: { http: 502, rpc: -32603, summary: 'The answer of the other side is over the limit.' },
  GH_VAULT_KEY: { http: 500, rpc: -32603, summary: 'A master key is missing or malformed.' },
  GH_VAULT_OPEN: { http: 500, rpc: -32603, summary: 'A sealed secret does not open.' },
  GH_VAULT_UNKNOWN_KEY: { http: 500, rpc: -32603, summary: 'A secret is sealed with a master key that is not here.' },
  GH_RECORD_FULL: { http: 503, rpc: -32603, summary: 'The record cannot be written (strict audit).' },
  GH_RECORD_HELD: { http: 500, rpc: -32603, summary: 'Another process writes to this record folder.' },
  GH_CONFIG_INVALID: { http: 400, rpc: -32603, summary: 'The configuration is not valid.' },
  GH_CONFIG_SECRET: { http: 400, rpc: -32603, summary: 'A secret reference cannot be resolved.' },
  GH_HOST_PLUGIN: { http: 500, rpc: -32603, summary: 'A plugin cannot be started.' },
  GH_HOOK_FAULT: { http: 500, rpc: -32603, summary: 'A plugin failed and the call was refused.' },
  GH_DB_UNAVAILABLE: { http: 503, rpc: -32603, summary: 'The database is away.' },
  GH_DB_EMBEDDED: { http: 500, rpc: -32603, summary: 'The embedded database cannot be used.' },
  GH_DB_HELD: { http: 500, rpc: -32603, summary: 'Another process holds this data folder.' },
  GH_API_UNAUTHORIZED: { http: 401, rpc: -32600, summary: 'The admin token is missing, unknown or expired.' },
  GH_API_FORBIDDEN: { http: 403, rpc: -32600, summary: 'A capability is missing.' },
  GH_API_NOT_FOUND: { http: 404, rpc: -32600, summary: 'No such thing.' },
  GH_API_CONFLICT: { http: 409, rpc: -32600, summary: 'It is taken, in use, or managed by the file.' },
  GH_API_INVALID: { http: 400, rpc: -32602, summary: 'The request is not valid; the field is named.' },
  GH_BACKTEST_BUSY: {
    http: 429,
    rpc: -32600,
    summary: 'Too many backtests wait at this gateway. Try again when one has ended.',
  },
  GH_BACKTEST_FAILED: { http: 500, rpc: -32603, summary: 'The backtest broke; the log has the cause.' },
  GH_PAGE_FORM: {
    http: 403,
    rpc: -32600,
    summary: 'This form was not opened here, or someone signed in or out since. Open the page again.',
  },
  GH_PAGE_GONE: { http: 410, rpc: -32600, summary: 'This link or page has expired or was used already.' },
  GH_PAGE_DISABLED: { http: 403, rpc: -32600, summary: 'This account is disabled. Ask an administrator to enable it.' },
  GH_PAGE_REFUSED: { http: 403, rpc: -32600, summary: 'That was refused. Go back and try another way.' },
  GH_PAGE_BUSY: { http: 503, rpc: -32600, summary: 'Too many people are signing in just now. Try again in a moment.' },
  GH_PAGE_RATE_LIMITED: { http: 429, rpc: -32600, summary: 'Too many tries. Wait a little and try again.' },
  GH_SSO_REFUSED: { http: 403, rpc: -32600, summary: 'The sign-in at the identity provider does not let you in here.' },
  GH_SSO_UNAVAILABLE: { http: 503, rpc: -32603, summary: 'The identity provider cannot be reached just now.' },
  GH_SSO_UNKNOWN: { http: 404, rpc: -32600, summary: 'There is no such identity provider. Begin at the sign-in page.' },
  GH_SSO_REQUIRED: { http: 403, rpc: -32600, summary: 'People of your domain sign in at their identity provider.' },
  GH_INTERNAL: { http: 500, rpc: -32603, summary: 'Something unforeseen; the log has the cause.' },
} as const satisfies Record<string, ErrorEntry>

export interface ErrorEntry {
  readonly http: number
  readonly rpc: number
  readonly reason?: string
  readonly summary: string
}
export type ErrorCode = keyof typeof ERRORS

/** How the detail begins of what a client is told to be unknown, and is hidden: only the record tells the difference. */
export const HIDDEN = 'hidden:'

/** `message` is fit for a stranger; `detail` is for the log and never leaves; `data` goes beside `reason` to the client. */
export class GatehouseError extends Error {
  override readonly name = 'GatehouseError'
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly data: Readonly<Record<string, unknown>> | undefined

  constructor(
    code: ErrorCode,
    facts: { message?: string; detail?: string; cause?: unknown; data?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(facts.message ?? ERRORS[code].summary, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.detail = facts.detail
    this.data = facts.data
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code]
  }
}

/** The header of a refusal that passes by itself (RFC 9110, section 10.2.3). */
export function retryAfter({ entry, data }: GatehouseError): Readonly<Record<string, string>> {
  const ms = data?.retryAfterMs
  return entry.http === 429 && typeof ms === 'number' ? { 'retry-after': String(Math.ceil(ms / 1000)) } : {}
}

/** Whatever was thrown, as one of ours; the unforeseen becomes `GH_INTERNAL` with its cause kept for the log. */
export function asGatehouseError(thrown: unknown): GatehouseError {
  if (thrown instanceof GatehouseError) return thrown
  // JSON is parsed without recursion, and written with it: what exhausts the stack is a message nested beyond all reason.
  const isTooDeep = thrown instanceof RangeError && thrown.message.startsWith('Maximum call stack size exceeded')
  return new GatehouseError(isTooDeep ? 'GH_INSPECT_DEPTH' : 'GH_INTERNAL', { cause: thrown })
}
