import { createServer } from 'node:http'

/**
 * A process with one server of each era, which keep count of what is open: connections, sessions, streams. Told `count` it
 * tells them; told `change` it tells everybody who listens that its tools have changed.
 */
const CAPABILITIES = { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true }, logging: {} }
const MODERN = { resultType: 'complete', ttlMs: 2_000, cacheScope: 'private' }
const sessions = new Map()
const streams = new Set()
const sockets = new Set()
let [calls, opened] = [0, 0]

const server = createServer((req, res) => {
  const chunks = []
  req.on('data', (chunk) => chunks.push(chunk))
  req.on('end', () => {
    const era = req.url.slice(1)
    const id = req.headers['mcp-session-id']
    if (req.method === 'GET') return openStream(res)
    if (req.method === 'DELETE') {
      sessions.delete(id)
      return void res.writeHead(200).end()
    }
    void take({ era, id, res, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) })
  })
})
server.on('connection', (socket) => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
})

async function take({ era, id, res, body }) {
  const { method, params = {} } = body
  if (method === undefined) {
    sessions.get(id)?.get(body.id)?.(body)
    return void res.writeHead(202).end()
  }
  if (body.id === undefined) return void res.writeHead(202).end()
  if (method === 'server/discover') return discover(era, body, res)
  if (method === 'initialize') {
    sessions.set(`s${(opened += 1)}`, new Map())
    const result = {
      protocolVersion: '2025-11-25',
      capabilities: CAPABILITIES,
      serverInfo: { name: 'soak', version: '1' },
    }
    return json(res, body, { result }, { 'mcp-session-id': `s${opened}` })
  }
  if (era === 'legacy' && !sessions.has(id)) return void res.writeHead(404).end()
  const modern = era === 'modern' ? MODERN : {}
  const listed = listOf(era, method)
  if (listed !== undefined) return json(res, body, { result: { ...modern, ...listed } })
  if (method === 'subscriptions/listen') {
    openStream(res)
    return event(res, { method: 'notifications/subscriptions/acknowledged', params: {} })
  }
  if (method !== 'tools/call')
    return json(res, body, { result: { ...modern, contents: [{ uri: params.uri, text: 'x' }] } })
  calls += 1
  const done = { ...modern, content: [{ type: 'text', text: 'x'.repeat(params.arguments?.size ?? 100) }] }
  await callTool({ era, id, res, body, params, done })
}

async function callTool({ era, id, res, body, params, done }) {
  switch (params.name.slice(era.length + 1)) {
    case 'slow': {
      startStream(res)
      for (let progress = 1; progress < 6 && !res.destroyed; progress += 1) {
        const progressToken = params._meta?.progressToken
        if (progressToken !== undefined)
          event(res, { method: 'notifications/progress', params: { progressToken, progress } })
        await pause(40)
      }
      event(res, { id: body.id, result: done })
      return void res.end()
    }
    case 'ask':
      return era === 'modern' ? askInResult({ res, body, params, done }) : askInCall({ id, res, body, done })
    default:
      return json(res, body, { result: done })
  }
}

const QUESTION = {
  method: 'elicitation/create',
  params: { message: 'Which?', requestedSchema: { type: 'object', properties: {} } },
}

function askInResult({ res, body, params, done }) {
  if (params.inputResponses !== undefined) return json(res, body, { result: done })
  const result = {
    ...done,
    resultType: 'input_required',
    inputRequests: { which: QUESTION },
    requestState: 'x'.repeat(200),
  }
  json(res, body, { result })
}

/** Waits for the answer as long as a server may. */
async function askInCall({ id, res, body, done }) {
  const waiting = sessions.get(id)
  startStream(res)
  const questionId = `q${body.id}`
  const answered = new Promise((resolve) => {
    waiting.set(questionId, resolve)
    res.once('close', resolve)
    setTimeout(resolve, 60_000).unref()
  })
  event(res, { id: questionId, ...QUESTION })
  await answered
  waiting.delete(questionId)
  event(res, { id: body.id, result: done })
  res.end()
}

function listOf(era, method) {
  const tools = ['echo', 'slow', 'ask'].map((name) => ({ name: `${era}-${name}`, inputSchema: { type: 'object' } }))
  return {
    'tools/list': { tools },
    'prompts/list': { prompts: [{ name: `${era}-prompt` }] },
    'resources/list': { resources: [{ uri: `${era}://thing`, name: 'thing' }] },
    'resources/templates/list': { resourceTemplates: [] },
  }[method]
}

function discover(era, body, res) {
  if (era === 'legacy')
    return json(res, { id: null }, { error: { code: -32000, message: 'Server not initialized' } }, {}, 400)
  json(res, body, { result: { ...MODERN, supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES } })
}

function json(res, { id }, answer, headers = {}, status = 200) {
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify({ jsonrpc: '2.0', id: id ?? null, ...answer }))
}

function startStream(res) {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.flushHeaders()
}

function openStream(res) {
  startStream(res)
  streams.add(res)
  res.once('close', () => streams.delete(res))
}

function event(res, message) {
  if (!res.destroyed && !res.writableEnded) res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

process.on('message', (what) => {
  if (what === 'change') for (const res of streams) event(res, { method: 'notifications/tools/list_changed' })
  else process.send({ sockets: sockets.size, sessions: sessions.size, streams: streams.size, calls })
})
process.once('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
