import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Inbound } from '../call.js'
import { META, MODERN_VERSION } from '../mcp/versions.js'
import { until } from '../test/until.js'
import { open, openDoor, type DoorBench } from './testing.js'

let door: DoorBench
let gone: (string | number | null)[] = []
let askable: unknown[] = []

/** `ask`: what its client answered; `wait`: until nobody waits for it any more; else at once. */
async function does(call: Inbound): Promise<JsonObject> {
  askable.push(call.ask !== null)
  if (['wait', 'tell', 'subscriptions/listen'].includes(call.method)) {
    if (call.method === 'tell') call.notify?.({ jsonrpc: '2.0', method: 'notifications/message' })
    await new Promise<void>((resolve) => call.gone.addEventListener('abort', () => resolve()))
    gone.push(call.id)
  }
  if (call.method !== 'ask' || call.ask === null) return {}
  const how = { deadline: Date.now() + 20_000 }
  const answer = await call.ask({ method: 'roots/list' }, how).catch((error: { code: string }) => error.code)
  return { answer } as JsonObject
}
test.before.each(async () => {
  ;[gone, askable] = [[], []]
  door = await openDoor(does)
})
test.after.each(async () => {
  await door.stop()
  assert.equal(door.broken, [])
})

const rpc = (method: string, more: JsonObject = {}) => ({ jsonrpc: '2.0', method, ...more })
const request = (method: string, id: string | number = 1) => rpc(method, { id })
const cancel = (requestId: string | number) => rpc('notifications/cancelled', { params: { requestId } })
const ended = (reading: { ended: boolean }) => until('it has ended', () => (reading.ended ? true : undefined))

test('a question goes out on the stream of its call, and the answer comes in by another request', async () => {
  const call = await open(door.url, request('ask', 'mine'), { session: 's' })
  const question = await until('it is asked', () => call.messages()[0])
  assert.equal(question, { jsonrpc: '2.0', id: 'r1r1.1', method: 'roots/list' })
  assert.is(call.headers.get('content-type'), 'text/event-stream')
  const answer = { jsonrpc: '2.0', id: 'r1r1.1', result: { roots: [] } }
  assert.is((await open(door.url, answer, { session: 'other' })).status, 202)
  assert.is(call.messages().length, 1, 'another session answers nothing')
  assert.is((await open(door.url, answer, { session: 's' })).status, 202)
  await ended(call)
  assert.equal(call.messages()[1], { jsonrpc: '2.0', id: 'mine', result: { answer: { result: { roots: [] } } } })
})

test('a gateway that stops takes what its calls under way wait for, and begins nothing new', async () => {
  const call = await open(door.url, request('ask', 'mine'), { session: 's' })
  await until('it is asked', () => call.messages()[0])
  const waiting = await open(door.url, request('tell', 7), { session: 's' })
  door.drain()
  const refused: readonly (readonly [JsonObject | JsonObject[] | null, object])[] = [
    [request('ping'), { session: 's' }],
    [rpc('initialize', { id: 1, params: { protocolVersion: '2025-11-25' } }), {}],
    [[request('ping'), cancel(7)], { session: 's', version: '2025-03-26' }],
    [rpc('tools/call', { id: 1, params: { requestState: 'r2r2.x', _meta: ENVELOPE } }), { version: MODERN_VERSION }],
    [null, { method: 'GET', session: 's' }],
    [null, { method: 'DELETE', session: 's' }],
  ]
  for (const [body, how] of refused) assert.is((await open(door.url, body as never, how)).status, 503)
  assert.is((await open(door.url, cancel(7), { session: 's' })).status, 202)
  await ended(waiting)
  const asleep = { id: 1, params: { requestState: 'r1r1.x', _meta: ENVELOPE } }
  const headers = { 'mcp-method': 'tools/call', 'mcp-name': 'x' }
  const woken = await open(door.url, rpc('tools/call', { ...asleep, params: { ...asleep.params, name: 'x' } }), {
    version: MODERN_VERSION,
    headers,
  })
  assert.is(woken.status, 200)
  assert.not(call.ended)
  const answer = { jsonrpc: '2.0', id: 'r1r1.1', result: { roots: [] } }
  assert.is((await open(door.url, answer, { session: 's' })).status, 202)
  await ended(call)
  assert.equal(call.messages()[1]?.['result'], { answer: { result: { roots: [] } } })
})
const ENVELOPE = { [META.version]: MODERN_VERSION, [META.capabilities]: {} }

test('a client that leaves its stream is not waited for', async () => {
  const call = await open(door.url, request('ask'), { session: 's' })
  await until('it is asked', () => call.messages()[0])
  call.leave()
  const again = await open(door.url, request('ask'), { session: 's' })
  await until('it is asked', () => again.messages()[0])
  assert.not(door.lines.answered('s', 'r1r1.1', { result: {} }))
})

