import type { Evaluation, Leaf } from '@gatehouse/sdk'
import { PATTERN_GROUPS, PATTERNS } from '@gatehouse/sdk/patterns'
import { fill, readHit, SAMPLES } from '@gatehouse/sdk/patterns/samples'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEngine } from './engine.js'
import type { RegexEngine } from './engine.js'
import { enableLinearTime } from './linear-engine.js'
import type { Pattern } from './pattern.js'
import { createPool } from './pool.js'

const proven = enableLinearTime()
const pool = createPool(1)
const fast = createEngine({ pool, linear: proven, workerDeadlineMs: 5_000 })
/** As on a Node whose V8 cannot be relied on. */
const slow = createEngine({ pool, linear: false, workerDeadlineMs: 5_000 })

const leaf = (text: string): Leaf => ({ kind: 'value', text })
function states(engine: RegexEngine, config: Record<string, unknown>): readonly Pattern[] {
  const prepared = engine.prepare({ config, action: 'detect' })
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.errors))
  return prepared.state as readonly Pattern[]
}
const ask = (engine: RegexEngine, state: readonly Pattern[], ...texts: readonly string[]) =>
  engine.evaluate({ state, pass: 0, leaves: texts.map(leaf) })
const found = (evaluation: Evaluation) =>
  evaluation.verdict === 'findings' ? evaluation.findings.map(({ type, start, end }) => [type, start, end]) : []

test('every ready pattern is proven to run in linear time, and says what its texts need', () => {
  if (!proven) return
  const compiled = states(fast, { library: PATTERN_GROUPS })
  assert.equal(
    compiled.map(({ type }) => type),
    PATTERNS.map(({ id }) => id),
  )
  assert.equal(
    compiled.filter(({ regexp }) => regexp === null).map(({ type }) => type),
    [],
  )
})

test('every positive sample is found under its id, no negative one, beside the calls and in a worker', async () => {
  for (const engine of [fast, slow]) {
    for (const { id } of PATTERNS) {
      const state = states(engine, { library: [id] })
      const { hits, misses } = SAMPLES[id] ?? { hits: [], misses: [] }
      for (const sample of hits) {
        const { text, start, end } = readHit(sample)
        assert.equal(found(await ask(engine, state, text)), [[id, start, end]], `${id}: ${sample}`)
      }
      assert.is((await ask(engine, state, ...misses.map(fill))).verdict, 'pass', id)
    }
  }
})

test('a group stands for all of its patterns, patterns of a rule come first', () => {
  const compiled = states(fast, { patterns: ['x+'], library: ['us-ssn', 'prompt-injection'] })
  const injections = PATTERNS.filter(({ group }) => group === 'prompt-injection').map(({ id }) => id)
  assert.equal(
    compiled.map(({ type }) => type),
    ['pattern:1', ...injections, 'us-ssn'],
  )
})

test('what a check refuses does not hide a match that begins within it', async () => {
  const state = states(fast, { library: ['credit-card'] })
  assert.equal(found(await ask(fast, state, '4000 4111 1111 1111 1111')), [['credit-card', 5, 24]])
})

test('a name that the library does not know, and a rule without any pattern, are refused', () => {
  for (const config of [{ library: ['us-snn'] }, { library: [] }, {}]) {
    assert.not.ok(fast.prepare({ config, action: 'mask' }).ok, JSON.stringify(config))
  }
})

/** What makes a pattern go back most: its own literals and beginnings, over and over. */
function hostileTexts(): readonly string[] {
  const units = ['a', '4111 ', '-', 'eyJ', '-eyJabcdefghijk.', '://a:b', 'A1 ', 'ignore the ', '1-', '![', '~/', ' \t']
  return units.map((unit) => unit.repeat(Math.ceil(1_048_576 / unit.length)))
}

test('a hostile MiB holds up no call and is decided in time', async () => {
  if (!proven) return
  const texts = hostileTexts()
  const started = process.cpuUsage()
  for (const state of states(fast, { library: PATTERN_GROUPS })) {
    const begun = performance.now()
    const answer = ask(fast, [state], texts[0] as string)
    assert.ok(performance.now() - begun < 1_000, `${state.type} held the thread`)
    assert.is.not((await answer).verdict, 'undecided', state.type)
  }
  for (const text of texts) {
    for (const id of ['jwt', 'url-password', 'private-key', 'credit-card', 'iban', 'injection-ignore-instructions']) {
      assert.is.not((await ask(fast, states(fast, { library: [id] }), text)).verdict, 'undecided', id)
    }
  }
  const { user } = process.cpuUsage(started)
  assert.ok(user < 60_000_000, `${user} µs`)
})

test.after(() => pool.stop())
test.run()
