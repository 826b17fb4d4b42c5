import { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkPatterns, compilePatterns, type Pattern } from './patterns.js'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const compiled = (pattern: string): Pattern => compilePatterns({ it: pattern }).get('it') as Pattern
const patternOf = (pattern: string) => ({
  find(text: Uint8Array, from: number) {
    const look = compiled(pattern).find(text, from, Infinity)
    return look && [look.start, look.end]
  },
})

test('finds the first match at or after a byte, counted in bytes', () => {
  const word = patternOf('[a-z]+é?')
  assert.equal(word.find(bytesOf('é ab é cé'), 0), [3, 5])
  assert.equal(word.find(bytesOf('é ab é cé'), 4), [4, 5])
  assert.equal(word.find(bytesOf('é ab é cé'), 5), [9, 12])
  assert.is(word.find(bytesOf('é ab é cé'), 12), null)
  assert.is(word.find(bytesOf(''), 0), null)
})

test('sees what stands before the byte where it begins', () => {
  const whole = patternOf('\\bcat\\b')
  assert.is(whole.find(bytesOf('concat'), 3), null)
  assert.equal(whole.find(bytesOf('con cat'), 4), [4, 7])
  assert.is(patternOf('^b').find(bytesOf('ab'), 1), null)
})

test('prefers as a backtracking engine would, and can match nothing', () => {
  assert.equal(patternOf('a|ab').find(bytesOf('xab'), 0), [1, 2])
  assert.equal(patternOf('a+?').find(bytesOf('aaa'), 0), [0, 1])
  assert.equal(patternOf('x*').find(bytesOf('abc'), 1), [1, 1])
})

test('bytes that are no UTF-8 match nothing that is a character', () => {
  assert.is(patternOf('\\pL').find(Uint8Array.of(0xff, 0xc3, 0x80 + 0x40), 0), null)
})

test('refuses what needs more than time in proportion to the text', () => {
  const problems = (patterns: Readonly<Record<string, string>>) =>
    checkPatterns(
      RuleManifest.parse({ name: 'test', version: '1', abi: 'gatehouse.rule/1', sha256: '0'.repeat(64), patterns }),
    ).map(({ path }) => path)
  assert.equal(problems({ fine: '(?i)a(b|c)*\\d', names: '(?P<year>\\d{4})' }), [])
  assert.equal(problems({ back: '(a)\\1', ahead: 'a(?=b)', behind: '(?<=a)b', open: '(a', much: 'a{1001}' }), [
    'patterns.back',
    'patterns.ahead',
    'patterns.behind',
    'patterns.open',
    'patterns.much',
  ])
})

test('refuses programs that are too large, those of the configuration all together before those of the rule', () => {
  const problems = (parts: object) =>
    checkPatterns(
      RuleManifest.parse({ name: 'test', version: '1', abi: 'gatehouse.rule/1', sha256: '0'.repeat(64), ...parts }),
    ).map(({ path, message }) => `${path} ${message}`)
  const optional = '(x?){300}'
  assert.equal(problems({ config: { a: { pattern: optional } }, patterns: { a: '(x?){1000}' } }), [])
  assert.match(
    problems({ config: { a: { pattern: optional }, b: { pattern: optional } } }).join(),
    /^config.b.pattern .*2000 steps/,
  )
  assert.match(problems({ patterns: { a: '(x?){1000}'.repeat(2) } }).join(), /^patterns.a .*5000 steps/)
})

test('time is in proportion to the text, whatever the pattern', () => {
  const text = bytesOf('ab'.repeat(20_000))
  for (const pattern of ['(a*)*c', '(a|b)*a(a|b){12}c', '(.*)(.*)(.*)(.*)[c-d]', '((a+b?)+)+$c', '(?i)ignore all']) {
    const began = performance.now()
    assert.is(patternOf(pattern).find(text, 0), null)
    assert.ok(performance.now() - began < 3_000, pattern)
  }
})

test('tells how far it read for a match, and reads no further than is paid for', () => {
  const text = bytesOf(`x${'a'.repeat(65_535)}`)
  const on = compiled('x.*y[yz]|x')
  const look = on.find(text, 0, Infinity)
  assert.equal([look?.start, look?.end, look?.read], [0, 1, 65_536])
  assert.throws(() => on.find(text, 0, 1_000), /not enough fuel/)
  // As long as nothing is thrown, it finds the same.
  assert.equal(on.find(text, 0, 65_536), look)
  const near = compiled('xa').find(text, 0, 10)
  assert.ok(near !== null && near.read <= 10, String(near?.read))
})

test('where it finds, and how far it reads, is the same whatever was looked at before', () => {
  for (const pattern of ['(a|b)*a(a|b){12}[c-d]', '[a-d]+d|a', '(?i)(ab|ba)+c?']) {
    const texts = ['abcd', 'ab'.repeat(3_000), `${'abbab'.repeat(1_000)}c`, 'd'].map(bytesOf)
    const used = compiled(pattern)
    const looks = () => texts.map((text) => used.find(text, 0, Infinity))
    const first = looks()
    for (const text of texts)
      for (let from = 0; from < Math.min(50, text.length); from += 1) used.find(text, from, Infinity)
    assert.equal(looks(), first)
    assert.equal(
      texts.map((text) => compiled(pattern).find(text, 0, Infinity)),
      first,
    )
  }
})

test.run()
