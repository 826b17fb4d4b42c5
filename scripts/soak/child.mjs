import { createInterface } from 'node:readline'

/** A server that is a command, of the legacy era: echoes, takes its time, and asks. Ends with its stdin. */
const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const done = { content: [{ type: 'text', text: 'x'.repeat(100) }] }
const waiting = new Map()

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params = {} } = JSON.parse(line)
  if (method === undefined) return waiting.get(id)?.()
  if (id === undefined) return
  switch (method) {
    case 'initialize':
      return say({
        id,
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'soak', version: '1' },
        },
      })
    case 'tools/list': {
      const tools = ['echo', 'slow', 'ask'].map((name) => ({ name: `stdio-${name}`, inputSchema: { type: 'object' } }))
      return say({ id, result: { tools } })
    }
    case 'tools/call':
      return call(id, params.name)
    default:
      return say({ id, error: { code: -32601, message: 'Method not found' } })
  }
})

function call(id, name) {
  const answer = () => say({ id, result: done })
  if (name === 'stdio-echo') return answer()
  if (name === 'stdio-slow') return void setTimeout(answer, 200)
  waiting.set(`q${id}`, () => {
    waiting.delete(`q${id}`)
    answer()
  })
  say({ id: `q${id}`, method: 'roots/list' })
  setTimeout(() => waiting.get(`q${id}`)?.(), 60_000).unref()
}
