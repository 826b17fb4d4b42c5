import type { Evaluation, Leaf } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEngine } from './engine.js'
import { enableLinearTime } from './linear-engine.js'
import { compilePattern, compileReady } from './pattern.js'
import type { Pattern } from './pattern.js'
import { createPool } from './pool.js'
import type { Pool } from './pool.js'

const proven = enableLinearTime()
/** Nothing may be left to a worker here. */
const none: Pool = { run: () => Promise.reject(new Error('asked')), warm() {}, stop: async () => undefined }
const engine = createEngine({ pool: none, linear: proven, workerDeadlineMs: 1_000 })

const leaf = (text: string): Leaf => ({ kind: 'value', text })
function compile(source: string): Pattern {
  const pattern = compilePattern(source, 0, true)
  if ('message' in pattern) throw new Error(pattern.message)
  return pattern
}
const ask = (pattern: Pattern, texts: readonly string[]) =>
  engine.evaluate({ state: [pattern], pass: 0, leaves: texts.map(leaf) })
const places = (answer: Evaluation) =>
  answer.verdict === 'findings' ? answer.findings.map(({ leaf: index, start, end }) => [index, start, end]) : []
const expected = (source: string, texts: readonly string[]) =>
  texts.flatMap((text, index) =>
    [...text.matchAll(new RegExp(source, 'gi'))]
      .filter(([match]) => match !== '')
      .map((match) => [index, match.index, match.index + match[0].length]),
  )

test('what is passed over holds no match: the same is found as by a walk over each text', async () => {
  if (!proven) return
  let state = 5
  const below = (n: number) => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1) % n
  const pieces = [
    '@',
    '\\w+',
    '\\.',
    '[a-f]+',
    '\\b',
    '\\d{1,3}',
    '-',
    '(?:ab|@c)',
    '\\s',
    '[^x]',
    '#?',
    '^',
    '$',
    '.',
    '\\B',
    '_',
  ]
  const signs = ['a', 'b', 'F', 'x', '1', '@', '.', '-', ' ', '\n', '_', '\0', 'é', '#']
  let matched = 0
  for (let round = 0; round < 8_000; round += 1) {
    const source = Array.from({ length: 1 + below(5) }, () => pieces[below(pieces.length)]).join('')
    const compiled = compilePattern(source, 0, true)
    if ('message' in compiled || compiled.regexp === null) continue
    const texts = Array.from({ length: below(4) }, () =>
      Array.from({ length: below(14) }, () => signs[below(signs.length)]).join(''),
    )
    const answer = ask(compiled, texts)
    // On a busy machine a turn can take so long that a worker is to go on.
    if (answer instanceof Promise) continue
    const wanted = expected(source, texts)
    matched += wanted.length
    assert.equal(places(answer as Evaluation), wanted, `/${source}/ on ${JSON.stringify(texts)}`)
  }
  assert.ok(matched > 1_000)
})

test('a long text is looked at around the sign that a match needs, beside the calls', () => {
  if (!proven) return
  const pattern = compile('\\b[a-z0-9._%+-]+@[a-z0-9.-]+\\.[a-z]{2,}\\b')
  const prose = 'The driver expects delays near the bridge. '.repeat(20_000)
  const answer = ask(pattern, [`${prose}ana@example.com, ${prose}`])
  if (!(answer instanceof Promise)) assert.equal(places(answer), [[0, prose.length, prose.length + 15]])
  assert.is((ask(pattern, [prose]) as Evaluation).verdict, 'pass')
})

test('a window as long as the text is left to a worker', async () => {
  if (!proven) return
  const pattern = compile('\\b[a-z0-9._%+-]+@[a-z0-9.-]+\\.[a-z]{2,}\\b')
  const answer = await ask(pattern, [`${'a'.repeat(200_000)}@${'a'.repeat(200_000)}`])
  assert.is(answer.verdict, 'undecided')
})

test('a run of what a pattern repeats without end does not hold up the calls', async () => {
  if (!proven) return
  for (const source of ['\\s+$x', '[a-z ]+;', '.*#x', '(?:\\s)+!x']) {
    const pattern = compile(source)
    const started = performance.now()
    const answer = ask(pattern, [' '.repeat(60_000) + (pattern.needs ?? []).join('')])
    assert.ok(performance.now() - started < 1_000, `${source} held the thread`)
    assert.is((await answer).verdict, 'undecided')
  }
})

test('such a run is looked at in a worker, in time that grows with its length', async () => {
  if (!proven) return
  const pool = createPool(1)
  const real = createEngine({ pool, linear: proven, workerDeadlineMs: 20_000 })
  const leaves = [leaf(`${' '.repeat(20_000)}!x`)]
  const answer = await real.evaluate({ state: [compile('\\s+[!]x')], pass: 0, leaves })
  await pool.stop()
  assert.equal(places(answer), [[0, 0, 20_002]])
})

test('what no letter of the other case may stand for is not kept out of a window', () => {
  const pattern = compileReady({ id: 'own', title: '', group: 'secrets', source: '', pattern: '@[^a]b' } as never, true)
  assert.equal(places(ask(pattern, ['x@Ab x@ab']) as Evaluation), [[0, 1, 4]])
})

test('many patterns that are slow one by one do not hold up the calls together', async () => {
  if (!proven) return
  const leaves = [leaf(`${'ab'.repeat(1_200)}!`.repeat(10))]
  const patterns = Array.from({ length: 200 }, (_, n) =>
    compile(`(?:a|b|ab)+[cd]{${1 + (n % 20)}}[${'efghijklmn'[n % 10]}z]`),
  )
  const started = performance.now()
  const answers = patterns.map((_, pass) => engine.evaluate({ state: patterns, pass, leaves }))
  assert.ok(performance.now() - started < 2_000, 'the thread was held')
  await Promise.all(answers)
})

test('a pattern for a worker is not sent there for a text without what it needs', () => {
  const pattern = compile('(?<!x)secret')
  assert.is(pattern.regexp, null)
  assert.is((ask(pattern, ['nothing of the kind']) as Evaluation).verdict, 'pass')
  assert.instance(ask(pattern, ['a SECRET']), Promise)
})

test.run()
