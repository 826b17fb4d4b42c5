import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Inbound } from '../call.js'
import { META, MODERN_VERSION } from '../mcp/versions.js'
import { until } from '../test/until.js'
import { open, openDoor, type Asking, type DoorBench, type Reading } from './testing.js'

let door: DoorBench
let calls: Inbound[] = []
let gone: unknown[] = []

/** `wait`: until nobody waits for it any more; `large`: more than buffers hold; `ask`: what its client answered. */
async function does(call: Inbound): Promise<JsonObject> {
  calls.push(call)
  if (call.method === 'wait') {
    await new Promise<void>((resolve) => call.gone.addEventListener('abort', () => resolve()))
    gone.push(call.id)
  }
  if (call.method === 'large') return { text: 'x'.repeat(16_000_000) }
  if (call.method === 'tell') call.notify?.(rpc('notifications/progress', { params: { progress: 1 } }))
  if (call.method !== 'ask' || call.ask === null) return {}
  const { result } = (await call.ask({ method: 'roots/list' }, { deadline: Date.now() + 20_000 })) as JsonObject
  return { answer: result as JsonObject }
}
test.before.each(async () => {
  ;[calls, gone] = [[], []]
  door = await openDoor(does)
  door.offerOlder(true)
})
test.after.each(async () => {
  await door.stop()
  assert.equal(door.broken, [])
})

const rpc = (method: string, more: JsonObject = {}) => ({ jsonrpc: '2.0', method, ...more })
const request = (method: string, id: string | number = 1, params: JsonObject = {}) => rpc(method, { id, params })
const initialize = request('initialize', 'first', { protocolVersion: '2024-11-05' })
const ended = (reading: Reading) => until('it has ended', () => (reading.ended ? true : undefined))

interface Line {
  readonly stream: Reading
  readonly endpoint: string
  say(message: unknown, asking?: Asking): Promise<Reading>
  /** The `n`th message of the stream, from 1. */
  hears(n: number): Promise<JsonObject>
}

const bare = { accept: 'text/event-stream', 'mcp-protocol-version': '' }
async function openLine(): Promise<Line> {
  const stream = await open(door.url, null, { method: 'GET', headers: bare })
  assert.is(stream.status, 200)
  const data = await until('the endpoint is named', () => /event: endpoint\ndata: (.*)\n\n/.exec(stream.text)?.[1])
  const endpoint = new URL(data, door.url).href
  return {
    stream,
    endpoint,
    say: (message, asking) => open(endpoint, message, { version: '', ...asking }),
    hears: (n) => until(`message ${n}`, () => stream.messages()[n - 1]),
  }
}

async function begin(): Promise<Line> {
  const line = await openLine()
  await line.say(initialize)
  await line.hears(1)
  return line
}

test('the first event names where to send messages; they are taken with 202 and answered on the stream', async () => {
  const { stream, endpoint, say, hears } = await openLine()
  assert.match(stream.text, /^: open\n\nevent: endpoint\ndata: \/mcp\/house\?older=r1r1\.[\w-]{43}\n\n$/)
  assert.is(stream.headers.get('content-type'), 'text/event-stream')
  const taken = await say(request('act', 'mine'), { headers: { accept: '*/*' } })
  assert.is(taken.status, 202)
  assert.equal(await hears(1), { jsonrpc: '2.0', id: 'mine', result: {} })
  assert.match(stream.text, /\n\nevent: message\ndata: \{"jsonrpc":"2.0","id":"mine","result":\{\}\}\n\n$/)
  await ended(taken)
  assert.is(taken.text, '')
  assert.equal([calls[0]?.version, calls[0]?.era, calls[0]?.sessionId], ['2024-11-05', 'legacy', null])
  assert.is(calls[0]?.ask, null, 'nobody is asked before there is a session')
  assert.is(new URL(endpoint).origin, new URL(door.url).origin)
})

test('what is told before the answer comes before it on the stream', async () => {
  const { say, stream, hears } = await openLine()
  await say(request('tell'))
  await hears(2)
  assert.equal(
    stream.messages().map(({ method, id }) => method ?? id),
    ['notifications/progress', 1],
  )
})

test('a gateway that does not offer it answers as ever', async () => {
  door.offerOlder(false)
  const refused = await open(door.url, null, { method: 'GET', headers: bare })
  assert.equal([refused.status, refused.headers.get('allow')], [405, 'POST'])
  assert.is((await open(`${door.url}?older=r1r1.x`, request('act'))).status, 404)
})

