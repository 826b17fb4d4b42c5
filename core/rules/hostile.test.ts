import type { Evaluation, EvaluateRequest, JsonObject } from '@gatehouse/sdk'
import { modify } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseJson, writeJson } from '../mcp/json.js'
import { toldHeader } from './engines.js'
import { bench, rule, subject } from './testing.js'

/** What hostile engines, servers and clients may try against the rules. */

const wants = (message: (request: EvaluateRequest) => unknown) =>
  bench({ judge: (request) => modify({ message: message(request) }) as Evaluation }, ['judge'])
const judged = (facts = {}) => rule({ engine: 'judge', action: null, ...facts })
const redact = (word: string) => rule({ action: 'redact', config: { words: [word] } })

const deep = (levels: number): JsonObject => {
  let value: JsonObject = {}
  for (let level = 0; level < levels; level += 1) value = { a: value }
  return value
}

test('a message that an engine made too deep leaves its rule undecided, and a rule in shadow harms nobody', async () => {
  const { request, undecided } = wants(() => ({ name: 'find_contact', arguments: deep(600) }))
  assert.is((await request({ a: 'x' }, [judged({ shadow: true })])).kind, 'pass')
  assert.is((await request({ a: 'x' }, [judged({ onFailure: 'allow' })])).kind, 'pass')
  const blocked = await request({ a: 'x' }, [judged()])
  assert.is(blocked.kind, 'blocked')
  assert.is(blocked.receipts[0]?.fell, 'closed')
  assert.is(undecided.length, 3)
})

test('a change that cannot be made is not left out in silence', async () => {
  const meta = { 'example.com/note': 'the password' }
  const { rules, compile } = wants(({ message }) => ({ ...(message as JsonObject), _meta: {} }))
  const params = { name: 'find_contact', arguments: {}, _meta: meta }
  const outcome = await rules.inspectRequest(await compile([judged()]), subject(), params)
  assert.is(outcome.kind, 'blocked')
})

test('an engine may change what a client answers to a question, and may not take it away', async () => {
  const change = wants(() => ({ structuredContent: { content: { x: '***' } } }))
  const answer = { structuredContent: { content: { x: 'secret' } } }
  const changed = await change.rules.inspectRequest(await change.compile([judged()]), subject(), answer)
  assert.equal(changed.kind === 'changed' && changed.message, { structuredContent: { content: { x: '***' } } })
  for (const wanted of [{}, { structuredContent: 'text' }]) {
    for (const leg of ['inspectRequest', 'inspectResponse'] as const) {
      const { rules, compile } = wants(() => wanted)
      assert.is((await rules[leg](await compile([judged()]), subject(), answer)).kind, 'blocked', leg)
    }
  }
})

test('what engines call their findings cannot spoil a receipt', async () => {
  const types = ['constructor', '__proto__', 'toString', 'x', 'x']
  const named = (list: readonly string[]) => ({
    named: (): Evaluation => ({
      verdict: 'findings',
      findings: list.map((type) => ({ type, leaf: 0, start: 0, end: 1, score: 1 })),
    }),
  })
  const named_ = rule({ engine: 'named', action: 'detect' })
  const { receipts } = await bench(named(types)).request({ t: 'abc' }, [named_])
  assert.is(JSON.stringify(receipts[0]?.findings), '{"constructor":1,"toString":1,"x":2}')
  const many = await bench(named(Array.from({ length: 5_000 }, (_, n) => `t${n}`))).request({ t: 'abc' }, [named_])
  assert.ok(Object.keys(many.receipts[0]?.findings ?? {}).length <= 200)
  const long = await bench(named(['x'.repeat(1_000)])).request({ t: 'abc' }, [named_])
  assert.is(long.receipts[0]?.verdict, 'undecided')
})

test('no text hides beside the content of a result', async () => {
  const hidden: JsonObject[] = [
    { content: [{ type: 'text', text: 'x', annotations: { note: 'a secret' } }] },
    { content: [{ type: 'text', text: 'x', annotations: { audience: ['user', 'a secret'] } }] },
    { content: [{ type: 'resource', resource: { uri: 'x:y', text: '', annotations: { note: 'a secret' } } }] },
    { content: [{ type: 'image', mimeType: 'image/png', data: 'a secret' }] },
    { content: [{ type: 'resource', resource: { uri: 'x:y', blob: 'a secret' } }] },
    { content: [], _meta: { 'evil.mcp.example/x': 'a secret' } },
    { content: [], _meta: { 'io.modelcontextprotocol/own': 'a secret' } },
    { content: [], _meta: { traceparent: 'a secret' } },
    { content: [], cacheScope: 'a secret' },
    { content: [{ type: 'a secret', x: 1 }] },
    { content: [{ type: 'image', mimeType: 'a secret', data: '' }] },
    { content: [], isError: { text: 'a secret' } },
  ]
  for (const result of hidden) {
    const outcome = await bench().response(result, [redact('secret')])
    assert.is(outcome.kind, 'changed', JSON.stringify(result))
    assert.not.match(JSON.stringify(outcome), 'a secret')
  }
})

