import { performance } from 'node:perf_hooks'
import { readMessage } from './answers.mjs'
import { paced } from './paced.mjs'
import { payload } from './payload.mjs'
import { quantile } from './statistics.mjs'
import { FIRST_ID, Wire, writeRequest } from './wire.mjs'

/**
 * The load generator, a process of its own: told by messages which front to open and which burst to run. Closed loop: each
 * connection sends its next call when the answer to the last one was read, checked for its id and for the text's length.
 */
const VERSION = '2025-11-25'
const targets = new Map()
const tasks = { open, burst, paced: ({ name, ...options }) => paced(targets.get(name), options) }

process.on('message', ({ task, ...options }) => {
  tasks[task](options).then(
    (answer) => process.send({ answer }),
    (error) => process.send({ error: String(error?.stack ?? error) }),
  )
})
process.once('disconnect', () => process.exit(0))

/** Initializes, as a client of 2025-11-25 does, and lists the tools; a session that is given is used for all calls. */
async function open({ name, port, path, headers }) {
  const target = { port, path, headers: { ...headers } }
  const wire = await Wire.open(port)
  const params = { protocolVersion: VERSION, capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } }
  const { status, head, message } = await wire.ask(target, { jsonrpc: '2.0', id: 1, method: 'initialize', params })
  if (message?.result === undefined)
    throw new Error(`${name} answers initialize with ${status} ${JSON.stringify(message)}`)
  const session = /^mcp-session-id: *(\S+)/im.exec(head)?.[1]
  target.headers['mcp-protocol-version'] = VERSION
  if (session !== undefined) target.headers['mcp-session-id'] = session
  await wire.ask(target, { jsonrpc: '2.0', method: 'notifications/initialized' })
  const listed = await wire.ask(target, { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} })
  wire.close()
  const tools = listed.message?.result?.tools.map((tool) => tool.name)
  if (!tools?.length) throw new Error(`${name} lists no tools: ${listed.status} ${JSON.stringify(listed.message)}`)
  targets.set(name, target)
  return { tools }
}

/** Answers how many calls were answered in all and in the time measured, and the quantiles of the latter, milliseconds. */
async function burst({ name, tool, inFlight, bytes, ms }) {
  const target = targets.get(name)
  const text = payload(bytes)
  const wires = await Promise.all(Array.from({ length: inFlight }, () => Wire.open(target.port)))
  const run = { target, tool, text, nextId: FIRST_ID, until: Infinity, times: [] }
  // One call each to begin with, so that no measured call pays for a connection.
  await Promise.all(wires.map((wire) => loop(wire, run, 1)))
  const warm = run.times.length
  run.times = []
  const start = performance.now()
  run.until = start + ms
  await Promise.all(wires.map((wire) => loop(wire, run, Infinity)))
  const seconds = (performance.now() - start) / 1000
  for (const wire of wires) wire.close()
  const sorted = Float64Array.from(run.times).toSorted()
  return {
    calls: warm + sorted.length,
    perSecond: sorted.length / seconds,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  }
}

function loop(wire, run, most) {
  const params = { name: run.tool, arguments: { text: run.text } }
  const { bytes, idAt } = writeRequest(run.target, { jsonrpc: '2.0', id: FIRST_ID, method: 'tools/call', params })
  return new Promise((resolve, reject) => {
    let left = most
    const next = () => {
      if (left-- === 0 || performance.now() >= run.until) return resolve()
      const id = run.nextId++
      bytes.latin1Write(String(id), idAt)
      const sent = performance.now()
      wire.send(bytes, (error, answer) => {
        const wrong = error ?? fault(answer, id, run.text)
        if (wrong) return reject(wrong)
        run.times.push(performance.now() - sent)
        next()
      })
    }
    next()
  })
}

function fault(answer, id, text) {
  const message = answer.status === 200 ? readMessage(answer) : null
  if (message?.id === id && message.result?.content?.[0]?.text?.length === text.length) return null
  return new Error(`wrong answer to call ${id}: ${answer.status} ${answer.text.slice(0, 300)}`)
}
