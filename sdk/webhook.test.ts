import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { JsonObject } from './call.js'
import * as webhook from './webhook.js'

const metadata = {
  ruleEngineId: 'e',
  userGuid: null,
  gatewayGuid: 'g',
  serverGuid: 's',
  direction: 'response',
  method: 'tools/call',
  toolName: 'find',
  ruleId: 'r',
  correlationId: 'c',
  timestamp: '2026-01-01T00:00:00.000Z',
} as const
const response = (result: JsonObject) => ({ jsonrpc: '2.0', id: 7, result }) as const
const texts = (...all: readonly string[]) => ({ content: all.map((text) => ({ type: 'text', text })) })

test('a request is read from text or from what was parsed, and members that are not known do no harm', () => {
  const asked = { metadata: { ...metadata, later: 1 }, body: response(texts('x')) }
  assert.equal(webhook.parseWebhookRequest(asked), asked)
  assert.equal(webhook.parseWebhookRequest(JSON.stringify(asked)), asked)
  assert.ok(webhook.isResponse(webhook.parseWebhookRequest(asked)))
  const call = { jsonrpc: '2.0', id: null, method: 'tools/call', params: { name: 'a' } }
  const request = webhook.parseWebhookRequest({ metadata: { ...metadata, direction: 'request' }, body: call })
  assert.not.ok(webhook.isResponse(request))
  assert.equal(request.body, call)
})

test('what is no request is refused with what is wrong', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['{', /JSON/],
    [null, /object/],
    [{ body: response({}) }, /metadata/],
    [{ metadata: { ...metadata, direction: 'up' }, body: response({}) }, /direction/],
    [{ metadata, body: { jsonrpc: '1.0', id: 1, result: {} } }, /body/],
  ]
  for (const [given, what] of cases)
    assert.throws(
      () => webhook.parseWebhookRequest(given),
      (error: unknown) => error instanceof TypeError && what.test(error.message),
    )
})

test('verdicts are what the gateway reads', () => {
  const body = response({})
  assert.equal(webhook.pass(), { verdict: 'pass' })
  assert.equal(webhook.block(), { verdict: 'block' })
  assert.equal(webhook.block('no'), { verdict: 'block', reason: 'no' })
  assert.equal(webhook.modify(body), { verdict: 'modify', modifiedPayload: { body } })
  assert.equal(webhook.undecided('down'), { verdict: 'error', message: 'down' })
})

test('texts are those of blocks, of embedded resources and of structured content, each once', () => {
  const structuredContent = { mail: 'a', list: ['b', { c: 'd' }], n: 1 }
  const content = [
    { type: 'text', text: JSON.stringify(structuredContent) },
    { type: 'text', text: 'e' },
    { type: 'image', data: 'eA==', mimeType: 'image/png' },
    { type: 'resource', resource: { uri: 'file:///x', text: 'f' } },
  ]
  assert.equal(webhook.readTexts(response({ content, structuredContent })), ['a', 'b', 'd', 'e', 'f'])
  assert.equal(webhook.readTexts(response({})), [])
})

test('replaced texts are replaced in both copies, in the server’s spelling, and nothing else changes', () => {
  const structuredContent = { a: 'x', n: 1 }
  for (const indent of [0, 2]) {
    const content = [{ type: 'text', text: JSON.stringify(structuredContent, null, indent) }]
    const body = response({ content, structuredContent, resultType: 'complete' })
    const changed = { a: '*', n: 1 }
    assert.equal(
      webhook.replaceTexts(body, () => '*'),
      {
        jsonrpc: '2.0',
        id: 7,
        result: {
          content: [{ type: 'text', text: JSON.stringify(changed, null, indent) }],
          structuredContent: changed,
          resultType: 'complete',
        },
      },
    )
    assert.equal(body.result['structuredContent'], structuredContent)
  }
  assert.equal(Object.keys(webhook.replaceTexts(response(texts('a')), () => '*').result), ['content'])
})

test('data is structured content, else the JSON of the first text block', () => {
  assert.equal(webhook.readData(response({ structuredContent: { a: 1 } })), { a: 1 })
  assert.equal(webhook.readData(response(texts('[{"a":1}]'))), [{ a: 1 }])
  for (const text of ['prose', '7', '"x"', 'null', '{']) assert.is(webhook.readData(response(texts(text))), undefined)
  assert.is(webhook.readData(response({})), undefined)
})

test('text beside the data is told of, for it may repeat it', () => {
  const told = (result: JsonObject) => webhook.hasTextBesideData(response(result))
  const structuredContent = { a: 1 }
  assert.not.ok(told({ structuredContent }))
  assert.not.ok(told({ ...texts('{"a":1}'), structuredContent }))
  assert.not.ok(told({ content: [{ type: 'image', data: 'eA==', mimeType: 'image/png' }], structuredContent }))
  assert.ok(told({ ...texts('{"a":1}', 'a is 1'), structuredContent }))
  assert.ok(told({ content: [{ type: 'resource', resource: { uri: 'file:///a', text: '1' } }], structuredContent }))
  assert.ok(told(texts('prose')))
})

test('replaced data is replaced wherever it stood', () => {
  const both = response({ ...texts('{"a":1}', 'note'), structuredContent: { a: 1 } })
  assert.equal(webhook.replaceData(both, { a: 2 }).result, {
    ...texts('{"a":2}', 'note'),
    structuredContent: { a: 2 },
  })
  assert.equal(webhook.replaceData(response(texts('{"a":1}')), { a: 2 }).result, texts('{"a":2}'))
  assert.equal(webhook.replaceData(response({ structuredContent: { a: 1 } }), {}).result, { structuredContent: {} })
})

test.run()
