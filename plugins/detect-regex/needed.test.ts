import { RegExpParser } from '@eslint-community/regexpp'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { neededSign } from './needed.js'

const needs = (source: string) =>
  neededSign(new RegExpParser().parsePattern(source, 0, source.length, { unicode: false }))

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

test.run()
