import type { Evaluation, Leaf, Prepared } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEngine } from './engine.js'
import type { RegexEngine } from './engine.js'
import { enableLinearTime } from './linear-engine.js'
import type { Pattern } from './pattern.js'
import { createPool } from './pool.js'

const proven = enableLinearTime()
const pool = createPool(2)
const fast = createEngine({ pool, linear: proven, workerDeadlineMs: 2_000 })
/** As on a Node whose V8 cannot be relied on. */
const slow = createEngine({ pool, linear: false, workerDeadlineMs: 2_000 })

const leaf = (text: string): Leaf => ({ kind: 'value', text })
const prepare = (engine: RegexEngine, ...patterns: readonly string[]) =>
  engine.prepare({ config: { patterns }, action: 'mask' })
function state(prepared: Prepared): readonly Pattern[] {
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.errors))
  return prepared.state as readonly Pattern[]
}
const evaluate = (engine: RegexEngine, pattern: string, ...texts: readonly string[]) =>
  engine.evaluate({ state: state(prepare(engine, pattern)), pass: 0, leaves: texts.map(leaf) })
const places = (evaluation: Evaluation) =>
  evaluation.verdict === 'findings'
    ? evaluation.findings.map(({ leaf: index, start, end }) => [index, start, end])
    : evaluation.verdict
const errors = (prepared: Prepared) => (prepared.ok ? [] : prepared.errors)

test('every occurrence is found, whatever its case, in every leaf', async () => {
  const found = await evaluate(fast, 'abc', 'ABC abc', 'none', 'xAbC')
  assert.equal(places(found), [
    [0, 0, 3],
    [0, 4, 7],
    [2, 1, 4],
  ])
})

test('slashes around a pattern and the flags behind them mean nothing', async () => {
  for (const pattern of ['/abc/', '/abc/m', '/abc/gimsuy', 'abc']) {
    assert.equal(places(await evaluate(fast, pattern, 'xABC')), [[0, 1, 4]], pattern)
  }
  assert.equal(places(await evaluate(fast, '/a', '/a')), [[0, 0, 2]])
})

test('a proven pattern answers at once, and a text without a match with nothing made', () => {
  if (!proven) return
  const prepared = state(prepare(fast, '\\b\\d{3}-\\d{2}-\\d{4}\\b'))
  const ask = (text: string) => fast.evaluate({ state: prepared, pass: 0, leaves: [leaf(text)] })
  assert.is(ask('nothing here'), ask('nor here'))
  assert.equal(places(ask('ssn 123-45-6789.') as Evaluation), [[0, 4, 15]])
})

test('patterns are passes of their own, named by their place', async () => {
  const prepared = prepare(fast, 'a', 'b')
  assert.is(prepared.ok && prepared.passes, 2)
  const found = await fast.evaluate({ state: state(prepared), pass: 1, leaves: [leaf('ab')] })
  assert.equal(found, { verdict: 'findings', findings: [{ type: 'pattern:2', leaf: 0, start: 1, end: 2, score: 1 }] })
})

test('lookaround and references back work, in a worker', async () => {
  assert.is(state(prepare(fast, '(?<=id )\\d+'))[0]?.regexp, null)
  assert.equal(places(await evaluate(fast, '(?<=ID )\\d+', 'id 12 34')), [[0, 3, 5]])
  assert.equal(places(await evaluate(fast, '(\\w)\\1', 'xaAy', 'b', 'cc')), [
    [0, 1, 3],
    [2, 0, 2],
  ])
  assert.is(places(await evaluate(fast, '(?=x)y', 'xy')), 'pass')
})

test('without a V8 that can be relied on every pattern runs in the worker and finds the same', async () => {
  const text = 'Ana <ana@example.com>, card 4111 1111 1111 1111, SSN 123-45-6789, ÀÉÎ àéî, ssn 123-45-6789'
  for (const pattern of ['[a-z.]+@[a-z.]+', '(?:\\d{4} ?){4}', '\\d{3}-\\d{2}-\\d{4}', 'é', '^ana|9$', 'zzz']) {
    assert.is(state(prepare(slow, pattern))[0]?.regexp, null)
    assert.equal(places(await evaluate(slow, pattern, text)), places(await evaluate(fast, pattern, text)), pattern)
  }
})

