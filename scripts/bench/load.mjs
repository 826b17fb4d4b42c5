import { performance } from 'node:perf_hooks'
import { readMessage } from './answers.mjs'
import { CLIENTS } from './clients.mjs'
import { paced } from './paced.mjs'
import { payload } from './payload.mjs'
import { quantile } from './statistics.mjs'
import { FIRST_ID, Wire, writeRequest } from './wire.mjs'

/**
 * The load generator, a process of its own: told by messages which front to open and which burst to run. Closed loop: each
 * connection sends its next call when the answer to the last one was read, checked for its id, for the text's length and for the notes before it.
 */
const targets = new Map()
const tasks = { open, burst, paced: ({ name, ...options }) => paced(targets.get(name), options) }

process.on('message', ({ task, ...options }) => {
  tasks[task](options).then(
    (answer) => process.send({ answer }),
    (error) => process.send({ error: String(error?.stack ?? error) }),
  )
})
process.once('disconnect', () => process.exit(0))

/** Begins as a client of its era does, and lists the tools. */
async function open({ name, port, path, headers, client = 'legacy' }) {
  const { open, write } = CLIENTS[client]
  const wire = await Wire.open(port)
  const ask = (message, own) => wire.ask({ port, path, headers: { ...headers, ...own } }, message)
  const kept = await open(ask, name)
  const target = { port, path, headers: { ...headers, ...kept }, write }
  const list = write({ id: 2, method: 'tools/list', params: {} })
  const listed = await ask(list.message, { ...kept, ...list.headers })
  wire.close()
  const tools = listed.message?.result?.tools.map((tool) => tool.name)
  if (!tools?.length) throw new Error(`${name} lists no tools: ${listed.status} ${JSON.stringify(listed.message)}`)
  targets.set(name, target)
  return { tools }
}

/** Answers how many calls were answered in all and in the time measured, and the quantiles of the latter, milliseconds. */
async function burst({ name, tool, inFlight, bytes, answerBytes, notes = 0, ms }) {
  const target = targets.get(name)
  const wires = await Promise.all(Array.from({ length: inFlight }, () => Wire.open(target.port)))
  const wanted = { length: answerBytes ?? bytes, notes }
  const run = { target, tool, bytes, answerBytes, wanted, nextId: FIRST_ID, until: Infinity, times: [] }
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
  const { bytes, number } = requestOf(run)
  return new Promise((resolve, reject) => {
    let left = most
    const next = () => {
      if (left-- === 0 || performance.now() >= run.until) return resolve()
      const id = run.nextId++
      number(id)
      const sent = performance.now()
      wire.send(bytes, (error, answer) => {
        const wrong = error ?? fault(answer, id, run.wanted)
        if (wrong) return reject(wrong)
        run.times.push(performance.now() - sent)
        next()
      })
    }
    next()
  })
}

/** The token of the progress that is asked for is the id of the call. */
function requestOf({ target, tool, bytes, answerBytes, wanted }) {
  const large = answerBytes === undefined ? {} : { bytes: answerBytes }
  const meta = wanted.notes === 0 ? {} : { _meta: { progressToken: FIRST_ID } }
  const params = { ...meta, name: tool, arguments: { text: payload(bytes), ...large } }
  const { message, headers } = target.write({ id: FIRST_ID, method: 'tools/call', params })
  return writeRequest({ ...target, headers: { ...target.headers, ...headers } }, message)
}

/** What is wrong with an answer: its id, the length of its text, or the notes before it. */
function fault(answer, id, { length, notes }) {
  const message = answer.status === 200 ? readMessage(answer) : null
  const isRight = message?.id === id && message.result?.content?.[0]?.text?.length === length
  if (isRight && (notes === 0 || isNoted(answer.messages, id, notes))) return null
  return new Error(`wrong answer to call ${id}: ${answer.status} ${answer.text.slice(0, 300)}`)
}

const isNoted = (messages, id, notes) =>
  messages?.length === notes + 1 &&
  messages.every(({ method, params }, n) =>
    n === notes ? method === undefined : method === 'notifications/progress' && params.progressToken === id,
  )
