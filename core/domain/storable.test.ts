import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { storable } from './storable.js'

const through = (value: unknown): unknown => JSON.parse(storable(JSON.stringify(value)))

test('a NUL becomes a replacement character', () => {
  assert.equal(through({ a: 'x\0y' }), { a: 'x\ufffdy' })
})

test('lone surrogates become replacement characters, whole pairs stay', () => {
  assert.equal(through({ a: '\ud83d-\udc00-😀' }), { a: '\ufffd-\ufffd-😀' })
})

test('text that merely spells an escape stays as it is, however many backslashes stand before it', () => {
  for (const text of ['\\u0000', '\\\\u0000', '\\ud800', '\\\\\\ud83d', 'C:\\ud', '\\u0000\0']) {
    assert.equal(through(text), text.replace('\0', '\ufffd'))
  }
})

test('other escapes are left alone', () => {
  const text = 'a"b\\c\n\t\u0001\u001f\u2028 \ud800'
  assert.equal(through(text), text.replace('\ud800', '\ufffd'))
})

test('text without either is the same string', () => {
  const json = JSON.stringify({ a: 'plain é 😀' })
  assert.is(storable(json), json)
})

test.run()
