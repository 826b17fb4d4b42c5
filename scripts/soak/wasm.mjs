import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openRules } from '../bench/wasm/chain.mjs'
import { passed, wasmRule } from '../bench/wasm/legs.mjs'
import { hog, phrase } from '../bench/wasm/modules.mjs'
import { payload } from '../bench/payload.mjs'
import { closeAll, say } from './closing.mjs'
import { judgeMemory, verdict } from './verdict.mjs'

const SAMPLES = 45
const IN_FLIGHT = 16
/** Rules of a leg. */
const CHAIN = 3
const KILL_MS = 50

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/**
 * Legs by the hundred thousand through rules in WebAssembly. Between two samples one rule is changed for another, and one that runs away
 * costs a thread.
 */
export async function soakWasm({ calls }) {
  const closing = []
  try {
    const module = phrase()
    const bench = await openRules(closing)
    const rules = []
    for (let n = 0; n < CHAIN; n += 1) rules.push(await bench.prepare(wasmRule(n), module))
    const runaway = [
      await bench.prepare({ name: 'hog', engine: 'wasm', module: 'hog', onFailure: 'allow' }, hog(KILL_MS)),
    ]
    const [samples, counts] = [[], { calls: 0, changes: 0, ends: 0 }]
    const began = performance.now()
    while (counts.calls < calls) {
      await burst(bench, rules, Math.ceil(calls / SAMPLES))
      counts.calls += Math.ceil(calls / SAMPLES)
      await change(bench, rules, { module, n: (counts.changes += 1) })
      counts.ends += (await bench.inspect(runaway, { content: [] })).receipts[0]?.verdict === 'undecided' ? 1 : 0
      samples.push({ seconds: Math.round((performance.now() - began) / 1_000), ...measure() })
      if (samples.length % 5 === 0) say(lineOf(samples.at(-1), counts))
    }
    const ended = verdict('what ran away was ended each time', counts.ends === counts.changes, `${counts.ends} times`)
    return { at: new Date().toISOString(), samples, counts, failures: [], verdicts: [...judgeMemory(samples), ended] }
  } finally {
    await closeAll(closing)
  }
}

async function burst(bench, rules, calls) {
  let left = calls
  const run = async () => {
    for (; left > 0;) {
      left -= 1
      passed(await bench.inspect(rules, { content: [{ type: 'text', text: payload(200 + (left % 2_000)) }] }))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, run))
}

async function change(bench, rules, { module, n }) {
  const [old] = rules.splice(0, 1)
  rules.push(await bench.prepare(wasmRule(CHAIN + n), module))
  bench.rules.retireRule(old)
}

function measure() {
  collect()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, heapUsed, external }
}

const lineOf = ({ seconds, rss, heapUsed }, { calls }) =>
  `${seconds} s, ${calls} legs: ${Math.round(rss / 1e6)} MB resident, ${Math.round(heapUsed / 1e6)} MB heap`

/** For people. */
export function asText({ samples, counts, verdicts }) {
  const last = samples.at(-1)
  return [
    `${counts.calls} legs of ${CHAIN} rules in ${last.seconds} s, ${counts.changes} changes of a rule, ${counts.ends} threads ended.`,
    '',
    ...verdicts.map(({ name, holds, said }) => `${holds ? 'ok    ' : 'FAILED'} ${name}: ${said}`),
    '',
  ].join('\n')
}
