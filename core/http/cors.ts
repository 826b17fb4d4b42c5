import type { IncomingMessage, ServerResponse } from 'node:http'

/** What a browser's client may read of an answer beside its body. */
const EXPOSED = 'Mcp-Session-Id, WWW-Authenticate'
const METHODS = 'GET, POST, DELETE, OPTIONS'
const ALLOWED = [
  'Authorization',
  'Content-Type',
  'Accept',
  'Last-Event-ID',
  'Mcp-Session-Id',
  'MCP-Protocol-Version',
  'Mcp-Method',
  'Mcp-Name',
  'traceparent',
  'tracestate',
  'baggage',
]
const NAMES = new Set(ALLOWED.map((name) => name.toLowerCase()))
/** `Mcp-Param-*` has a name for each argument: what fits is named back, for a wildcard does not cover `Authorization`. */
const OF_MCP = /^mcp-[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/

/** Tells a browser that its page may read the answer; the origin was found to be ours before. */
export function allowOrigin(res: ServerResponse, origin: string): void {
  res.setHeader('access-control-allow-origin', origin)
  res.setHeader('access-control-expose-headers', EXPOSED)
  res.setHeader('vary', 'Origin')
}

export function answerPreflight(req: IncomingMessage, res: ServerResponse): void {
  const asked = req.headers['access-control-request-headers']
  res
    .writeHead(204, {
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': allowedHeaders(asked),
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers',
    })
    .end()
}

/** The usual ones, and of those that are asked for whatever else belongs to the protocol. */
export function allowedHeaders(asked: string | undefined): string {
  const names = (asked ?? '').split(',').map((name) => name.trim().toLowerCase())
  const more = names.filter((name) => !NAMES.has(name) && OF_MCP.test(name)).slice(0, 100)
  return [...ALLOWED, ...new Set(more)].join(', ')
}
