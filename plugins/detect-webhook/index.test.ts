import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { instanceOf, saying, serve, started } from './testing.js'
import type { Answering } from './testing.js'

const URL = 'https://dlp.example.com/inspect'

test('an instance’s configuration is strict; headers and secret are secrets', async () => {
  const { options } = await started()
  const served = options.get('engine.prepare/webhook')
  assert.equal(served?.secret, ['headers', 'secret'])
  assert.equal([served?.engine?.answers, served?.engine?.fails, served?.engine?.whole], ['verdict', true, false])
  const parsed = served?.config?.parse({ url: URL })
  assert.equal(parsed, { url: URL, method: 'POST', headers: {}, forwardHeaders: [], timeoutMs: 30_000 })
  assert.ok(served?.engine?.rule.safeParse({}).success)
  assert.not.ok(served?.engine?.rule.safeParse({ patterns: [] }).success)
})

const TAKEN = [
  { url: 'http://dlp.corp:8080/x?y=1' },
  { url: URL, method: 'PATCH', headers: { Authorization: 'Bearer k', 'X-Key': 'k' } },
  { url: URL, forwardHeaders: ['X-Tenant', 'traceparent'], secret: '0123456789abcdef', timeoutMs: 500 },
]
const REFUSED: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { url: 'ftp://example.com' },
  { url: 'dlp.example.com' },
  { url: 'https://user:password@example.com' },
  { url: 'https://user@example.com' },
  { url: `${URL}#part` },
  { url: `${URL}#` },
  { url: `${URL}/${'x'.repeat(2_048)}` },
  { url: URL, method: 'GET' },
  { url: URL, method: 'post' },
  { url: URL, header: {} },
  { url: URL, headers: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`x-${n}`, 'v'])) },
  { url: URL, headers: { 'X-Key': 'a\r\nX-Other: b' } },
  { url: URL, headers: { 'X Key': 'a' } },
  { url: URL, headers: { 'X-Key': 'a', 'x-key': 'b' } },
  { url: URL, forwardHeaders: ['x-a', 'X-A'] },
  { url: URL, forwardHeaders: Array.from({ length: 21 }, (_, n) => `x-${n}`) },
  { url: URL, secret: 'short' },
  { url: URL, timeoutMs: 30_001 },
  ...['host', 'Content-Length', 'transfer-encoding', 'connection', 'content-type', 'Gatehouse-Signature', 'TE'].map(
    (name) => ({ url: URL, headers: { [name]: 'x' } }),
  ),
  ...['Authorization', 'cookie', 'proxy-authorization', 'Proxy-X', 'host', 'content-type'].map((name) => ({
    url: URL,
    forwardHeaders: [name],
  })),
]

test('what an instance may hold', async () => {
  const config = (await started()).options.get('engine.prepare/webhook')?.config
  for (const given of TAKEN) assert.ok(config?.safeParse(given).success, JSON.stringify(given))
  for (const given of REFUSED) assert.not.ok(config?.safeParse(given).success, JSON.stringify(given))
})

test('a rule is refused without an instance, with an action, or with keys of its own', async () => {
  const host = await started()
  const instance = instanceOf({ url: URL })
  const prepare = (facts: object) =>
    host.askKeyed('engine.prepare', 'webhook', { config: {}, action: null, instance, rule: null, ...facts })
  assert.ok((await prepare({})).ok)
  assert.ok((await prepare({ action: 'detect' })).ok)
  assert.not.ok((await prepare({ instance: null })).ok)
  assert.not.ok((await prepare({ action: 'mask' })).ok)
  assert.not.ok((await prepare({ config: { patterns: ['x'] } })).ok)
  assert.not.ok((await prepare({ instance: instanceOf({ url: 'nonsense' }) })).ok)
})

async function tried(answer: Answering, leg: 'request' | 'response' = 'response') {
  const service = await serve(answer)
  const host = await started()
  const instance = instanceOf({ url: service.url, secret: 'a secret of some length' })
  const sample = { config: {}, action: null, instance, leg, text: 'mail ana@example.com' } as const
  const result = await host.askKeyed('engine.test', 'webhook', sample)
  await service.close()
  assert.ok(result.ok)
  return { ...result, received: service.received }
}

test('a test sends the text in a message of nobody, signed like any other', async () => {
  const { received, evaluation, notes } = await tried(saying({ verdict: 'pass' }))
  const { metadata, body } = received[0]!.request
  assert.equal(
    [metadata.userGuid, metadata.gatewayGuid, metadata.serverGuid, metadata.ruleId, metadata.toolName],
    [null, null, null, null, 'test'],
  )
  assert.equal(body, { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'mail ana@example.com' }] } })
  assert.ok(received[0]?.headers['gatehouse-signature'])
  assert.is(evaluation.verdict, 'pass')
  assert.match(notes?.[0] ?? '', /^HTTP 200 in \d+ ms$/)
  assert.is(notes?.[1], 'verdict: pass')
  const asked = await tried(saying({ verdict: 'pass' }), 'request')
  assert.equal(asked.received[0]?.request.body, {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'test', arguments: { text: 'mail ana@example.com' } },
  })
})

test('a test shows the message as the engine left it', async () => {
  const result = { content: [{ type: 'text', text: 'mail <EMAIL>' }] }
  const { evaluation } = await tried(
    saying({ verdict: 'modify', modifiedPayload: { body: { jsonrpc: '2.0', id: 1, result } } }),
  )
  assert.equal(evaluation, { verdict: 'modify', patch: { message: result } })
})

test('a test tells what was wrong, is not tried again, and shows what an engine says of its error', async () => {
  const busy = await tried(saying('busy', 503))
  assert.is(busy.received.length, 1)
  assert.match(busy.notes?.[1] ?? '', 'HTTP 503')
  const odd = await tried(
    saying({ verdict: 'modify', modifiedPayload: { body: { jsonrpc: '2.0', id: 2, result: {} } } }),
  )
  assert.match(odd.notes?.[1] ?? '', 'modifiedPayload.body.id')
  const unsure = await tried(saying({ verdict: 'error', message: 'the model is down' }))
  assert.match(unsure.notes?.[1] ?? '', 'the model is down')
  assert.not.match(JSON.stringify(unsure.evaluation), 'the model is down')
})

test.run()
