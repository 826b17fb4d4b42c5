/**
 * The server of the benchmarks: MCP 2025-11-25 over JSON answers, without sessions, in as little code as will do. Its one tool
 * gives the text back that it was called with. Any path is served, so that one process can stand for many servers.
 */
const RESULTS = {
  initialize: () => ({
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'echo', version: '1.0.0' },
  }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [TOOL] }),
  'tools/call': (params) => ({ content: [{ type: 'text', text: params.arguments.text }] }),
}
const TOOL = {
  name: 'echo',
  description: 'Gives the text back',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
}

/** A listener of requests; with `stand`, what is to be answered waits for its word. */
export function echo(stand = (_res, answerIt) => answerIt()) {
  return (req, res) => {
    if (req.method !== 'POST')
      return void req.resume().on('end', () => res.writeHead(405, { 'content-length': 0 }).end())
    const chunks = []
    req
      .on('data', (chunk) => chunks.push(chunk))
      .on('end', () => stand(res, () => answer(JSON.parse(Buffer.concat(chunks)), res)))
  }
}

function answer({ id, method, params }, res) {
  if (id === undefined) return void res.writeHead(202, { 'content-length': 0 }).end()
  const make = RESULTS[method]
  const outcome = make ? { result: make(params) } : { error: { code: -32601, message: 'Method not found' } }
  const text = JSON.stringify({ jsonrpc: '2.0', id, ...outcome })
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}
