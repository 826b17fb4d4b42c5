import type { Era, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { appUriOf, toolFor, withoutApp } from './tools.js'

const OBJECT = { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, 'x-unknown': 1 }
const tool = (more: JsonObject = {}): JsonObject => ({ name: 't', inputSchema: OBJECT, 'x-kept': true, ...more })

test('a tool that both eras understand is passed on as it is', () => {
  const whole = tool({ outputSchema: OBJECT, execution: { taskSupport: 'optional' } })
  for (const from of ['legacy', 'modern', null] as const)
    for (const to of ['legacy', 'modern'] as const) assert.is(toolFor(whole, from, to), whole)
})

for (const outputSchema of [{ type: 'array' }, { anyOf: [OBJECT] }, true, { type: ['object', 'null'] }] as never[])
  test(`results of ${JSON.stringify(outputSchema)} are no promise to a legacy client, whoever made it`, () => {
    const given = tool({ outputSchema })
    for (const from of ['legacy', 'modern'] as const) {
      assert.equal(toolFor(given, from, 'legacy'), tool())
      assert.is(toolFor(given, from, 'modern'), given)
    }
  })

test('a schema of arguments without a type gets one for a legacy client, and keeps what it has', () => {
  const bare = { anyOf: [{ required: ['a'] }] }
  assert.equal(toolFor(tool({ inputSchema: bare }), 'modern', 'legacy')['inputSchema'], { type: 'object', ...bare })
  assert.equal(toolFor({ name: 't' }, 'legacy', 'legacy'), { name: 't', inputSchema: { type: 'object' } })
  assert.is(toolFor(tool({ inputSchema: bare }), 'legacy', 'modern')['inputSchema'], bare)
})

test('that a tool runs as a task alone is said within its era', () => {
  const alone = tool({ execution: { taskSupport: 'required' } })
  const more = tool({ execution: { taskSupport: 'required', 'x-more': 1 } })
  for (const [from, to] of [
    ['legacy', 'modern'],
    ['modern', 'legacy'],
  ] as [Era, Era][]) {
    assert.equal(toolFor(alone, from, to), tool())
    assert.equal(toolFor(more, from, to), tool({ execution: { 'x-more': 1 } }))
  }
  for (const from of ['legacy', null] as const) assert.is(toolFor(alone, from, 'legacy'), alone)
})

test('the app of a tool is found in either spelling, and taken off without the tool', () => {
  const nested = tool({ _meta: { ui: { resourceUri: 'ui://a', visibility: ['model'] }, kept: 1 } })
  const flat = tool({ _meta: { 'ui/resourceUri': 'ui://a', kept: 1 } })
  assert.equal([nested, flat, tool(), tool({ _meta: { ui: 'x' } })].map(appUriOf), [
    ...['ui://a', 'ui://a'],
    ...[undefined, undefined],
  ])
  assert.equal(withoutApp(nested), tool({ _meta: { ui: { visibility: ['model'] }, kept: 1 } }))
  assert.equal(withoutApp(flat), tool({ _meta: { kept: 1 } }))
})

test.run()