test('no client of the newest era, and none that takes no event stream, gets one', async () => {
  assert.is((await open(door.url, null, { method: 'GET', version: MODERN_VERSION })).status, 405)
  assert.is(
    (await open(door.url, null, { method: 'GET', headers: { ...bare, accept: 'application/json' } })).status,
    406,
  )
})

test('a gateway that offers it no longer ends the streams that it has', async () => {
  const { stream, say } = await begin()
  door.offerOlder(false)
  assert.is((await say(request('act'))).status, 404)
  await ended(stream)
})

test('nobody speaks on the stream of another', async () => {
  const { stream, endpoint, say, hears } = await begin()
  const foreign = await open(endpoint, request('act', 'theirs'), { headers: { authorization: 'other' } })
  assert.is(foreign.status, 404)
  const refused = await until('it is told', () => foreign.text || undefined)
  assert.is((JSON.parse(refused) as JsonObject)['id'], 'theirs')
  assert.is((await open(`${door.url}?older=r1r1.x`, request('act'))).status, 404)
  assert.is((await open(endpoint, initialize, { headers: { authorization: 'other' } })).status, 404)
  assert.is((await say(request('act', 'mine'))).status, 202)
  await hears(2)
  assert.equal(
    stream.messages().map(({ id }) => id),
    ['first', 'mine'],
  )
  assert.is(calls.length, 2, 'what is refused is not done')
})

test('what is no message of its time is refused at once', async () => {
  const { endpoint, say, stream } = await begin()
  const text = { method: 'POST', headers: { 'content-type': 'application/json' } }
  assert.is((await fetch(endpoint, { ...text, body: '{' })).status, 400)
  assert.is((await fetch(endpoint, { method: 'POST', body: '{}' })).status, 415)
  assert.is((await say([request('act')])).status, 400)
  const _meta = { [META.version]: MODERN_VERSION, [META.capabilities]: {} }
  const modern = await say(request('tools/list', 'modern', { _meta }))
  assert.is(modern.status, 400)
  const { error, id } = JSON.parse(await until('it is told', () => modern.text || undefined)) as JsonObject
  assert.is(id, 'modern')
  assert.equal((error as JsonObject)['code'], -32022)
  assert.is((await say(initialize)).status, 400, 'it has its session')
  assert.is(stream.messages().length, 1)
})

test('initialize opens a session that it does not name, and that is asked and told on the stream', async () => {
  const { say, hears } = await begin()
  assert.is((await say(request('ask', 'asking'))).status, 202)
  const question = await hears(2)
  assert.equal(question, { jsonrpc: '2.0', id: 'r1r1.1', method: 'roots/list' })
  assert.is((await say({ jsonrpc: '2.0', id: 'r1r1.1', result: { roots: [] } })).status, 202)
  assert.equal(await hears(3), { jsonrpc: '2.0', id: 'asking', result: { answer: { roots: [] } } })
  assert.is(calls.at(-1)?.sessionId, 's1@2024-11-05')
  door.lines.note('s1@2024-11-05', rpc('notifications/tools/list_changed'))
  assert.equal(await hears(4), rpc('notifications/tools/list_changed'))
  const asked = door.lines.ask('s1@2024-11-05', { method: 'roots/list' }, { deadline: Date.now() + 20_000 })
  assert.is((await hears(5))['id'], 'r1r1.2')
  await say({ jsonrpc: '2.0', id: 'r1r1.2', result: { roots: ['mine'] } })
  assert.equal(await asked, { result: { roots: ['mine'] } })
})

test('the version that was agreed on counts, whatever a header says', async () => {
  const { say, hears } = await openLine()
  await say(request('initialize', 0, { protocolVersion: '2025-06-18' }))
  await hears(1)
  await say(request('act'), { version: '2025-11-25' })
  await hears(2)
  assert.is(calls.at(-1)?.version, '2025-06-18')
})

test('a call that its client takes back gets no answer', async () => {
  const { say, hears, stream } = await begin()
  await say(request('wait', 7))
  await until('it is under way', () => (calls.length === 2 ? true : undefined))
  await say(rpc('notifications/cancelled', { params: { requestId: 7 } }))
  await until('it has ended', () => (gone.length === 1 ? true : undefined))
  await say(request('act', 'after'))
  await hears(2)
  assert.equal(
    stream.messages().map(({ id }) => id),
    ['first', 'after'],
  )
})

