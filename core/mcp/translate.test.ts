import type { Json, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseJson } from './json.js'
import { clientInfoOf, progressTokenOf, translateResult, withoutEnvelope } from './translate.js'
import { META } from './versions.js'

/** A result with all that no revision names; parsed, so that `__proto__` is a key like any other. */
const strange = (): JsonObject =>
  JSON.parse(`{ "content": [{ "type": "hologram", "x": [1, null, { "y": 1.0 }] }, { "type": "text", "text": "a", "z": 1 }],
    "_meta": { "progress": 1, "io.modelcontextprotocol/serverInfo": { "name": "s" }, "acme/x": null }, "future": { "deep": [[]] },
    "__proto__": { "polluted": true }, "constructor": 1, "isError": false }`) as JsonObject
const METHODS = ['tools/call', 'prompts/get', 'resources/read', 'tools/list', 'completion/complete']

for (const method of METHODS) {
  test(`${method}: a legacy result passes to a legacy client untouched`, () => {
    const result = { ...strange(), resultType: 'mine', structuredContent: [1] }
    assert.is(translateResult(result, 'legacy', 'legacy', method), result)
  })

  test(`${method}: a modern result passes to a modern client untouched`, () => {
    const result = { ...strange(), resultType: 'input_required', ttlMs: 5 }
    assert.is(translateResult(result, 'modern', 'modern', method), result)
  })

  test(`${method}: a modern result loses its three fields for a legacy client and nothing else`, () => {
    const result = { ...strange(), resultType: 'complete', ttlMs: 5, cacheScope: 'public' }
    assert.equal(translateResult(result, 'modern', 'legacy', method), strange())
    assert.is(result.resultType, 'complete', 'what was given is not changed')
  })

  test(`${method}: a modern result without those fields is the same object for a legacy client`, () => {
    const result = strange()
    assert.is(translateResult(result, 'modern', 'legacy', method), result)
  })

  test(`${method}: a legacy result is complete for a modern client and keeps all else`, () => {
    const cache = method === 'resources/read' ? { ttlMs: 0, cacheScope: 'private' } : {}
    assert.equal(translateResult(strange(), 'legacy', 'modern', method), {
      ...strange(),
      resultType: 'complete',
      ...cache,
    })
  })

  test(`${method}: there and back is the same`, () => {
    assert.equal(
      translateResult(translateResult(strange(), 'legacy', 'modern', method), 'modern', 'legacy', method),
      strange(),
    )
  })

  test(`${method}: a legacy server can neither ask a modern client nor have its answer cached`, () => {
    const result = { ...strange(), resultType: 'input_required', ttlMs: 9e9, cacheScope: 'public' }
    const got = translateResult(result, 'legacy', 'modern', method)
    assert.is(got['resultType'], 'complete')
    assert.ok(got['ttlMs'] === undefined || got['ttlMs'] === 0)
    assert.not.equal(got['cacheScope'], 'public')
  })
}

test('a modern server that forgot resultType is taken to be complete', () => {
  assert.equal(translateResult({ a: 1, ttlMs: 7 }, 'modern', 'modern', 'resources/read'), {
    a: 1,
    ttlMs: 7,
    cacheScope: 'private',
    resultType: 'complete',
  })
})

test('a number that a double cannot hold stands by its digits in the text of a structure', () => {
  const result = parseJson('{"content":[],"structuredContent":[9007199254740993]}') as JsonObject
  const translated = translateResult({ ...result, resultType: 'complete' }, 'modern', 'legacy', 'tools/call')
  assert.equal(translated['content'], [{ type: 'text', text: '[9007199254740993]' }])
})

test('translating pollutes no prototype', () => {
  translateResult({ ...strange(), resultType: 'complete' }, 'modern', 'legacy', 'tools/call')
  withoutEnvelope(JSON.parse('{"_meta": {"__proto__": {"polluted": true}, "progressToken": 1}}') as JsonObject)
  assert.is(({} as JsonObject)['polluted'], undefined)
})

for (const value of [[1, 2], 'text', 7, null, false]) {
  test(`structuredContent ${JSON.stringify(value)} becomes a text item for a legacy client`, () => {
    const text = JSON.stringify(value)
    const content = [{ type: 'hologram' }]
    const result = { content, structuredContent: value, resultType: 'complete', other: 1 }
    const expected = { content: [...content, { type: 'text', text }], other: 1 }
    assert.equal(translateResult(result, 'modern', 'legacy', 'tools/call'), expected)
    const again = { ...result, content: expected.content }
    assert.equal(translateResult(again, 'modern', 'legacy', 'tools/call'), expected, 'and is not said twice')
  })
}

test('structuredContent that becomes a text item keeps the digits of a number that no double holds', () => {
  const value = parseJson('[12345678901234567890]') as Json
  const result = translateResult({ structuredContent: value, content: [] }, 'modern', 'legacy', 'tools/call')
  assert.equal(result.content, [{ type: 'text', text: '[12345678901234567890]' }])
})

test('structuredContent that is an object stays; without content a list is made for what is none', () => {
  const object = { content: [], structuredContent: { a: 1 } }
  assert.is(translateResult(object, 'modern', 'legacy', 'tools/call'), object)
  assert.equal(translateResult({ structuredContent: [] }, 'modern', 'legacy', 'tools/call'), {
    content: [{ type: 'text', text: '[]' }],
  })
})

test('the envelope and the progress token stay behind, every other key goes on', () => {
  const params = {
    name: 'a',
    arguments: { _meta: { progressToken: 1 } },
    _meta: { [META.version]: 'v', progressToken: 't', traceparent: 'x', 'acme/y': null },
  }
  assert.equal(withoutEnvelope(params), {
    name: 'a',
    arguments: { _meta: { progressToken: 1 } },
    _meta: { traceparent: 'x', 'acme/y': null },
  })
})

test('an empty _meta is left out; params without one come back as they are', () => {
  assert.equal(withoutEnvelope({ a: 1, _meta: { [META.capabilities]: {} } }), { a: 1 })
  for (const params of [{ a: 1 }, { a: 1, _meta: null }, { a: 1, _meta: [] }])
    assert.is(withoutEnvelope(params), params)
})

test('a progress token is a text or a number', () => {
  assert.is(progressTokenOf({ _meta: { progressToken: 'a' } }), 'a')
  assert.is(progressTokenOf({ _meta: { progressToken: 0 } }), 0)
  for (const token of [null, true, {}, []]) assert.is(progressTokenOf({ _meta: { progressToken: token } }), undefined)
  assert.is(progressTokenOf({}), undefined)
})

test('a client names itself where its era says, in texts of a bounded length', () => {
  const info = { name: 'n'.repeat(300), version: 7 }
  assert.equal(clientInfoOf({ clientInfo: info }, 'legacy'), { name: 'n'.repeat(200), version: null })
  assert.equal(clientInfoOf({ _meta: { [META.clientInfo]: { name: 'a', version: '1' } } }, 'modern'), {
    name: 'a',
    version: '1',
  })
  for (const params of [{}, { clientInfo: 'me' }, { _meta: 7 }])
    for (const era of ['legacy', 'modern'] as const)
      assert.equal(clientInfoOf(params, era), { name: null, version: null })
})

test.run()
