import type { Receipt } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Sample, Verdict } from '../domain/replay.js'
import { rule } from '../rules/testing.js'
import type { Input } from './inputs.js'
import { heaviest, Tally } from './tally.js'

const input = (feature = 'find'): Input => ({
  kept: 'original',
  prefix: 'crm',
  serverSlug: 'crm',
  serverId: 's',
  kind: 'tool',
  feature,
  message: {},
})
const receipt = (verdict: Verdict, facts: Partial<Receipt> = {}): Receipt => ({
  rule_id: 'a',
  rule_version: 0,
  rule_name: 'A',
  engine: 'regex',
  hook: 'request',
  verdict,
  action: 'block',
  shadow: false,
  findings: {},
  fell: null,
  ms: 1,
  ...facts,
})
const sample = (verdict: Verdict, feature = 'find'): Sample => ({
  correlationId: 'c',
  at: '',
  leg: 'request',
  server: 'crm',
  feature,
  rule: 'A',
  verdict,
  input: 'original',
  before: null,
  after: null,
})

test('a block outweighs a change, a change an undecided rule, and that what was only found', () => {
  assert.is(heaviest([receipt('detect'), receipt('modify'), receipt('block')]), 'block')
  assert.is(heaviest([receipt('detect'), receipt('undecided')]), 'undecided')
  assert.is(heaviest([receipt('pass')]), 'pass')
  assert.is(heaviest([]), 'pass')
})

test('legs, rules, findings, features and people are counted', () => {
  const tally = new Tally([rule({ id: 'a', name: 'A', engine: 'regex' })])
  const found = receipt('block', { findings: { ssn: 2 } })
  tally.saw({ input: input(), userId: 'ann', receipts: [found] })
  tally.saw({ input: input('list'), userId: 'ann', receipts: [found] })
  tally.saw({ input: input('list'), userId: 'bob', receipts: [receipt('pass')] })
  tally.missed('blocked')
  const { inputs, outcomes, rules, features, users, notKept } = tally.report()
  assert.equal(inputs, { original: 3, redacted: 0 })
  assert.equal([outcomes.block, outcomes.pass, users, notKept], [2, 1, 1, { blocked: 1 }])
  assert.equal(rules[0]?.findings, { ssn: 4 })
  assert.equal(
    features.map(({ feature, counts }) => [feature, counts.block, counts.pass]),
    [
      ['find', 1, 0],
      ['list', 1, 1],
    ],
  )
})

test('samples are few of a kind, twenty in all, and what weighs most comes first', () => {
  const tally = new Tally([])
  assert.not.ok(tally.wants('pass', 'find'))
  for (let n = 0; n < 30; n += 1) if (tally.wants('detect', 'find')) tally.show(sample('detect'))
  assert.is(tally.samples().length, 5)
  for (let n = 0; n < 30; n += 1) if (tally.wants('block', `f${n}`)) tally.show(sample('block', `f${n}`))
  const shown = tally.samples()
  assert.is(shown.length, 20)
  assert.ok(shown.every(({ verdict }) => verdict === 'block'))
})

test('an engine may name what it finds as it likes: names of objects are counted, and not without end', () => {
  const tally = new Tally([rule({ id: 'a' })])
  const findings = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`${'t'.repeat(500)}${n}`, 1]))
  tally.saw({
    input: input(),
    userId: null,
    receipts: [receipt('detect', { findings: { constructor: 2, toString: 1 } })],
  })
  tally.saw({ input: input(), userId: null, receipts: [receipt('detect', { findings })] })
  const told = tally.report().rules[0]?.findings ?? {}
  assert.equal([told['constructor'], told['toString']], [2, 1])
  assert.ok(JSON.stringify(told).length < 30_000)
})

test.run()