test('a configuration is refused with the place of its fault', () => {
  assert.is(errors(prepare(fast))[0]?.path, 'patterns')
  assert.equal(errors(prepare(fast, 'ok', 'ab(c'))[0]?.path, 'patterns.1')
  assert.is(errors(prepare(fast, 'ab[c'))[0]?.position, 4)
  assert.is(errors(prepare(fast, '/ab[c/'))[0]?.position, 5)
  assert.is(errors(prepare(fast, 'x'.repeat(10_001)))[0]?.path, 'patterns.0')
  assert.is(errors(prepare(fast, ...Array.from({ length: 101 }, () => 'x')))[0]?.path, 'patterns')
  assert.ok(errors(fast.prepare({ action: 'block', config: { patterns: ['x'], pattern: 'y' } })).length > 0)
})

test('a pattern that can match nothing at all is refused', () => {
  for (const pattern of ['', '//', 'a*', '\\b', 'a|', '(?=a)', '^', '(a?)(b*)', '(?:a|b{0})', '(?<=x)', 'a{0,5}?']) {
    assert.is(errors(prepare(fast, pattern)).length, 1, pattern)
  }
  assert.equal(errors(prepare(fast, 'a*b', '\\bx\\b', '(?:a|)b', '^a', '(?=a)a')), [])
})

test('a class of properties, which rules cannot have, is refused rather than never found', () => {
  assert.is(errors(prepare(fast, 'a\\p{L}'))[0]?.position, 1)
  assert.is(errors(prepare(fast, '\\\\\\P{L}')).length, 1)
  assert.equal(errors(prepare(fast, '\\\\p{2}', '\\\\p\\{')), [])
})

test('a rule without an action is refused', () => {
  assert.is(errors(fast.prepare({ config: { patterns: ['x'] }, action: null }))[0]?.path, 'action')
})

test('a configuration can be tried on a text without a rule', async () => {
  const tried = await fast.test({ action: 'block', config: { patterns: ['a', '(?=b)b'] }, text: 'AB' })
  assert.ok(tried.ok && tried.evaluation.verdict === 'findings')
  assert.equal(tried.ok && places(tried.evaluation), [
    [0, 0, 1],
    [0, 1, 2],
  ])
  assert.not.ok((await fast.test({ action: 'block', config: { patterns: ['('] }, text: 'x' })).ok)
})

test('more matches than core could bear are no answer', async () => {
  const found = await evaluate(fast, 'a', 'a'.repeat(100_001))
  assert.is(found.verdict, 'undecided')
})

test('a long text is left to the worker and found in all the same', async () => {
  const text = 'x'.repeat(3_000_000) + 'ana@example.com'
  const found = evaluate(fast, '(?:x|y)+an', text)
  assert.instance(found, Promise)
  assert.equal(places(await found), [[0, 0, 3_000_002]])
  const rare = `${'1 '.repeat(1_000_000)}ana@example.com`
  assert.equal(places(await evaluate(fast, '[a-z]+@[a-z.]+', rare)), [[0, 2_000_000, 2_000_015]])
})

