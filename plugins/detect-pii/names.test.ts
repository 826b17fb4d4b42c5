import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Name } from './entities.js'
import { findNames } from './names.js'

const found = (type: Name, text: string) =>
  findNames(text, new Set([type])).map(({ start, end }) => text.slice(start, end))

test('names of persons are found where they stand, behind an emoji too', () => {
  assert.equal(found('PERSON', '🎉 My name is Ana María Silva, thanks.'), ['Ana María Silva'])
  assert.equal(found('PERSON', 'We met Robert Miller at the fair.'), ['Robert Miller'])
  assert.equal(found('PERSON', '{"name":"Chinedu Okafor"}'), ['Chinedu Okafor'])
  assert.equal(found('PERSON', 'Dear Dr. Okafor, hello'), ['Dr. Okafor'])
})

test('places and groups are found', () => {
  assert.equal(found('LOCATION', 'She lives in Lisbon, Portugal.').join(' '), 'Lisbon, Portugal')
  assert.equal(found('LOCATION', 'Deliver to 12 Baker Street please'), ['12 Baker Street'])
  assert.equal(found('NRP', 'A Brazilian and two Buddhists met.'), ['Brazilian', 'Buddhists'])
})

test('what is not asked for is not looked for, and text without words holds nothing', () => {
  assert.equal(findNames('Robert Miller lives in Lisbon.', new Set(['NRP'])), [])
  assert.equal(findNames('12 34 {}', new Set(['PERSON'])), [])
})

test('every span lies in its text', () => {
  const text = '👩‍💻 "Ana Silva"\n\tBerlin — (Robert Miller).  \u2028 Dear  Wei, hi;São Paulo;'.repeat(5)
  for (const { start, end } of findNames(text, new Set(['PERSON', 'LOCATION', 'NRP']))) {
    assert.ok(start >= 0 && start < end && end <= text.length)
    assert.match(text.slice(start, end), /^[\p{L}\d].*[\p{L}\p{M}.]$/u)
  }
})

test.run()
