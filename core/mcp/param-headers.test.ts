import type { Json, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkParamHeaders, paramHeaders, paramHeadersOf } from './param-headers.js'

const tool = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  name: 'query',
  inputSchema: { type: 'object', properties, ...more },
})
const REGION = tool({ region: { type: 'string', 'x-mcp-header': 'Region' } })
const check = (
  definition: JsonObject,
  args: JsonObject | undefined,
  headers: Record<string, string>,
  mayMiss = false,
) => checkParamHeaders(definition, args, { header: (name) => headers[name], mayMiss })
const mismatch = (error: Error) => 'code' in error && error.code === 'GH_DOOR_HEADER_MISMATCH'

test('an annotated argument is mirrored, nested ones too', () => {
  const definition = tool({
    region: { type: 'string', 'x-mcp-header': 'Region' },
    dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
    page: { type: 'object', properties: { limit: { type: 'integer', 'x-mcp-header': 'Limit' } } },
    query: { type: 'string' },
  })
  assert.equal(paramHeaders(definition, { region: 'eu', dry: false, page: { limit: 0 }, query: 'x' }), {
    'Mcp-Param-Region': 'eu',
    'Mcp-Param-Dry': 'false',
    'Mcp-Param-Limit': '0',
  })
})

test('an argument that is absent or null has no header', () => {
  assert.equal(paramHeaders(REGION, {}), {})
  assert.equal(paramHeaders(REGION, undefined), {})
  assert.equal(paramHeaders(REGION, { region: null }), {})
})

test('a name inherited from Object is not an argument', () => {
  const definition = tool({ constructor: { type: 'string', 'x-mcp-header': 'C' } })
  assert.equal(paramHeaders(definition, {}), {})
})

test('an invalid annotation makes the whole tool invalid', () => {
  const invalid: Json[] = ['', 'with space', 'a:b', 'line\r\nbreak', 'é', 7, null]
  for (const name of invalid)
    assert.is(paramHeadersOf(tool({ a: { type: 'string', 'x-mcp-header': name } })), null, String(name))
  for (const type of ['number', 'object', 'array', 'null', undefined])
    assert.is(paramHeadersOf(tool({ a: { type, 'x-mcp-header': 'A' } })), null, type)
})

test('two annotations that differ in case alone are invalid', () => {
  const definition = tool({ a: { type: 'string', 'x-mcp-header': 'A' }, b: { type: 'string', 'x-mcp-header': 'a' } })
  assert.is(paramHeadersOf(definition), null)
})

test('an annotation that cannot be followed through properties alone is invalid', () => {
  const annotated = { type: 'string', 'x-mcp-header': 'A' }
  assert.is(paramHeadersOf(tool({ list: { type: 'array', items: annotated } })), null)
  assert.is(paramHeadersOf(tool({}, { anyOf: [{ properties: { a: annotated } }] })), null)
  assert.is(paramHeadersOf(tool({}, { $defs: { a: annotated } })), null)
  assert.is(paramHeadersOf({ name: 't', inputSchema: annotated }), null)
})

test('a property, default or example of that name is no annotation', () => {
  const definition = tool({ 'x-mcp-header': { type: 'string', default: { 'x-mcp-header': 7 } } })
  assert.equal(paramHeadersOf(definition), [])
})

test('an unsafe value goes as base64 and agrees with its argument again', () => {
  for (const region of ['plain', '', ' lead', 'trail ', '=?base64?QQ==?=', '日本', 'a\r\nb', '\t', 'a b', '\u0000']) {
    const sent = paramHeaders(REGION, { region })['Mcp-Param-Region'] ?? ''
    assert.match(sent, /^[\x20-\x7e]+$/)
    check(REGION, { region }, { 'mcp-param-region': sent })
  }
})

test('base64 with bad padding or alphabet never agrees', () => {
  for (const bad of ['=?base64?QQ?=', '=?base64?Q?=', '=?base64?QR==?=', '=?base64?Q_==?='])
    for (const region of ['A', bad])
      assert.throws(() => check(REGION, { region }, { 'mcp-param-region': bad }), mismatch)
  check(REGION, { region: '=?base64?QQ==' }, { 'mcp-param-region': '=?base64?QQ==' })
})

test('the header of a call must agree with its argument', () => {
  check(REGION, { region: 'Hello' }, { 'mcp-param-region': 'Hello' })
  check(REGION, { region: 'Hello' }, { 'mcp-param-region': '  =?base64?SGVsbG8=?= ' })
  assert.throws(() => check(REGION, { region: 'Hello' }, { 'mcp-param-region': 'hello' }), mismatch)
  assert.throws(() => check(REGION, { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8?=' }), mismatch)
  assert.throws(() => check(REGION, { region: 'Hello' }, {}), mismatch)
})

test('a null or absent argument must have no header', () => {
  check(REGION, {}, {})
  check(REGION, undefined, {})
  assert.throws(() => check(REGION, {}, { 'mcp-param-region': '' }), mismatch)
  assert.throws(() => check(REGION, { region: null }, { 'mcp-param-region': 'null' }), mismatch)
})

test('integers are compared as numbers, strings are not', () => {
  const count = tool({ n: { type: 'integer', 'x-mcp-header': 'N' } })
  check(count, { n: 42 }, { 'mcp-param-n': '42.0' })
  assert.throws(() => check(count, { n: 42 }, { 'mcp-param-n': '43' }), mismatch)
  assert.throws(() => check(count, { n: 0 }, { 'mcp-param-n': '' }), mismatch)
  assert.throws(() => check(REGION, { region: '42' }, { 'mcp-param-region': '42.0' }), mismatch)
})

test('a refusal names the header and never the value', () => {
  try {
    check(REGION, { region: 'very-secret' }, { 'mcp-param-region': 'other' })
    assert.unreachable()
  } catch (error) {
    assert.not.match(String(error), /very-secret|other/)
    assert.match(String(error), /Mcp-Param-Region/)
  }
})

test('a header that may be missing must still not differ', () => {
  check(REGION, { region: 'eu' }, {}, true)
  check(REGION, { region: 'eu' }, { 'mcp-param-region': 'eu' }, true)
  assert.throws(() => check(REGION, { region: 'eu' }, { 'mcp-param-region': 'us' }, true), mismatch)
  assert.throws(() => check(REGION, {}, { 'mcp-param-region': 'us' }, true), mismatch)
})

test.run()