test('the marks of the protocol stay as they are', async () => {
  const honest: JsonObject = {
    isError: false,
    cacheScope: 'private',
    content: [
      { type: 'text', text: 'x', annotations: { audience: ['user'], priority: 1, lastModified: '2026-01-01' } },
      { type: 'image', mimeType: 'image/png', data: 'aGVsbG8user' },
    ],
    _meta: {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'io.modelcontextprotocol/serverInfo': { name: 'user', version: '2026' },
    },
  }
  for (const word of ['user', '2026', 'private', '00']) {
    assert.is((await bench().response(honest, [redact(word)])).kind, 'pass', word)
  }
})

test('nothing of a call slips past in the meta of a request', async () => {
  const { rules, compile } = bench()
  for (const key of ['evil.mcp.example/x', 'x.modelcontextprotocol.y/z', 'traceparent']) {
    const params = { name: 'find_contact', arguments: {}, _meta: { [key]: 'a secret' } }
    const blocking = rule({ action: 'block', config: { words: ['secret'] } })
    const outcome = await rules.inspectRequest(await compile([blocking]), subject(), params)
    assert.is(outcome.kind, 'blocked', key)
  }
})

test('what only looks like the name of a feature is looked at', async () => {
  const { rules, compile } = bench()
  const compiled = await compile([rule({ action: 'block', config: { words: ['secret'] } })])
  const tool = { name: 'find_contact', arguments: {} }
  const tries = [
    [{ kind: 'tool' }, { ...tool, uri: 'a secret' }],
    [{ kind: 'tool' }, { ...tool, ref: { type: 'ref/prompt', name: 'a secret' } }],
    [{ kind: 'tool' }, { ...tool, requestState: { a: 'secret' } }],
    [{ kind: 'prompt' }, { name: 'p', uri: 'a secret' }],
    [{ kind: 'prompt' }, { name: 'p', ref: { name: 'a secret' } }],
    [{ kind: 'prompt' }, { ref: { type: 'ref/prompt', name: 'p' }, name: 'a secret' }],
    [{ kind: 'prompt' }, { ref: { type: 'ref/prompt', name: 'p', note: 'a secret' } }],
    [{ kind: 'resource' }, { uri: 'a:b', name: 'a secret' }],
  ] as const
  for (const [facts, params] of tries) {
    const covering = compiled.map((one) => ({ ...one, covers: () => true }))
    const outcome = await rules.inspectRequest(covering, subject(facts), params)
    assert.is(outcome.kind, 'blocked', JSON.stringify(params))
  }
  const honest = { ref: { type: 'ref/prompt', name: 'secret' }, argument: { name: 'a', value: 'b' } }
  const covering = compiled.map((one) => ({ ...one, covers: () => true }))
  assert.is((await rules.inspectRequest(covering, subject({ kind: 'prompt' }), honest)).kind, 'pass')
})

test('a number that no double holds is looked at by its digits alone', async () => {
  const seen: string[] = []
  const look = ({ leaves }: EvaluateRequest): Evaluation => {
    seen.push(...leaves.map(({ text }) => text))
    return { verdict: 'findings', findings: [{ type: 'x', leaf: 0, start: 0, end: 4, score: 1 }] }
  }
  const given = parseJson('{"card":4111111111111111111}') as JsonObject
  const looks = rule({ engine: 'look', action: 'block' })
  await bench({ look }).request(given, [looks])
  assert.equal(seen, ['4111111111111111111', 'card', '{"arguments":{"card":4111111111111111111}}'])
  const masked = await bench({ look }).request(given, [rule({ engine: 'look', action: 'mask' })])
  assert.equal(masked.kind === 'changed' && masked.message['arguments'], { card: '****111111111111111' })
  const passed = await bench().request(given, [redact('absent')])
  assert.is(passed.kind, 'pass')
  assert.is(writeJson(given), '{"card":4111111111111111111}')
})

test('no credential of a client is told to an engine', () => {
  const header = (name: string) => `value of ${name}`
  const secret = [
    'Authorization',
    'cookie',
    'x-api-key',
    'api-key',
    'apikey',
    'x-goog-api-key',
    'x-functions-key',
    'ocp-apim-subscription-key',
    'x-forwarded-access-token',
    'x-jwt',
    'x-id-jwt-payload',
    'mcp-session-id',
    'x-session',
    'x-forwarded-client-cert',
    'x-ssl-client-verify-passwd',
    'x-amz-credential',
    'x-hub-signature-256',
    'x-original-authorization',
  ]
  for (const name of secret) assert.is(toldHeader({ header }, name), undefined, name)
  for (const name of ['user-agent', 'x-request-id', 'x-tenant', 'accept-language', 'x-forwarded-for', 'traceparent'])
    assert.is(toldHeader({ header }, name), `value of ${name}`)
})

test.run()
