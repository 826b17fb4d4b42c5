import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NO_ABILITY } from './ability.js'
import { createEnvelope, enclose, encodeHeaderValue, modernHeaders } from './envelope.js'

test('a header value is sent plain only when every server reads it back as it was', () => {
  for (const plain of ['echo', 'a b', 'file:///x?y=1', 'a\tb', '=?base64?']) assert.is(encodeHeaderValue(plain), plain)
  for (const unsafe of ['', ' a', 'a ', 'ü', 'a\nb', '\x7f', '=?base64?YQ==?=', '💶']) {
    const sent = encodeHeaderValue(unsafe)
    assert.match(sent, /^=\?base64\?[A-Za-z0-9+/]*=*\?=$/)
    assert.is(Buffer.from(sent.slice(9, -2), 'base64').toString('utf8'), unsafe)
  }
})

test('the name header carries what the method names, and params headers go along', () => {
  assert.equal(
    modernHeaders('tools/call', { name: 'grüße' }, { 'Mcp-Param-City': 'Köln', 'Mcp-Param-Raw': '=?base64?YQ==?=' }),
    [
      'mcp-method',
      'tools/call',
      'mcp-name',
      encodeHeaderValue('grüße'),
      'Mcp-Param-City',
      encodeHeaderValue('Köln'),
      'Mcp-Param-Raw',
      '=?base64?YQ==?=',
    ],
  )
  assert.equal(modernHeaders('resources/read', { uri: 'x://y' }), ['mcp-method', 'resources/read', 'mcp-name', 'x://y'])
  assert.equal(modernHeaders('tools/list', { name: 'no' }), ['mcp-method', 'tools/list'])
})

test('the envelope keeps other keys of _meta and cannot be forged by them', () => {
  const envelope = createEnvelope({ name: 'gatehouse', version: '1' }, NO_ABILITY)()
  const forged = { a: 1, _meta: { 'io.modelcontextprotocol/protocolVersion': '1999', traceparent: 't' } }
  assert.equal(enclose(forged, envelope), { a: 1, _meta: { ...envelope, traceparent: 't' } })
  assert.equal(enclose({}, envelope), { _meta: envelope })
})

test.run()