test('who has no session, takes no stream, or sends several messages at once cannot be asked', async () => {
  await open(door.url, request('ask'))
  await open(door.url, request('ask'), { session: 's', headers: { accept: 'application/json' } })
  await open(door.url, [request('ask')], { session: 's', version: '2025-03-26' })
  assert.equal(askable, [false, false, false])
})

test('a call that is taken back ends without a response: in its stream when there is one', async () => {
  const call = await open(door.url, request('tell', 7), { session: 's' })
  assert.is((await open(door.url, cancel('7'), { session: 's' })).status, 202)
  assert.is((await open(door.url, cancel(7), { session: 'other' })).status, 202)
  assert.not(call.ended)
  await open(door.url, cancel(7), { session: 's' })
  await ended(call)
  assert.equal(gone, [7])
  assert.equal(call.messages(), [rpc('notifications/message')])
})

test('a call that is taken back before its stream was opened ends with an empty one, or with 202', async () => {
  const streams = open(door.url, request('wait', 1), { session: 's' })
  const json = open(door.url, request('wait', 2), { session: 's', headers: { accept: 'application/json' } })
  await until('both are under way', () => (askable.length === 2 ? true : undefined))
  for (const id of [1, 2]) await open(door.url, cancel(id), { session: 's' })
  const [one, other] = [await streams, await json]
  await Promise.all([one, other].map(ended))
  assert.equal([one.status, one.headers.get('content-type'), one.messages()], [200, 'text/event-stream', []])
  assert.equal([other.status, other.text], [202, ''])
})

test('one of several that came together is taken back alone', async () => {
  const both = open(door.url, [request('wait', 1), request('quick', 2)], { session: 's', version: '2025-03-26' })
  await until('both are under way', () => (askable.length === 2 ? true : undefined))
  await open(door.url, cancel(1), { session: 's' })
  const answer = await both
  await ended(answer)
  assert.equal(
    (JSON.parse(answer.text) as JsonObject[]).map(({ id }) => id),
    [2],
  )
})

test('a client that leaves takes back what it sent, several at once too', async () => {
  const call = await open(door.url, request('tell', 1), { session: 's' })
  call.leave()
  const abort = new AbortController()
  const batch = fetch(door.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'mcp-session-id': 's', 'mcp-protocol-version': '2025-03-26' },
    body: JSON.stringify([request('wait', 2), request('wait', 3)]),
    signal: abort.signal,
  }).catch(() => undefined)
  await until('all are under way', () => (askable.length === 3 ? true : undefined))
  abort.abort()
  await batch
  await until('all have ended', () => (gone.length === 3 ? true : undefined))
})

test('a malformed answer is refused and ends the wait', async () => {
  const call = await open(door.url, request('ask'), { session: 's' })
  await until('it is asked', () => call.messages()[0])
  const answer = await open(door.url, { jsonrpc: '2.0', id: 'r1r1.1', result: 'x' }, { session: 's' })
  assert.is(answer.status, 400)
  await ended(call)
  assert.match(call.text, /-32603/)
})

const listen = (id: number) => ({
  ...request('subscriptions/listen', id),
  params: { _meta: { [META.version]: MODERN_VERSION, [META.capabilities]: {} } },
})
const MODERN = { version: MODERN_VERSION, headers: { 'mcp-method': 'subscriptions/listen' } }

test('a person listens to as many subscriptions as it may, and may again when it has left one', async () => {
  const listening = [1, 2].map((id) => {
    const abort = new AbortController()
    return { abort, answer: open(door.url, listen(id), { ...MODERN, signal: abort.signal }).catch(() => undefined) }
  })
  await until('both listen', () => (askable.length === 2 ? true : undefined))
  const refused = await open(door.url, listen(3), MODERN)
  assert.equal([refused.status, refused.headers.get('retry-after')], [429, '30'])
  listening[0]?.abort.abort()
  await until('there is a place', async () => {
    if (gone.length === 0) return undefined
    void open(door.url, listen(4), MODERN).catch(() => undefined)
    return until('it listens', () => (askable.length === 3 ? true : undefined))
  })
})

test('a version that was not agreed on is served and told, once it is known whose it is', async () => {
  await open(door.url, request('quick'), { session: 's@2025-06-18', version: '2025-11-25' })
  await open(door.url, request('quick'), { session: 's@2025-06-18', version: '2025-06-18' })
  await open(door.url, request('quick'), { version: '2025-11-25' })
  assert.equal(door.tolerated, [{ tolerance: 'other-version', connectionId: 'connection-1', client: null }])
})

test('an older version of the header makes nothing that the session cannot take up', async () => {
  const call = await open(door.url, request('tell'), { session: 's@2025-06-18', version: '2025-11-25' })
  await until('it is told', () => call.messages()[0])
  assert.not.match(call.text, /^id:/m)
  call.leave()
})

test.run()
