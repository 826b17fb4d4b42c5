import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Span, TextChange } from '../domain/actions.js'
import { changeText } from './json-text.js'

const find = (text: string, pattern: RegExp): Span[] =>
  Array.from(text.matchAll(pattern), (match) => ({
    type: 'X',
    start: match.index,
    end: match.index + match[0].length,
    score: 1,
  }))
const change = (text: string, pattern: RegExp, how: TextChange) => changeText(text, find(text, pattern), how)
const quote: TextChange = { kind: 'replace', replacement: '"<&\\' }
const mask: TextChange = { kind: 'mask', keepLast: 0 }

test('plain text is changed as it stands', () => {
  assert.is(change('ssn 123', /\d+/g, quote), 'ssn "<&\\')
  assert.is(change('{ not json 123 }', /\d+/g, quote), '{ not json "<&\\ }')
})

test('JSON that stays JSON is changed as it stands', () => {
  assert.is(change('{"a": "x 123 y"}', /\d+/g, mask), '{"a": "x *** y"}')
})

test('a replacement that would end a string is escaped', () => {
  const changed = change('{"a": "x 123 y",\n "b": 1}', /123/g, quote)
  assert.equal(JSON.parse(changed), { a: 'x "<&\\ y', b: 1 })
  assert.match(changed, ',\n "b": 1')
})

test('a number that is no number any more becomes a string', () => {
  assert.equal(JSON.parse(change('{"card": 4111111111111111, "n": [2]}', /\d{5,}/g, mask)), {
    card: '****************',
    n: [2],
  })
})

test('a match across the marks of JSON is changed on both sides of them', () => {
  const changed = change('{"ssn": "123-45", "next": "ok"}', /ssn.*?45"/g, { kind: 'redact' })
  assert.equal(JSON.parse(changed), { '': '', next: 'ok' })
})

test('an escape is never cut in two', () => {
  const changed = change('{"a": "\\u00e9\\"x"}', /e9\\/g, quote)
  assert.equal(JSON.parse(changed), { a: '"<&\\x' })
})

test('whatever is cut out of JSON, it stays JSON and nothing found is left', () => {
  const text = JSON.stringify({ k1: 'a"b\\c\n', n: [12345, -6.5e10, true, null], deep: { 'é"': '\u0001x', e: {} } })
  const once = [...text].filter((sign) => /\w/.test(sign) && text.indexOf(sign) === text.lastIndexOf(sign))
  const ways: TextChange[] = [mask, quote, { kind: 'redact' }]
  for (let start = 0; start < text.length; start += 1) {
    for (let end = start + 1; end <= text.length; end += 1) {
      const gone = once.filter((sign) => text.slice(start, end).includes(sign))
      for (const way of ways) {
        const changed = changeText(text, [{ type: 'X', start, end, score: 1 }], way)
        JSON.parse(changed)
        assert.not.ok(gone.some((sign) => changed.includes(sign)))
      }
    }
  }
})

test.run()
