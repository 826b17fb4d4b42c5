import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Leaf } from './engine.js'
import { screen, testMessage } from './screening.js'
import type { Piece, PiecesAnswer, ScreeningLimits } from './screening.js'

const LIMITS: ScreeningLimits = { characters: 20, pieces: 3, questions: 10 }
const value = (text: string): Leaf => ({ kind: 'value', text })

/** Screens leaves; what was asked, and what came of it. `rewrite` gives the changes themselves. */
async function screened(leaves: readonly Leaf[], answer: (pieces: readonly Piece[]) => PiecesAnswer, limits = LIMITS) {
  const asked: string[][] = []
  const ask = async (pieces: readonly Piece[]) => {
    asked.push(pieces.map(({ text }) => text))
    return answer(pieces)
  }
  const verdict = await screen({ leaves, rewrite: (texts) => Object.fromEntries(texts), limits, ask })
  return { asked, verdict }
}
const pass = (): PiecesAnswer => ({ kind: 'pass' })
const upper = (pieces: readonly Piece[]): PiecesAnswer => ({
  kind: 'changed',
  texts: pieces.map(({ text }) => text.toUpperCase()),
})

test('each text is shown once, the whole message and blank ones never', async () => {
  const leaves = [value('one'), value('two'), value('one'), value('  '), { kind: 'whole', text: '{}' } as const]
  const { asked, verdict } = await screened(leaves, pass)
  assert.equal(asked, [['one', 'two']])
  assert.equal(verdict, { verdict: 'pass' })
  assert.equal((await screened([value('')], upper)).asked, [])
})

test('questions keep to the limits, long texts are cut at white space and put together again', async () => {
  const text = 'aaaa bbbb cccc dddd eeee ffff gggg'
  const { asked, verdict } = await screened([value('1'), value('2'), value('3'), value('4'), value(text)], upper)
  assert.equal(asked[0], ['1', '2', '3'])
  for (const pieces of asked) assert.ok(pieces.join('').length <= 20 && pieces.length <= 3)
  assert.is(asked.flat().slice(4).join(''), text)
  assert.equal(verdict, { verdict: 'modify', patch: { message: { 4: text.toUpperCase() } } })
})

test('no cut goes through a surrogate pair', async () => {
  const text = '😀'.repeat(25)
  const { asked } = await screened([value(text)], pass, { ...LIMITS, characters: 15 })
  assert.is(asked.flat().join(''), text)
  for (const piece of asked.flat()) assert.not.match(piece, /[\ud800-\udbff]$|^[\udc00-\udfff]/)
})

test('a change reaches every place of a text', async () => {
  const { verdict } = await screened([value('a'), value('b'), value('a')], (pieces) => ({
    kind: 'changed',
    texts: pieces.map(({ text }) => (text === 'a' ? '*' : text)),
  }))
  assert.equal(verdict, { verdict: 'modify', patch: { message: { 0: '*', 2: '*' } } })
})

test('a change in a key blocks, since keys cannot be rewritten', async () => {
  const { verdict } = await screened([value('x'), { kind: 'key', text: 'a@b.c' }], upper)
  assert.is(verdict.verdict, 'block')
})

test('a block counts for more than a failure, and a failure for more than a change', async () => {
  const of = (kinds: Readonly<Record<string, PiecesAnswer>>) =>
    screened(Object.keys(kinds).map(value), ([piece]) => kinds[piece?.text ?? ''] ?? pass(), { ...LIMITS, pieces: 1 })
  const failed: PiecesAnswer = { kind: 'undecided', message: 'late' }
  const blocked: PiecesAnswer = { kind: 'block', reason: 'no' }
  const changed: PiecesAnswer = { kind: 'changed', texts: ['*'] }
  assert.equal((await of({ a: failed, b: blocked })).verdict, { verdict: 'block', reason: 'no' })
  assert.equal((await of({ a: changed, b: failed })).verdict, { verdict: 'undecided', message: 'late' })
})

test('texts that do not fit ours, and a message that is too long, are undecided', async () => {
  const { verdict } = await screened([value('a'), value('b')], () => ({ kind: 'changed', texts: ['*'] }))
  assert.is(verdict.verdict, 'undecided')
  const { verdict: long, asked } = await screened([value('a '.repeat(500))], pass)
  assert.equal([long.verdict, asked.length], ['undecided', 0])
})

test('a test shows a message of its contract', () => {
  assert.equal(testMessage('request', 'a').rewrite(new Map([[0, 'b']])), { name: 'test', arguments: { text: 'b' } })
  assert.equal(testMessage('response', 'a').rewrite(new Map()), { content: [{ type: 'text', text: 'a' }] })
})

test.run()
