import { RuleAnswer } from '@gatehouse/sdk/rule-abi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { shapeAnswer } from './answer-shape.js'

/** As it comes: what is undefined is not there. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))
const shaped = (value: unknown): unknown => {
  try {
    return shapeAnswer(value)
  } catch {
    return 'refused'
  }
}
const bySchema = (value: unknown): unknown => {
  const parsed = RuleAnswer.safeParse(value)
  return parsed.success ? parsed.data : 'refused'
}

/** Of each kind of value some, on the edges too. */
const VALUES: readonly unknown[] = [
  ...[undefined, null, true, 0, 1, 2, -1, 0.5, 1.5, 2 ** 53, NaN, '', 'a', 'x'.repeat(200), 'x'.repeat(201)],
  ...['x'.repeat(500), 'x'.repeat(501), 'pass', 'block', 'modify', 'undecided', 'utf8', 'utf16', [], {}, [1], { a: 1 }],
  ...[[{ text: 0, value: 'x' }], [{ text: -1, value: 'x' }], [{ text: 0 }], [{ text: 0, value: '', more: 1 }]],
  ...[[{ type: 'a' }], [{ type: '' }], [{ type: 'a', text: 1, key: 0, start: 2, end: 3, score: 1, odd: 1 }], [null]],
  ...[Array.from({ length: 1_000 }, () => ({ type: 'a' })), Array.from({ length: 1_001 }, () => ({ type: 'a' }))],
  Array.from({ length: 10_001 }, () => ({ text: 0, value: '' })),
]
const KEYS = ['version', 'verdict', 'reason', 'message', 'texts', 'findings', 'unit', 'unknown']

test('answers are read as the schema of the contract reads them', () => {
  for (const value of VALUES.map(asJson)) assert.equal(shaped(value), bySchema(value))
  const whole = { version: 1, verdict: 'modify', message: { a: 1 }, findings: [{ type: 'a', text: 0 }], more: true }
  for (const key of KEYS)
    for (const value of VALUES) {
      const answer = asJson({ ...whole, [key]: value })
      assert.equal(shaped(answer), bySchema(answer), `${key}: ${JSON.stringify(value)?.slice(0, 60)}`)
    }
  for (const key of ['type', 'text', 'key', 'start', 'end', 'score'])
    for (const value of VALUES) {
      const answer = asJson({ ...whole, findings: [{ type: 'a', [key]: value }] })
      assert.equal(shaped(answer), bySchema(answer), `findings.${key}: ${JSON.stringify(value)?.slice(0, 60)}`)
    }
})

test.run()
