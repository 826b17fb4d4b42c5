import { RULE_STRIKES } from '@gatehouse/sdk/rule-abi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRisks } from './risks.js'
import type { Prepared } from './shelf.js'

const rule = {} as Prepared

test('whose messages cost a thread waits, and others do not, until it is the rule', () => {
  let now = 0
  const risks = createRisks(() => now)
  const held = () => ['ann', 'bob', null].map((who) => risks.of(who).holds(rule))
  assert.equal(held(), [false, false, false])
  risks.of('ann').note(rule)
  risks.of('ann').note(rule)
  assert.equal(held(), [true, false, false])
  now = 1
  risks.of('bob').note(rule)
  assert.equal(held(), [true, true, true])
  now = RULE_STRIKES.withinMs
  assert.equal(held(), [false, true, false])
  now += 1
  assert.equal(held(), [false, false, false])
})

test.run()
