import { createPlugin } from '@extism/extism'
import { quantile } from '../statistics.mjs'
import { payload } from '../payload.mjs'
import { openRules } from './chain.mjs'
import { openHop } from './hop.mjs'
import { foreign } from './modules.mjs'

const KIB = 1024
const SIZES = [1, 2, 16, 256]
/** Stands in no message: all of each is looked through. */
const WORDS = 'zebra crossing'
const WARM_MS = 1_000
const phraseOf = (n) => `${WORDS} ${n}`

/** Rows of a table: hundreds of texts, to be read from JSON. A little is left for what stands around them. */
function message(bytes) {
  const rows = []
  const note = payload(120)
  for (let size = 200; ;) {
    const row = { id: `b-${rows.length}`, title: 'Order left the depot', note, open: 3 }
    size += JSON.stringify(row).length + 1
    if (size > bytes) return { content: [], structuredContent: { rows, rest: payload(Math.max(0, bytes - size)) } }
    rows.push(row)
  }
}

/** Milliseconds that rules add to a leg, one leg after the other: in WebAssembly, as native patterns, in Extism's worker; and none at all. */
export async function legs(closing, { module, ms, onFigure }) {
  const bench = await openRules(closing)
  const wasm = await Promise.all([1, 2, 3, 4, 5].map((n) => bench.prepare(wasmRule(n), module)))
  const regex = await Promise.all([1, 2, 3, 4, 5].map((n) => bench.prepare(regexRule(n))))
  const extism = await createPlugin(
    { wasm: [{ data: new Uint8Array(foreign(WORDS)) }] },
    { runInWorker: true, useWasi: false },
  )
  closing.push(() => extism.close())
  const hop = openHop(closing)
  const warm = message(2 * KIB)
  for (const rules of [wasm, regex]) await timed(WARM_MS, async () => passed(await bench.inspect(rules, warm)))
  for (const kib of SIZES) {
    const shown = JSON.stringify(message(kib * KIB))
    for (const count of [1, 5]) {
      const leg = (rules) => async () => passed(await bench.inspect(rules.slice(0, count), JSON.parse(shown)))
      onFigure({ front: 'WebAssembly', count, kib, ...(await timed(ms, leg(wasm))) })
      onFigure({ front: 'native regex', count, kib, ...(await timed(ms, leg(regex))) })
    }
    onFigure({ front: 'bare hop', count: 0, kib, ...(await timed(ms, () => hop(kib * KIB))) })
    onFigure({ front: 'Extism worker', count: 1, kib, ...(await timed(ms, () => extism.call('evaluate', shown))) })
  }
}

export const wasmRule = (n) => ({
  name: `phrase ${n}`,
  engine: 'wasm',
  module: 'phrase',
  action: 'detect',
  config: { phrase: phraseOf(n) },
})
const regexRule = (n) => ({ name: `pattern ${n}`, engine: 'regex', action: 'detect', patterns: [phraseOf(n)] })

export function passed({ kind, receipts }) {
  const other = receipts.find(({ verdict }) => verdict !== 'pass')
  if (kind !== 'pass' || other !== undefined) throw new Error(`a rule did not pass: ${JSON.stringify(other)}`)
}

/** The first third of the time warms up. */
async function timed(ms, leg) {
  const times = []
  const began = performance.now()
  while (performance.now() - began < ms * 1.5 || times.length < 10) {
    const at = performance.now()
    await leg()
    if (at - began > ms / 2) times.push(performance.now() - at)
  }
  const sorted = times.toSorted((a, b) => a - b)
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), turns: times.length }
}

/** Legs a second that one worker looks at, with so many under way at a time. */
export async function throughput(closing, { module, ms, inFlight = 16 }) {
  const bench = await openRules(closing, { workers: 1 })
  const rules = [await bench.prepare(wasmRule(1), module)]
  const shown = message(KIB)
  const burst = async (length) => {
    let done = 0
    const began = performance.now()
    const run = async () => {
      for (; performance.now() - began < length; done += 1) passed(await bench.inspect(rules, shown))
    }
    await Promise.all(Array.from({ length: inFlight }, run))
    return (done * 1_000) / (performance.now() - began)
  }
  await burst(ms)
  const perSecond = await burst(ms)
  await bench.stop()
  return perSecond
}
