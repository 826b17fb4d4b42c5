import { RuleAnswer } from '@gatehouse/sdk/rule-abi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fastAnswer } from './fast-answer.js'
import { RuleFault } from './fault.js'
import { parseAnswer, readAnswer } from './index.js'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

function problemOf(bytes: Uint8Array): string {
  try {
    readAnswer(bytes)
    return 'none'
  } catch (error) {
    assert.instance(error, RuleFault)
    assert.is((error as RuleFault).kind, 'answer')
    return (error as RuleFault).message
  }
}

/** Values that are nearly what the schema asks for. */
const values: readonly unknown[] = [
  null,
  0,
  -0,
  1,
  -1,
  0.5,
  2,
  1.5,
  2 ** 53,
  true,
  '',
  'pass',
  'block',
  'utf8',
  'x'.repeat(201),
  'x'.repeat(501),
  [],
  {},
  [null],
]

test('the fast check accepts nothing that the schema refuses, and makes the same of it', () => {
  const answers: unknown[] = [...values]
  for (const value of values) {
    for (const key of ['version', 'verdict', 'reason', 'message', 'texts', 'findings', 'unit', 'other', '__proto__'])
      answers.push(own({ version: 1, verdict: 'pass' }, key, value))
    for (const key of ['type', 'text', 'key', 'start', 'end', 'score', 'other'])
      answers.push({ version: 1, verdict: 'block', findings: [own({ type: 'a', text: 1 }, key, value)] })
  }
  answers.push({ version: 1, verdict: 'pass', findings: Array.from({ length: 1_001 }, () => ({ type: 'a' })) })
  let accepted = 0
  for (const answer of answers) {
    const fast = fastAnswer(answer)
    if (fast === null) continue
    accepted += 1
    assert.equal(fast, RuleAnswer.parse(answer))
  }
  assert.ok(accepted > 40, String(accepted))
})

function own(object: object, key: string, value: unknown): object {
  return Object.defineProperty({ ...object }, key, { value, enumerable: true, configurable: true, writable: true })
}

test('refuses what is no answer, and says why', () => {
  assert.match(problemOf(Uint8Array.of(0x22, 0xff, 0x22)), /no UTF-8/)
  assert.match(problemOf(bytesOf('')), /no JSON/)
  assert.match(problemOf(bytesOf('{"version":1')), /no JSON/)
  assert.match(problemOf(bytesOf('\ufeff{"version":1,"verdict":"pass"}')), /no JSON/)
  assert.match(problemOf(bytesOf('{"version":2,"verdict":"pass"}')), /no verdict: version/)
  assert.match(problemOf(bytesOf('{"verdict":"pass"}')), /no verdict: version/)
  assert.match(problemOf(bytesOf('{"version":1,"verdict":"Pass"}')), /no verdict: verdict/)
  assert.match(problemOf(bytesOf('[{"version":1,"verdict":"pass"}]')), /no verdict/)
  assert.match(problemOf(bytesOf(`{"version":1,"verdict":"block","reason":"${'x'.repeat(501)}"}`)), /reason/)
  assert.match(problemOf(bytesOf('{"version":1,"verdict":"modify","message":[]}')), /message/)
})

test('refuses half of a character wherever it stands', () => {
  const torn = [
    '{"version":1,"verdict":"block","reason":"\\ud83d"}',
    '{"version":1,"verdict":"modify","message":{"a":[{"b":"\\uDE00 "}]}}',
    '{"version":1,"verdict":"modify","message":{"\\ud800":1}}',
    '{"version":1,"verdict":"modify","texts":[{"text":0,"value":"x\\udfff"}]}',
    '{"version":1,"verdict":"pass","findings":[{"type":"\\ud83d"}]}',
  ]
  for (const text of torn) assert.match(problemOf(bytesOf(text)), /half of a character/, text)
  assert.is(parseAnswer('{"version":1,"verdict":"block","reason":"\\ud83d\\ude00"}').reason, '\u{1f600}')
})

test('refuses a message that is nested deeper than any honest one, without overflowing', () => {
  const deep = (levels: number) =>
    `{"version":1,"verdict":"modify","message":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`
  assert.match(problemOf(bytesOf(deep(30_000))), /levels/)
  assert.is(problemOf(bytesOf(deep(400))), 'none')
})

test('ignores what it does not know, even names that every object has', () => {
  const answer = parseAnswer(
    '{"version":1,"verdict":"pass","__proto__":{"verdict":"block"},"constructor":1,"later":[]}',
  )
  assert.equal(Object.keys(answer), ['version', 'verdict'])
  assert.is(answer.verdict, 'pass')
  const { message } = parseAnswer('{"version":1,"verdict":"modify","message":{"__proto__":{"polluted":true}}}')
  assert.is(({} as Record<string, unknown>)['polluted'], undefined)
  assert.is(JSON.stringify(message), '{"__proto__":{"polluted":true}}')
})

test.run()
