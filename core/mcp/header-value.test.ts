import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.js'

const TEXTS = [
  '',
  'a',
  'get_weather',
  'with space',
  ' leading',
  'trailing ',
  '\ttab\t',
  'tab\tinside',
  'line\nbreak',
  '\r\n',
  '\u0000',
  '\u007f',
  'ä',
  '日本語',
  '😀',
  '\ufeffbom',
  '=?base64?',
  '=?base64?=',
  '=?base64??=',
  '=?BASE64?YQ==?=',
  '=?base64?YQ==?=',
  'x=?base64?YQ==?=',
  '?=',
  '=',
]
/** What Node takes as a header's value. */
const SENDABLE = /^[\t\x20-\x7e]*$/

test('decoding gives back what was encoded, whatever it is', () => {
  for (const text of TEXTS) {
    const encoded = encodeHeaderValue(text)
    assert.is(decodeHeaderValue(encoded), text, JSON.stringify(text))
    assert.match(encoded, SENDABLE)
    assert.is(encoded, encoded.trim())
  }
})

test('so it is for every character of the first planes, alone and between others', () => {
  for (let code = 0; code < 0x11000; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const char = String.fromCodePoint(code)
    for (const text of [char, `a${char}b`])
      if (decodeHeaderValue(encodeHeaderValue(text)) !== text) assert.unreachable(`U+${code.toString(16)}`)
  }
})

test('plain visible text travels as it is', () => {
  for (const text of ['get_weather', 'with space', 'file:///a?b=c', 'tab\tinside'])
    assert.is(encodeHeaderValue(text), text)
})

test('white space around a value does not belong to it', () => {
  assert.is(decodeHeaderValue(' \tname \t'), 'name')
  assert.is(decodeHeaderValue('  =?base64?YQ==?= '), 'a')
})

test('base64 is taken strictly: padding, alphabet, canonical bits, UTF-8', () => {
  for (const encoded of [
    'YQ',
    'YQ=',
    'YR==',
    'YQ== ',
    'Y Q==',
    'YQ==YQ==',
    'Y-_=',
    'Y===',
    '====',
    '!!!!',
    '/w==',
    '7aCA',
    'YQ==\u00e4',
  ])
    assert.is(decodeHeaderValue(`=?base64?${encoded}?=`), null, encoded)
  assert.is(decodeHeaderValue('=?base64?YQ==?='), 'a')
})

test('a hostile value of a million characters is decided at once', () => {
  const startedAt = performance.now()
  for (const text of [
    'a'.repeat(1e6) + '\u0000',
    ' '.repeat(1e6) + 'a\n',
    `=?base64?${'A'.repeat(1e6)}!?=`,
    `${'a '.repeat(5e5)}\u0000`,
  ]) {
    encodeHeaderValue(text)
    decodeHeaderValue(text)
  }
  assert.ok(performance.now() - startedAt < 2_000, `${performance.now() - startedAt} ms`)
})

test.run()
