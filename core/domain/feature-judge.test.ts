import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { renamesOf } from './feature-judge.js'

const takes = { inputSchema: { properties: { to: {} } } }

test('what says or takes the same as one that is gone is that one under another name', () => {
  const formerNameOf = renamesOf([
    ['send', { description: 'd1', schema: 's1' }],
    ['keep', { schema: 's2' }],
  ])
  assert.is(formerNameOf({ description: 'd1' }, {}), 'send')
  assert.is(formerNameOf({ description: 'other', schema: 's2' }, takes), 'keep')
  assert.is(formerNameOf({ description: 'other', schema: 's2' }, {}), null, 'many features take nothing')
  assert.is(formerNameOf({}, takes), null)
})

test('a server that renames everything holds up nobody', () => {
  const many = Array.from({ length: 10_000 }, (_, at) => at)
  const started = performance.now()
  const formerNameOf = renamesOf(many.map((at) => [`old-${at}`, { description: `d${at}`, schema: `s${at}` }]))
  for (const at of many) assert.is(formerNameOf({ description: `e${at}`, schema: `t${at}` }, takes), null)
  assert.ok(performance.now() - started < 1_000)
})

test.run()
