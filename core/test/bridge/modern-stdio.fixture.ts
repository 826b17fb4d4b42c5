/** A server of the modern era over stdio, by hand: asks in its results, tells progress and its log, can be cancelled. */
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

// oxlint-disable-next-line typescript/no-explicit-any
type Message = any

const log = process.argv[2]
const say = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const text = (said: string) => ({ resultType: 'complete', content: [{ type: 'text', text: said }] })
const FORM = { message: 'Name?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } }
const cacheable = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' }

const tools = ['ask', 'slow', 'talk'].map((name) => ({ name, inputSchema: { type: 'object' } }))

function answer({ method, params }: Message): object | undefined {
  switch (method) {
    case 'server/discover':
      return { ...cacheable, supportedVersions: ['2026-07-28'], capabilities: { tools: {}, logging: {} } }
    case 'tools/list':
      return { ...cacheable, tools }
    case 'tools/call':
      return call(params)
    default:
      return undefined
  }
}

function call({ name, arguments: given, inputResponses, requestState, _meta }: Message): object | undefined {
  if (name === 'slow') return undefined
  if (name === 'talk') {
    for (const progress of [1, 2])
      say({ method: 'notifications/progress', params: { progressToken: _meta.progressToken, progress } })
    if (_meta['io.modelcontextprotocol/logLevel'] !== undefined)
      say({ method: 'notifications/message', params: { level: 'info', data: 'asked for' } })
    return text('talked')
  }
  if (inputResponses !== undefined) return text(`${inputResponses.k.content?.name} ${requestState} ${given.text}`)
  const inputRequests = { k: { method: 'elicitation/create', params: FORM } }
  return { resultType: 'input_required', inputRequests, requestState: `state of ${given.text}` }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line) as Message
  if (log !== undefined) appendFileSync(log, `${line}\n`)
  if (message.id === undefined) return
  const result = answer(message)
  if (result !== undefined) say({ id: message.id, result })
  else if (message.params?.name !== 'slow')
    say({ id: message.id, error: { code: -32601, message: 'Method not found' } })
})
