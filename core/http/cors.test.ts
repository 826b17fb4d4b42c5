import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allowedHeaders } from './cors.js'

const names = (asked?: string) => allowedHeaders(asked).toLowerCase().split(', ')

test('what the protocol needs is allowed, whether or not it is asked for', () => {
  for (const name of ['authorization', 'last-event-id', 'mcp-session-id', 'mcp-method', 'mcp-name', 'traceparent'])
    for (const asked of [undefined, '', 'x-other']) assert.ok(names(asked).includes(name), name)
})

test('a header of an argument is named back when it is asked for, whatever its case', () => {
  assert.ok(names('content-type,mcp-param-region, Mcp-Param-Page.Limit').includes('mcp-param-region'))
  assert.ok(names('content-type,mcp-param-region, Mcp-Param-Page.Limit').includes('mcp-param-page.limit'))
  assert.not(names('content-type').includes('mcp-param-region'))
})

test('nothing else is allowed, and nothing is said twice', () => {
  for (const asked of ['x-other', 'cookie', 'mcp-', 'mcp-a b', 'mcp-a\r\nx', '*', `mcp-${'x'.repeat(101)}`])
    assert.equal(names(asked), names(), asked)
  assert.is(names('mcp-param-a, mcp-param-a, mcp-name').length, names().length + 1)
})

test.run()
