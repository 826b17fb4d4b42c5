import { setTimeout as wait } from 'node:timers/promises'
import { openRules } from './chain.mjs'
import { passed, wasmRule } from './legs.mjs'
import { hog } from './modules.mjs'

const KILL_MS = 50
const WHOLE_MS = 1_000
/** Threads that are started besides, to weigh them. */
const MORE = 4
const MIB = 1024 * 1024
const MESSAGE = { content: [{ type: 'text', text: 'a short text' }] }

/** How long a rule that runs away lives, and when the next call with rules is answered. */
export async function ends(closing, { module, times }) {
  const bench = await openRules(closing)
  const calm = [await bench.prepare(wasmRule(1), module)]
  const runaway = [
    await bench.prepare({ name: 'hog', engine: 'wasm', module: 'hog', onFailure: 'allow' }, hog(KILL_MS)),
  ]
  const [killed, waited] = [[], []]
  for (let n = 0; n < times; n += 1) {
    passed(await bench.inspect(calm, MESSAGE))
    // Until no thread is missing: a rule that has cost one waits for that.
    await wait(WHOLE_MS)
    const at = performance.now()
    const { receipts } = await bench.inspect(runaway, MESSAGE)
    killed.push(performance.now() - at - KILL_MS)
    if (receipts[0]?.verdict !== 'undecided') throw new Error('the rule was not ended')
    const next = performance.now()
    passed(await bench.inspect(calm, MESSAGE))
    waited.push(performance.now() - next)
  }
  await bench.stop()
  return { limit: KILL_MS, times, overLimit: sorted(killed), next: sorted(waited) }
}

const sorted = (values) => values.toSorted((a, b) => a - b)

/** What a hundred rules take to be ready, and what threads and rules weigh. */
export async function crowd(closing, { module, count = 100, workers = 2 }) {
  const bench = await openRules(closing, { workers })
  const first = performance.now()
  const rules = [await bench.prepare(wasmRule(0), module)]
  const started = performance.now() - first
  const one = resident()
  const at = performance.now()
  for (let n = 1; n < count; n += 1) rules.push(await bench.prepare(wasmRule(n), module))
  const ready = performance.now() - at
  const all = resident()
  passed(await bench.inspect(rules.slice(0, 20), MESSAGE))
  const more = await openRules(closing, { workers: workers + MORE })
  const before = resident()
  await more.prepare(wasmRule(0), module)
  const both = resident()
  await Promise.all([bench.stop(), more.stop()])
  // A spare, and the thread that builds.
  return { count, started, ready, rules: all - one, perThread: (both - before) / (workers + MORE + 2) }
}

function resident() {
  globalThis.gc?.()
  return process.memoryUsage.rss() / MIB
}
