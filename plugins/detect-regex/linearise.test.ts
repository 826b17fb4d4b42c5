import { RegExpParser } from '@eslint-community/regexpp'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { enableLinearTime, isLinear } from './linear-engine.js'
import { linearise } from './linearise.js'

const parse = (source: string) => new RegExpParser().parsePattern(source, 0, source.length, { unicode: false })
const say = (source: string) => linearise(parse(source))
const proven = enableLinearTime()
/** V8's own flag, which linters do not know. */
const LINEAR = 'gl'

const PATTERNS = [
  'abc',
  '\\bs\\b',
  '[a-f]+',
  '[^a-f]+',
  '[^\\W_]+x',
  '[\\s\\d-]+',
  '[\\Sa]',
  '\\w+\\W',
  '\\Bk',
  'k|ſ|s',
  '[k-s]{2,3}',
  'µ+',
  '[à-ÿ]+',
  '[^à-ÿ]',
  'σ',
  '[α-ω]{1,2}?',
  'ж[а-я]*',
  'ß',
  'ẞ',
  'İ|ı|i',
  'ǆ',
  'Å',
  'Ω',
  '[\\u2120-\\u2130]',
  '\\u{2}',
  'a{2,}?b',
  '(a)(?<n>b)?c',
  '(?:a|ab)(?:c|bcd)?',
  'a+?b??',
  '^a|b$',
  '.a',
  '[]|a',
  '[^]',
  '(?:a|)b',
  '(?:a*)*b',
  '(?:|a)+b',
  '(?:a?b?)+k',
  '(?:a|b?){2,}k',
  '(?:a?){2,3}b|x',
  'x{0}a',
  'a{0,3}b',
  '(?:ab?){2,4}',
  '(?:a{1,2}|b){1,3}k',
  '\\x41\\cJ?',
  '\\/a\\.b\\-c',
  '[\\b]',
  '[a\\]-]',
  '😀+',
  '[😀]',
  '\\ud83d',
  '}{',
  'a{,2}',
  '\\d{3}-\\d{2}',
]
const ALPHABETS = [
  'abcABC',
  'abkKsSſK \n_-1',
  'µΜμßẞÿŸàÀåÅÅ',
  'σςΣαΑωΩΩжЖаЯ',
  'iIıİǄǅǆ',
  '😀\ud83d\ude00x\u0008\u2028',
  'aAbB/.-{},]12u',
]

const numbers = (seed: number) => (below: number) => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return Math.floor((seed / 2_147_483_648) * below)
}
function texts(): string[] {
  const random = numbers(42)
  return ALPHABETS.flatMap((alphabet) =>
    Array.from({ length: 400 }, () =>
      Array.from({ length: random(9) }, () => alphabet.charAt(random(alphabet.length))).join(''),
    ),
  )
}
const spans = (regexp: RegExp, text: string) =>
  JSON.stringify(Array.from(text.matchAll(regexp), (match) => [match.index, match[0]]))

for (const source of PATTERNS) {
  test(`${source} said anew finds what it finds with i and g`, () => {
    const said = say(source)
    if (said === null) return assert.is(source, '(?:a?){2,3}b|x', 'only this one cannot be said anew')
    const expected = new RegExp(source, 'gi')
    const anew = new RegExp(said.source, 'g')
    const linear = proven ? new RegExp(said.source, LINEAR) : anew
    for (const text of texts()) {
      const wanted = spans(expected, text)
      assert.is(spans(anew, text), wanted, JSON.stringify(text))
      assert.is(spans(linear, text), wanted, `linear: ${JSON.stringify(text)}`)
    }
  })
}

test('every code unit is alike to the same others as with the flag i', () => {
  for (let unit = 0; unit <= 0xffff; unit += 1) {
    const letter = String.fromCharCode(unit)
    if (letter.toLowerCase() === letter && letter.toUpperCase() === letter) continue
    const source = `\\u${unit.toString(16).padStart(4, '0')}`
    const [expected, anew] = [new RegExp(source, 'i'), new RegExp(say(source)?.source ?? '')]
    for (const other of new Set([
      letter,
      letter.toLowerCase(),
      letter.toUpperCase(),
      letter.toLowerCase().toUpperCase(),
    ])) {
      assert.is(anew.test(other), expected.test(other), `${source} on ${other}`)
    }
  }
})

test('what cannot run in linear time is not said anew', () => {
  for (const source of ['(?=a)b', '(?!a)b', '(?<=a)b', '(?<!a)b', '(a)\\1', '(?<n>a)\\k<n>'])
    assert.is(say(source), null)
})

test('a pattern that would grow too large is not said anew, and finding out costs nothing', () => {
  assert.is(say('a{2000}'), null)
  assert.is(say('(?:(?:(?:a{1,90}){1,90}){1,90}){1,90}'), null)
  assert.is(say('(?:[a-z]{0,30}){0,30}x{500}'), null)
})

test('what is said anew is proven, and what is not linear is not', () => {
  if (!proven) return
  for (const source of ['(a+)+$', '[a-z]{1,60}@', '(?:x{1,20}y?){3}'])
    assert.ok(isLinear(say(source)?.source ?? '(?=)'))
  assert.not.ok(isLinear('(?=a)'))
})

test.run()
