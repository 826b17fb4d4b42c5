import { createHash, createHmac } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { applyChange, isWithin, settleSpans, textChange } from './actions.js'
import type { Span } from './actions.js'

const span = (start: number, end: number, score = 1, type = 'X'): Span => ({ type, start, end, score })
const bounds = (spans: readonly Span[]) => spans.map(({ start, end, type }) => [start, end, type])

test('redact deletes the match', () => {
  assert.is(applyChange('a 123 b', [span(2, 5)], { kind: 'redact' }), 'a  b')
})

test('replace takes its text literally', () => {
  assert.is(applyChange('a 123 b', [span(2, 5)], { kind: 'replace', replacement: '$&$1$$' }), 'a $&$1$$ b')
})

test('replace without a text gives the type as a tag', () => {
  const change = textChange('replace', {}, null)
  assert.ok(change)
  assert.is(applyChange('to a@b.c', [span(3, 8, 1, 'EMAIL_ADDRESS')], change), 'to <EMAIL_ADDRESS>')
  assert.is(applyChange('12', [span(0, 2, 1, 'pattern:1')], change), '<PATTERN_1>')
})

test('mask puts one star for each character, also for one of two code units', () => {
  assert.is(applyChange('x😀y', [span(0, 4)], { kind: 'mask', keepLast: 0 }), '***')
})

test('mask keeps the last characters when told, but never a whole match', () => {
  assert.is(applyChange('4111111111111111', [span(0, 16)], { kind: 'mask', keepLast: 4 }), '************1111')
  assert.is(applyChange('1234', [span(0, 4)], { kind: 'mask', keepLast: 4 }), '****')
})

test('hash is HMAC-SHA256 with the key of the workspace, SHA-256 without one', () => {
  const key = Buffer.from('k'.repeat(32))
  const keyed = textChange('hash', {}, key)
  const bare = textChange('hash', {}, null)
  assert.ok(keyed && bare)
  assert.is(applyChange('é', [span(0, 1)], keyed), createHmac('sha256', key).update('é').digest('hex'))
  assert.is(applyChange('é', [span(0, 1)], bare), createHash('sha256').update('é').digest('hex'))
})

test('of two that overlap the higher score wins, then the longer', () => {
  assert.equal(bounds(settleSpans([span(0, 10, 0.4, 'A'), span(2, 8, 0.9, 'B')])), [
    [0, 2, 'A'],
    [2, 8, 'B'],
    [8, 10, 'A'],
  ])
  assert.equal(bounds(settleSpans([span(2, 4, 1, 'A'), span(0, 6, 1, 'B')])), [[0, 6, 'B']])
})

test('nothing that any finding covers is let through, whatever overlaps', () => {
  const random = numbers(7)
  for (let round = 0; round < 500; round += 1) {
    const text = 'abcdefghijklmnopqrst'
    const spans = Array.from({ length: 1 + random(6) }, () => {
      const start = random(19)
      return span(start, start + 1 + random(20 - start), random(3) / 2)
    })
    const covered = new Set(spans.flatMap(({ start, end }) => text.slice(start, end).split('')))
    const kept = applyChange(text, settleSpans(spans), { kind: 'redact' })
    assert.is(kept, [...text].filter((letter) => !covered.has(letter)).join(''))
    assert.is(applyChange(text, settleSpans(spans), { kind: 'mask', keepLast: 0 }).length, text.length)
  }
})

test('a finding outside of its text is a fault', () => {
  const finding = { type: 'X', leaf: 0, start: 0, end: 3, score: 1 }
  assert.ok(isWithin(finding, 3))
  for (const bad of [
    { end: 4 },
    { start: -1 },
    { start: 3 },
    { end: 0 },
    { start: 0.5 },
    { score: 2 },
    { score: NaN },
  ]) {
    assert.not.ok(isWithin({ ...finding, ...bad }, 3), JSON.stringify(bad))
  }
})

const numbers = (seed: number) => (below: number) => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return Math.floor((seed / 2_147_483_648) * below)
}

test.run()
