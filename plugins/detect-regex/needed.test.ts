import { RegExpParser } from '@eslint-community/regexpp'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { neededSign, neededTexts } from './needed.js'

const parse = (source: string) => new RegExpParser().parsePattern(source, 0, source.length, { unicode: false })
const needs = (source: string) => neededSign(parse(source))
const texts = (source: string) => neededTexts(parse(source))

test('names the rarest sign that stands in every match', () => {
  assert.is(needs('\\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}\\b'), '@')
  assert.is(needs('\\b\\d{3}-\\d{2}-\\d{4}\\b'), '-')
  assert.is(needs('(?:#\\d|\\d#)+'), '#')
  assert.is(needs('a{2}(?<n>~)'), '~')
  assert.is(needs(' \\.\\$'), '$')
})

test('names none where a match could do without it', () => {
  assert.is(needs('@?\\d'), null)
  assert.is(needs('@|\\d'), null)
  assert.is(needs('(?:@\\d|#\\d){2}'), null)
  assert.is(needs('@{0}\\d'), null)
  assert.is(needs('(?!@)\\d'), null)
  assert.is(needs('(?<=x)\\d'), null)
  assert.is(needs('[@#]\\d'), null)
})

test('names no letter that has another case', () => {
  for (const letters of ['akia', 'K', 'µ', 'Å', 'ω']) assert.is(needs(letters), null)
  assert.is(needs('漢'), '漢')
})

test('no text that matches is without the sign', () => {
  let state = 7
  const below = (n: number) => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1) % n
  const pieces = [
    '@',
    '#',
    'k',
    '\\d',
    '[@k]',
    '@?',
    '#*',
    '(?:@|#)',
    '(?:@k|k@)+',
    '\\b',
    '(?:#{1,2}|@#)',
    '-{2,3}',
    '.',
  ]
  let matched = 0
  for (let round = 0; round < 4_000; round += 1) {
    const source = Array.from({ length: 1 + below(4) }, () => pieces[below(pieces.length)]).join('')
    const text = Array.from({ length: below(9) }, () => '@#kK-1 \u212a'[below(8)]).join('')
    const sign = needs(source)
    if (sign === null || !new RegExp(source, 'i').test(text)) continue
    matched += 1
    assert.ok(text.includes(sign), `/${source}/i matches '${text}' without '${sign}'`)
  }
  assert.ok(matched > 200)
})

test('names the texts of which every match holds one, in lower case', () => {
  assert.equal(texts('\\b(?:AKIA|ASIA)[A-Z0-9]{16}\\b'), ['akia', 'asia'])
  assert.equal(texts('\\bgh[pousr]_[A-Za-z0-9]{36}'), ['gh'])
  assert.equal(texts('[Pp]assword\\s*[=:]'), ['password'])
  assert.equal(texts('xox[ab]-\\d{3}-(?:long text)'), ['-long text'])
  assert.equal(texts('(?<=id )\\d+ ?@'), ['@'])
  assert.equal(texts('(?:ab){2}c+'), ['abab'])
})

test('names no texts where a match could do without, nor what every text holds', () => {
  for (const source of ['\\d+', 'x?', '(?:secret)?\\d', 'secret|\\d', 'a', ' \\d', '(?:ab|cd|)\\d', '[ab]c', '.{3}'])
    assert.is(texts(source), null, source)
})

test('no text that matches is without one of the texts', () => {
  let state = 11
  const below = (n: number) => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 1) % n
  const pieces = [
    'ab',
    'K',
    '[kK]',
    '\\d',
    'b?',
    '(?:ab|ka)',
    '(?:ab|)',
    'a{2}',
    'b{2,}',
    '\\b',
    '(?=a)',
    '(?:k|ab){2}',
    '@',
    'µ',
    '.',
  ]
  let matched = 0
  for (let round = 0; round < 6_000; round += 1) {
    const source = Array.from({ length: 1 + below(4) }, () => pieces[below(pieces.length)]).join('')
    const text = Array.from({ length: below(10) }, () => 'aAbBkK1@µμK'[below(11)]).join('')
    const some = texts(source)
    if (some === null || !new RegExp(source, 'i').test(text)) continue
    matched += 1
    assert.ok(
      some.some((one) => text.toLowerCase().includes(one)),
      `/${source}/i matches '${text}' without ${some.join()}`,
    )
  }
  assert.ok(matched > 100)
})

test.run()
