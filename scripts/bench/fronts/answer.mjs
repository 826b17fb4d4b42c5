import { payload } from '../payload.mjs'

/**
 * The server of the benchmarks, without sessions, in as little code as will do. Its one tool gives the text back that it was
 * called with, or as many bytes as its caller asks for; a caller that gives a progress token gets one note before the
 * result, in an event stream, any other one JSON. Any path is served, so that one process can stand for many servers: below
 * `/modern` they speak MCP 2026-07-28, elsewhere 2025-11-25.
 */
const info = { name: 'echo', version: '1.0.0' }
const TOOL = {
  name: 'echo',
  description: 'Gives the text back',
  inputSchema: {
    type: 'object',
    properties: { text: { type: 'string' }, bytes: { type: 'integer' } },
    required: ['text'],
  },
}
const call = ({ arguments: { text, bytes } }) => ({ content: [{ type: 'text', text: bytes ? large(bytes) : text }] })
const LEGACY = {
  initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: info }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [TOOL] }),
  'tools/call': call,
}
const KEPT = { ttlMs: 3_600_000, cacheScope: 'public' }
const MODERN = {
  'server/discover': () => ({
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    ...KEPT,
    _meta: { 'io.modelcontextprotocol/serverInfo': info },
  }),
  'tools/list': () => ({ resultType: 'complete', tools: [TOOL], ...KEPT }),
  'tools/call': (params) => ({ ...call(params), resultType: 'complete' }),
}

/** A listener of requests; with `stand`, what is to be answered waits for its word. */
export function echo(stand = (_res, answerIt) => answerIt()) {
  return (req, res) => {
    if (req.method !== 'POST')
      return void req.resume().on('end', () => res.writeHead(405, { 'content-length': 0 }).end())
    const chunks = []
    const results = req.url.startsWith('/modern') ? MODERN : LEGACY
    req
      .on('data', (chunk) => chunks.push(chunk))
      .on('end', () => stand(res, () => answer(results, JSON.parse(Buffer.concat(chunks)), res)))
  }
}

function answer(results, { id, method, params }, res) {
  if (id === undefined) return void res.writeHead(202, { 'content-length': 0 }).end()
  const make = results[method]
  const outcome = make ? { result: make(params) } : { error: { code: -32601, message: 'Method not found' } }
  const text = JSON.stringify({ jsonrpc: '2.0', id, ...outcome })
  const progressToken = method === 'tools/call' ? params._meta?.progressToken : undefined
  if (progressToken !== undefined) return stream(res, progressToken, text)
  const status = make || results === LEGACY ? 200 : 404
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

function stream(res, progressToken, text) {
  const params = { progressToken, progress: 1, total: 1 }
  const note = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  res.write(`event: message\ndata: ${note}\n\n`)
  res.end(`event: message\ndata: ${text}\n\n`)
}

let made = ''

function large(bytes) {
  if (made.length !== bytes) made = payload(bytes)
  return made
}
