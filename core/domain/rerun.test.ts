import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Conclusion, differencesOf, readReceiptId } from './rerun.js'

const ID = '019a0000-0000-7000-8000-00000000000a'
const conclusion = (facts: Partial<Conclusion> = {}): Conclusion => ({
  verdict: 'block',
  findings: { ssn: 2 },
  evidence: { fuel: 7, module_sha256: 'ab' },
  ...facts,
})

test('an id of a receipt says message, leg and number; anything else is none', () => {
  assert.equal(readReceiptId(`${ID.toUpperCase()}-2.13`), { message: ID, leg: 2, receipt: 13 })
  for (const text of ['', ID, `${ID}-2`, `${ID}-0.1`, `${ID}-1.0`, `${ID}-1.1.1`, ` ${ID}-1.1`, `${ID}-1.-1`])
    assert.is(readReceiptId(text), null, text)
})

test('what is the same has no differences, whatever the order of its keys', () => {
  const evidence = { module_sha256: 'ab', fuel: 7 }
  assert.equal(differencesOf(conclusion(), conclusion({ evidence })), [])
  assert.equal(differencesOf(conclusion({ evidence: null }), conclusion({ evidence: {} })), [])
})

test('each difference is named: one more, one less, another value, another type', () => {
  const now = conclusion({
    verdict: 'pass',
    findings: { card: 1 },
    evidence: { fuel: '7', abi: 'x', module_sha256: 'ab' },
  })
  assert.equal(differencesOf(conclusion(), now), [
    'verdict',
    'findings.card',
    'findings.ssn',
    'evidence.abi',
    'evidence.fuel',
  ])
})

test('a type that is called like what every object has is a type', () => {
  const odd = JSON.parse('{"constructor":1,"__proto__":1}') as Record<string, number>
  assert.equal(differencesOf(conclusion({ findings: {} }), conclusion({ findings: odd })), [
    'findings.__proto__',
    'findings.constructor',
  ])
})

test.run()
