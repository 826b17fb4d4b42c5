import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseJson, withoutMarks, writeJson } from './json.js'

const roundTrip = (text: string) => writeJson(parseJson(text))

test('numbers that a double cannot hold leave as they came', () => {
  for (const number of [
    '12345678901234567890',
    '-9223372036854775808',
    '9007199254740993',
    '0.1234567890123456789',
    '1e400',
    '-1E-400',
    '123456789012345678901234567890.5',
  ])
    assert.is(roundTrip(`{"a":[${number}],"b":${number}}`), `{"a":[${number}],"b":${number}}`)
})

test('a long number is seen wherever it stands, its digits on either side of the point', () => {
  for (let pad = 0; pad < 40; pad += 1)
    for (const number of ['9007199254740993', '1234567890.1234567890', '0.12345678901234567', '1e400']) {
      const text = `{"${'x'.repeat(pad)}":${number}}`
      assert.is(roundTrip(text), text)
    }
})

test('numbers that a double holds stay numbers', () => {
  for (const number of [0, -1, 1.5, 1e21, 2 ** 53, 0.30000000000000004, 1.7976931348623157e308, 5e-324]) {
    assert.is((parseJson(`{"a":${number}}`) as { a: unknown }).a, number)
    assert.is((parseJson(`{"pad":"0123456789012345678901","a":${number}}`) as { a: unknown }).a, number)
  }
  assert.is((parseJson('{"a":10000000000000000000000}') as { a: unknown }).a, 1e22)
})

test('digits inside strings and keys are texts, whatever stands around them', () => {
  for (const text of [
    '{"12345678901234567890":"12345678901234567890"}',
    '["\\"12345678901234567890\\\\",1]',
    '["a\\\\",12]',
  ])
    assert.is(roundTrip(text), text)
  assert.equal(parseJson('["\\\\\\"9007199254740993"]'), ['\\"9007199254740993'])
})

test('what JSON.parse refuses is refused', () => {
  for (const text of [
    '[00012345678901234567890]',
    '[+12345678901234567890]',
    '[12345678901234567890',
    '"12345678901234567890',
    '[1.2.345678901234567890]',
    '[-]',
  ])
    assert.throws(
      () => parseJson(text),
      (thrown: unknown) => thrown instanceof SyntaxError,
    )
})

test('a value from outside that looks like a mark is a string', () => {
  const held = (parseJson('[9007199254740993]') as string[])[0] as string
  const forged = held.replace(/[g-v]{16}:/, 'gggggggggggggggg:')
  assert.is(writeJson([forged]), JSON.stringify([forged]))
})

test('a number that a rule has changed leaves as a string', () => {
  const held = (parseJson('[9007199254740993]') as string[])[0] as string
  assert.is(writeJson([held.replace('740993', '******')]).startsWith('["'), true)
})

test('a number that became part of a text stands there by its digits', () => {
  const [held] = parseJson('[9007199254740993]') as string[]
  assert.is(writeJson({ message: `Unknown tool: ${held}` }), '{"message":"Unknown tool: 9007199254740993"}')
})

test('without its marks a value is what JSON.parse makes of it, the same in every process', () => {
  const text = '{"a":[18446744073709551615,{"__proto__":9007199254740993,"b":"9007199254740993"}],"c":null}'
  assert.equal(JSON.stringify(withoutMarks(parseJson(text))), JSON.stringify(JSON.parse(text)))
  assert.equal(withoutMarks(parseJson('[1e400]')), ['1e400'])
  const plain = parseJson('{"a":[1,"x"]}')
  assert.is(withoutMarks(plain), plain)
})

test('every value that JSON.stringify writes is read the same', () => {
  let state = 11
  const random = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32
  for (let n = 0; n < 5_000; n += 1) {
    const value = {
      n: (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20),
      s: '1234567890123456"\\'.slice(Math.floor(random() * 18)),
    }
    assert.equal(parseJson(JSON.stringify(value)), value)
    assert.is(roundTrip(JSON.stringify(value)), JSON.stringify(value))
  }
})

test.run()
