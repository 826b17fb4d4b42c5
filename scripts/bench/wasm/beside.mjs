import { setTimeout as wait } from 'node:timers/promises'
import { quantile } from '../statistics.mjs'
import { payload } from '../payload.mjs'
import { openRules } from './chain.mjs'
import { passed, wasmRule } from './legs.mjs'
import { hog } from './modules.mjs'

const PER_SECOND = 200
const ENDS_PER_SECOND = 4
const BODY = 2048
const KILL_MS = 50
/** A gateway runs a rule no more that was ended so often; here there is none, so that it can be ended without end. */
const QUARANTINE = 3
const PATTERNS = { name: 'pattern', engine: 'regex', action: 'detect', patterns: ['zebra crossing'] }

/**
 * Legs at a steady pace, alone, while a rule that runs away is ended as often as quarantine lets it, and four times a second without
 * end: those without rules in WebAssembly, and those with one. Time runs from when a leg was due, so that a stalled process escapes no leg.
 */
export async function beside(closing, { module, ms, rounds }) {
  const bench = await openRules(closing)
  const runaway = [
    await bench.prepare({ name: 'hog', engine: 'wasm', module: 'hog', onFailure: 'allow' }, hog(KILL_MS)),
  ]
  const kinds = { without: [await bench.prepare(PATTERNS)], with: [await bench.prepare(wasmRule(1), module)] }
  const results = []
  for (const [kind, rules] of Object.entries(kinds)) {
    await paced(bench, rules, ms)
    for (let round = 1; round <= rounds; round += 1) {
      const alone = await paced(bench, rules, ms)
      const few = await among(bench, { rules, ms, runaway, most: QUARANTINE })
      const many = await among(bench, { rules, ms, runaway, most: Infinity })
      results.push({ kind, round, alone, few, beside: many, endsPerSecond: (many.ends * 1_000) / ms })
    }
  }
  await bench.stop()
  return results
}

async function among(bench, { rules, ms, runaway, most }) {
  const { ends, stop } = runAway(bench, runaway, most)
  const times = await paced(bench, rules, ms)
  await stop()
  return { ...times, ends: ends() }
}

function runAway(bench, rules, most) {
  let isOn = true
  let times = 0
  const running = (async () => {
    for (; isOn && times < most; times += 1)
      await Promise.all([bench.inspect(rules, { content: [] }), wait(1_000 / ENDS_PER_SECOND)])
  })()
  const stop = () => {
    isOn = false
    return running
  }
  return { ends: () => times, stop }
}

async function paced(bench, rules, ms) {
  const message = { content: [{ type: 'text', text: payload(BODY) }] }
  const times = []
  const under = new Set()
  const began = performance.now()
  let due = began
  await new Promise((resolve) => {
    const beat = setInterval(() => {
      for (const now = performance.now(); due <= now; due += 1_000 / PER_SECOND) {
        const at = due
        const leg = Promise.resolve(bench.inspect(rules, message)).then((outcome) => {
          passed(outcome)
          times.push(performance.now() - at)
          under.delete(leg)
        })
        under.add(leg)
      }
      if (performance.now() - began < ms) return
      clearInterval(beat)
      resolve()
    }, 1)
  })
  await Promise.all(under)
  const sorted = times.toSorted((a, b) => a - b)
  return { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), most: sorted.at(-1), legs: times.length }
}
