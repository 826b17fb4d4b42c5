import { performance } from 'node:perf_hooks'
import { readMessage } from './answers.mjs'
import { payload } from './payload.mjs'
import { FIRST_ID, Wire, writeRequest } from './wire.mjs'

const BYTES = 64
/** So long after the last call was sent may an answer come. */
const PATIENCE_MS = 10_000

/**
 * Open loop: tool n is called `perSecond[n]` times a second, whether or not earlier calls were answered, and time runs from
 * when a call was due. So a front that stands still for a moment does not escape the calls of that moment.
 */
export async function paced(target, { tools, perSecond, ms }) {
  const free = []
  const run = { target, free, outcomes: tools.map(() => []), waiting: 0, nextId: FIRST_ID }
  const requests = tools.map((name) => requestOf(target, name))
  // Every tool has a rhythm of its own, so that the calls are spread.
  const due = tools.map((_, n) => ((n + 0.5) / tools.length) * (1000 / perSecond[n]))
  const start = performance.now()
  await new Promise((resolve) => {
    const beat = setInterval(() => {
      const now = performance.now() - start
      for (const n of tools.keys())
        for (; due[n] <= now && due[n] < ms; due[n] += 1000 / perSecond[n])
          void send(run, n, requests[n], start + due[n])
      if (now < ms) return
      clearInterval(beat)
      resolve()
    }, 1)
  })
  const last = performance.now() + PATIENCE_MS
  while (run.waiting > 0 && performance.now() < last) await new Promise((resolve) => setTimeout(resolve, 10))
  for (const wire of free) wire.close()
  return { outcomes: run.outcomes, unanswered: run.waiting }
}

function requestOf(target, name) {
  const params = { name, arguments: { text: payload(BYTES) } }
  return writeRequest(target, { jsonrpc: '2.0', id: FIRST_ID, method: 'tools/call', params })
}

async function send(run, n, { bytes, number }, due) {
  run.waiting += 1
  const wire = run.free.pop() ?? (await Wire.open(run.target.port))
  const id = run.nextId++
  wire.send(number(id, Buffer.from(bytes)), (error, answer) => {
    run.waiting -= 1
    run.outcomes[n].push({ ms: performance.now() - due, said: error ? String(error) : saidIn(answer, id) })
    if (!error) run.free.push(wire)
  })
}

/** `ok`, or the reason that the gateway gives; with a star when it refused the call by itself, without asking the server. */
function saidIn(answer, id) {
  const message = answer.status === 200 ? readMessage(answer) : null
  if (message?.id !== id) return `HTTP ${answer.status}`
  if (message.result?.content?.[0]?.text?.length === BYTES) return 'ok'
  const { message: words, data } = message.error ?? {}
  return `${data?.reason ?? 'an error'}${/is not called|asked for patience/.test(words) ? '*' : ''}`
}