test('a client that leaves its stream ends its session and takes back its calls', async () => {
  const { say, stream } = await begin()
  await say(request('wait', 'a'))
  await say(request('wait', 'b'))
  await until('they are under way', () => (calls.length === 3 ? true : undefined))
  stream.leave()
  await until('they have ended', () => (gone.length === 2 ? true : undefined))
  assert.equal(door.ended, ['s1@2024-11-05'])
  assert.is((await say(request('act'))).status, 404)
})

test('the stream ends with its session', async () => {
  const { say, stream } = await begin()
  door.lines.close('s1@2024-11-05')
  await ended(stream)
  assert.is((await say(request('act'))).status, 404)
})

test('a session that comes too late for its stream is ended', async () => {
  let answer = () => {}
  await door.stop()
  door = await openDoor(async () => (await new Promise<void>((resolve) => (answer = resolve)), {}))
  door.offerOlder(true)
  const { say, stream } = await openLine()
  await say(initialize)
  stream.leave()
  await until('its stream is gone', async () => ((await say(request('ping'))).status === 404 ? true : undefined))
  answer()
  await until('it is ended', () => door.ended[0])
})

test('whoever loses the right to it loses the stream, and the calls that are under way', async () => {
  const { say, stream } = await begin()
  await say(request('wait'))
  await until('it is under way', () => (calls.length === 2 ? true : undefined))
  door.bar()
  await ended(stream)
  await until('it has ended', () => (gone.length === 1 ? true : undefined))
})

test('nobody has more of these streams than a person may have, and places are given back', async () => {
  const [line] = [await openLine(), await openLine()]
  const refused = await open(door.url, null, { method: 'GET', headers: bare })
  assert.is(refused.status, 429)
  line.stream.leave()
  await until('there is a place', async () => {
    const again = await open(door.url, null, { method: 'GET', headers: bare })
    return again.status === 200 ? true : undefined
  })
})

test('of one stream so many calls are under way, and no more', async () => {
  const { say, hears } = await begin()
  await Promise.all(Array.from({ length: 256 }, (_, n) => say(request('wait', n))))
  assert.is((await say(request('act', 'late'))).status, 429)
  await say(rpc('notifications/cancelled', { params: { requestId: 0 } }))
  await until('one has ended', () => (gone.length === 1 ? true : undefined))
  assert.is((await say(request('act', 'next'))).status, 202)
  assert.is((await hears(2))['id'], 'next')
})

/** A client that reads nothing once it knows the endpoint. */
async function openUnread() {
  const stream = get(door.url, { headers: { accept: 'text/event-stream' } })
  stream.on('error', () => undefined)
  const [res] = (await once(stream, 'response')) as [IncomingMessage]
  let text = ''
  res.on('data', (chunk: Buffer) => {
    if (text.length < 1_000) text += chunk.toString()
  })
  const path = await until('the endpoint is named', () => /data: (\/.*)\n/.exec(text)?.[1])
  res.pause()
  return { endpoint: new URL(path, door.url).href, read: () => res.resume(), leave: () => stream.destroy() }
}

test('a request waits while its client does not read what it has', async () => {
  const { endpoint, read, leave } = await openUnread()
  assert.is((await open(endpoint, request('large'))).status, 202)
  let isTaken = false
  const second = open(endpoint, request('act')).then(({ status }) => {
    isTaken = true
    return status
  })
  assert.is((await open(endpoint, rpc('notifications/roots/list_changed'))).status, 202, 'what has no answer does not')
  assert.not(isTaken)
  const leaving = new AbortController()
  const left = open(endpoint, request('never'), { signal: leaving.signal }).catch(() => 'left')
  const note = () => open(endpoint, rpc('notifications/initialized'))
  assert.is((await note()).status, 202)
  leaving.abort()
  assert.is(await left, 'left')
  assert.is((await note()).status, 202)
  assert.equal(
    calls.map(({ method }) => method),
    ['large'],
  )
  read()
  assert.is(await second, 202)
  assert.equal(
    calls.map(({ method }) => method),
    ['large', 'act'],
    'who has left is not served',
  )
  leave()
})

test('a client that reads nothing for too long loses its stream, and what waits for it is refused', async () => {
  await door.stop()
  door = await openDoor(does, { timing: { keepAlive: 20, stalled: 200 } })
  door.offerOlder(true)
  const { endpoint, leave } = await openUnread()
  assert.is((await open(endpoint, request('large'))).status, 202)
  assert.is((await open(endpoint, request('act'))).status, 404)
  leave()
})

test('a gateway that stops ends the streams that no session has, too', async () => {
  const { stream } = await openLine()
  await door.stop()
  await ended(stream)
})

test.run()