const A = 'a'.repeat(5_000)
/** Patterns that go back without end, each with a text that makes them. */
const CATASTROPHES: readonly (readonly [pattern: string, text: string])[] = [
  ['^(a+)+$', `${A}!`],
  ['^(a*)*$x', `${A}!`],
  ['^([a-z]+)*$x', `${A}!`],
  ['^(a|aa)+$', `${A}!`],
  ['^(a|a?)+$x', `${A}!`],
  ['(.*a){20}!', A],
  ['(.*)*,x', A],
  ['^(?:a?){30}a{30}$', `${A}!`],
  ['(x+x+)+y', 'x'.repeat(5_000)],
  ['(x*x*)*y', 'x'.repeat(5_000)],
  ['^(\\w+\\s?)*$x', 'word '.repeat(1_000) + '!'],
  ['^(\\d+)*[a-z]$', '1'.repeat(5_000)],
  ['([a-z0-9]+)*@', A],
  ['^([a-z0-9_.-]+)+@x$', A],
  ['(?:[a-z]{1,20}){1,20}!', A],
  ['^([aA]+){1,20}$', `${A}!`],
  ['(a|b|ab)*c', 'ab'.repeat(2_500)],
  ['(?:(?:a+)+)+b', A],
  ['((a+)*)*b', A],
  ['(?:\\s*,\\s*)*x$', ' '.repeat(5_000)],
  ['\\s+$x', ' '.repeat(20_000)],
  ['a.*b.*c.*d', 'abc'.repeat(3_000)],
  ['(["\'])(?:.|\\n)*"x', `"${A}`],
  ['<(?:[^<>]+|<[^<>]*>)*>x', '<' + A],
  ['(?:https?://)?(?:[a-z0-9-]+\\.?)+/x', 'a.'.repeat(3_000)],
  ['^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.)+$', A],
  ['(?:é|É)+!', 'é'.repeat(5_000)],
  ['(?:a|A|[aA])+b', A],
  ['a+b|a', 'a'.repeat(30_000)],
  // Not to be run in linear time: for the worker.
  ['^(?=(a+)+$)a', `${A}!`],
  ['^(a+)+\\1$x', `${A}!`],
  ['(?<!x)^(a|aa)+$', `${A}!`],
  ['^(?:(a+)\\1?)+$', `${A}!`],
  ['^(?!(?:a|aa)+b)(?:a|aa)+c', A],
  ['(\\w+)+(?=!!)', A],
]

test('no pattern holds up the gateway, whatever the text', async () => {
  const guarded = createEngine({ pool, linear: proven, workerDeadlineMs: 100 })
  assert.ok(CATASTROPHES.length >= 30)
  for (const [pattern, text] of CATASTROPHES) {
    const prepared = state(prepare(guarded, pattern))
    const started = performance.now()
    const answer = guarded.evaluate({ state: prepared, pass: 0, leaves: [leaf(text)] })
    const held = performance.now() - started
    const { verdict } = await answer
    assert.ok(held < 1_000, `${pattern} held the thread for ${held} ms`)
    // What must not run here has an end all the same, and what it did not find out is not called clean.
    if (prepared[0]?.regexp === null && verdict !== 'undecided') assert.is(verdict, 'pass')
  }
})

test('neither many small texts nor many matches add up to holding the gateway: a worker takes over', async () => {
  if (!proven) return
  const guarded = createEngine({ pool, linear: proven, workerDeadlineMs: 100 })
  const texts = Array.from({ length: 3_000 }, () => `${'a'.repeat(24)}!`)
  const burdens = [
    ['^(a|aa)+$', texts],
    ['a+b|a', ['a'.repeat(99_000)]],
  ] as const
  for (const [pattern, burden] of burdens) {
    const prepared = state(prepare(guarded, pattern))
    assert.ok(prepared[0]?.regexp, 'it is one that may run here')
    const started = performance.now()
    const answer = guarded.evaluate({ state: prepared, pass: 0, leaves: burden.map(leaf) })
    assert.ok(performance.now() - started < 1_000)
    assert.instance(answer, Promise)
    await answer
  }
})

test('most of them are run in linear time, none of the others on this thread', () => {
  if (!proven) return
  const linear = CATASTROPHES.filter(([pattern]) => state(prepare(fast, pattern))[0]?.regexp !== null)
  assert.is(linear.length, 28)
})

test('a late worker is replaced, and the next text is answered', async () => {
  const own = createPool(1)
  const engine = createEngine({ pool: own, linear: false, workerDeadlineMs: 300 })
  assert.is((await evaluate(engine, '^(a+)+$', `${A}!`)).verdict, 'undecided')
  assert.equal(
    places(await evaluate(createEngine({ pool: own, linear: false, workerDeadlineMs: 5_000 }), 'b', 'abc')),
    [[0, 1, 2]],
  )
  await own.stop()
})

test('what waits when the engine stops is undecided, and so is what comes later', async () => {
  const own = createPool(1)
  const engine = createEngine({ pool: own, linear: false, workerDeadlineMs: 60_000 })
  const waiting = [evaluate(engine, '^(a+)+$', `${A}!`), evaluate(engine, 'b', 'b')]
  await own.stop()
  for (const answer of [...waiting, evaluate(engine, 'b', 'b')]) assert.is((await answer).verdict, 'undecided')
})

test.after(() => pool.stop())
test.run()
