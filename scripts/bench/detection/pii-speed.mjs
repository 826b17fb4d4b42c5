import { readFileSync } from 'node:fs'
import { createEngine } from '../../../plugins/detect-pii/dist/engine.js'
import { findNames } from '../../../plugins/detect-pii/dist/names.js'
import { findPatterns } from '../../../plugins/detect-pii/dist/patterns.js'
import { createPool } from '../../../plugins/detect-pii/dist/pool.js'
import { names, search } from './pii-ours.mjs'

const SIZE = 2_048
const ROUNDS = 9

/** CPU for each 2 KiB of text, the texts of the corpus put together: far more personal data than a usual answer holds. */
export async function measureSpeed(texts) {
  const all = texts.map(({ text }) => text).join('\n')
  const pieces = Array.from({ length: Math.floor(all.length / SIZE) }, (_, at) => all.slice(at * SIZE, (at + 1) * SIZE))
  const plain = 'The build is green and the cache was warmed. Nothing else has changed in this release. '
    .repeat(30)
    .slice(0, SIZE)
  const rows = [
    ['patterns and check digits, the corpus', cpuOf(pieces, (text) => findPatterns(text, search)), 1_000],
    ['patterns and check digits, plain prose', cpuOf([plain], (text) => findPatterns(text, search)), 1_000],
    ['names in the worker, the corpus', cpuOf(pieces.slice(0, 40), (text) => findNames(text, names)), 30_000],
  ]
  const lines = rows.map(([what, micros, bar]) => `${what}: ${Math.round(micros)} µs of CPU per 2 KiB (bar ${bar})`)
  const held = await heldByNames(pieces.slice(0, 40))
  return [...lines, `names on the main thread: ${Math.round(held)} µs of CPU per 2 KiB (bar 200)`].join('\n')
}

/** How long the main thread is busy with one text whose names a worker looks for: asking, and taking the answer. */
async function heldByNames(texts) {
  const pool = createPool(1)
  const engine = createEngine({ pool, workerDeadlineMs: 20_000 })
  const { state } = engine.prepare({ config: { entities: [...names] }, action: 'mask' })
  const run = async () => {
    for (const text of texts) await engine.evaluate({ state, leaves: [{ kind: 'value', text }] })
  }
  await run()
  await run()
  const before = mainThreadMicros()
  for (let round = 0; round < ROUNDS; round += 1) await run()
  const spent = mainThreadMicros() - before
  await pool.stop()
  return spent / (ROUNDS * texts.length)
}

/** CPU of this thread alone: Linux tells it in nanoseconds. */
const mainThreadMicros = () =>
  Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1_000

/** Median of several rounds, in microseconds for each text. */
function cpuOf(texts, work) {
  for (const text of texts) work(text)
  const repeat = Math.max(1, Math.ceil(40 / texts.length))
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage()
    for (let at = 0; at < repeat; at += 1) for (const text of texts) work(text)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / (repeat * texts.length)
  })
  return rounds.toSorted((a, b) => a - b)[ROUNDS >> 1]
}
