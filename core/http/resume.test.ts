import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Inbound } from '../call.js'
import { META, MODERN_VERSION } from '../mcp/versions.js'
import { until } from '../test/until.js'
import { open, openDoor, type DoorBench, type Reading } from './testing.js'

let door: DoorBench
let calls: Map<unknown, { readonly call: Inbound; readonly answer: (result: JsonObject) => void }>
const KEPT = { unread: 60_000, session: 1_000_000, total: 1_000_000 }
const LATEST = { session: 's', version: '2025-11-25' }

/** Every call but `quick` waits until a test answers it, or until nobody waits for it any more. */
function does(call: Inbound): Promise<JsonObject> {
  if (call.method === 'quick') return Promise.resolve({ quick: true })
  return new Promise((answer) => {
    calls.set(call.id, { call, answer })
    call.gone.addEventListener('abort', () => answer({ gone: true }))
  })
}
async function start(kept: Partial<typeof KEPT> = {}, patience = 50): Promise<void> {
  calls = new Map()
  door = await openDoor(does, { kept: { ...KEPT, ...kept }, patience, timing: { keepAlive: 60, stalled: 5_000 } })
}
test.after.each(async () => {
  await door.stop()
  assert.equal(door.broken, [])
})

const request = (id: string | number, method = 'wait') => ({ jsonrpc: '2.0', id, method })
const note = (n: number): JsonObject => ({ jsonrpc: '2.0', method: 'notifications/x', params: { n } })
const ended = (reading: { ended: boolean }) => until('it has ended', () => (reading.ended ? true : undefined))
const underWay = (id: unknown) => until('it is under way', () => calls.get(id))
const idsOf = ({ text }: Reading) => [...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id as string)
const lastIdOf = (reading: Reading) => until('it has an id', () => idsOf(reading).at(-1))
const resume = (lastEventId: string, asking = LATEST) =>
  open(door.url, null, {
    ...asking,
    method: 'GET',
    headers: { accept: 'text/event-stream', 'last-event-id': lastEventId },
  })
const says = (reading: Reading, what: string) =>
  until(`it says ${what}`, () => (reading.text.includes(what) ? true : undefined))

test('a call that is silent for long becomes a stream that can be taken up again, a quick one is JSON', async () => {
  await start()
  const quick = await open(door.url, request(1, 'quick'), LATEST)
  assert.is(quick.headers.get('content-type'), 'application/json')
  const call = await open(door.url, request(2), LATEST)
  assert.is(call.headers.get('content-type'), 'text/event-stream')
  await says(call, ': keep-alive')
  assert.match(call.text, /^: open\n\nretry: 1000\nid: r1r1\.c[a-z0-9]+\.0\ndata: \n\n/)
  ;(await underWay(2)).answer({ late: true })
  await ended(call)
  assert.equal(call.messages(), [{ jsonrpc: '2.0', id: 2, result: { late: true } }])
})

for (const [what, asking] of [
  ['of an older version', { session: 's', version: '2025-06-18' }],
  ['without a session', { version: '2025-11-25' }],
  ['that takes JSON alone', { ...LATEST, headers: { accept: 'application/json' } }],
] as const)
  test(`a call ${what} waits for its JSON`, async () => {
    await start({}, 10)
    const answer = open(door.url, request(1), asking)
    const { call, answer: give } = await underWay(1)
    const patient = await open(door.url, request(2), LATEST)
    assert.is(patient.headers.get('content-type'), 'text/event-stream', 'which is long enough')
    assert.not(call.gone.aborted)
    give({})
    assert.is((await answer).headers.get('content-type'), 'application/json')
  })

test('a stream that breaks takes nothing back: its call goes on, and what was missed comes again, once', async () => {
  await start()
  const first = await open(door.url, request('mine'), LATEST)
  const { call, answer } = await underWay('mine')
  call.notify?.(note(1))
  await says(first, '"n":1')
  first.leave()
  call.notify?.(note(2))
  const second = await resume(await lastIdOf(first))
  await says(second, '"n":2')
  call.notify?.(note(3))
  await says(second, '"n":3')
  second.leave()
  answer({ done: true })
  const third = await resume(await lastIdOf(second))
  await ended(third)
  assert.equal(third.messages(), [{ jsonrpc: '2.0', id: 'mine', result: { done: true } }])
  assert.equal(second.messages(), [note(2), note(3)])
  assert.not(call.gone.aborted)
  const ids = [first, second, third].flatMap(idsOf)
  assert.is(new Set(ids).size, ids.length, 'no id twice')
})

test('events of one stream never come on another', async () => {
  await start()
  const [one, other] = [await open(door.url, request(1), LATEST), await open(door.url, request(2), LATEST)]
  const standing = await resume('', LATEST).then((refused) => (refused.leave(), openStanding()))
  ;(await underWay(1)).call.notify?.(note(1))
  ;(await underWay(2)).call.notify?.(note(2))
  door.lines.note('s', note(3))
  await says(one, '"n":1')
  await says(other, '"n":2')
  await says(standing, '"n":3')
  const ids = await Promise.all([one, other, standing].map((reading) => until('primed', () => idsOf(reading)[0])))
  for (const reading of [one, other, standing]) reading.leave()
  const again = await Promise.all(ids.map((id) => resume(id)))
  await Promise.all(again.map((reading, n) => says(reading, `"n":${n + 1}`)))
  assert.equal(
    again.map((reading) => reading.messages()),
    [[note(1)], [note(2)], [note(3)]],
  )
})
const openStanding = (asking = LATEST) =>
  open(door.url, null, { ...asking, method: 'GET', headers: { accept: 'text/event-stream' } })

test('a question is asked again on the stream that is taken up, under its own id', async () => {
  await start()
  const first = await open(door.url, request(1), LATEST)
  const { call, answer } = await underWay(1)
  first.leave()
  const asked = call.ask?.({ method: 'roots/list' }, { deadline: Date.now() + 20_000 })
  const second = await resume(await lastIdOf(first))
  await until('it is asked', () => second.messages()[0])
  await open(door.url, { jsonrpc: '2.0', id: 'r1r1.1', result: { roots: [] } }, LATEST)
  assert.equal(await asked, { result: { roots: [] } })
  answer({})
  await ended(second)
})

test('a call that nobody comes back for is taken back after a while', async () => {
  await start({ unread: 100 })
  const first = await open(door.url, request(1), LATEST)
  const id = await lastIdOf(first)
  const { call } = await underWay(1)
  first.leave()
  await until('it is taken back', () => (call.gone.aborted ? true : undefined))
  const refused = await resume(id)
  await ended(refused)
  assert.equal([refused.status, JSON.parse(refused.text).error.code], [400, -32600])
  assert.match(refused.text, /send the request again/)
})

test('an older version takes a broken stream for the end of its call, and knows no ids', async () => {
  await start()
  const older = { session: 's', version: '2025-06-18' }
  const first = open(door.url, request(1), older)
  const { call } = await underWay(1)
  call.notify?.(note(1))
  const stream = await first
  await says(stream, '"n":1')
  assert.equal(idsOf(stream), [])
  stream.leave()
  await until('it is taken back', () => (call.gone.aborted ? true : undefined))
  const standing = await resume('r1r1.c1.0', older)
  assert.is(standing.status, 200, 'what it sends as an id means nothing')
  assert.equal(idsOf(standing), [])
  standing.leave()
})

test('a modern call has no ids, and one that is sent with it means nothing', async () => {
  await start()
  const meta = { [META.version]: MODERN_VERSION, [META.capabilities]: {} }
  const call = open(
    door.url,
    { ...request(1), params: { _meta: meta } },
    { version: MODERN_VERSION, headers: { 'mcp-method': 'wait', 'last-event-id': 'r1r1.c1.0' } },
  )
  ;(await underWay(1)).call.notify?.(note(1))
  const reading = await call
  await says(reading, '"n":1')
  assert.equal(idsOf(reading), [])
  reading.leave()
  await until('it is taken back', () => (calls.get(1)?.call.gone.aborted ? true : undefined))
})

for (const id of ['nonsense', 'r1r1.c1.0', 'abcd.c1.5', 'r1r1.c1', ' '])
  test(`Last-Event-ID ${JSON.stringify(id)} is of no stream`, async () => {
    await start()
    const refused = await resume(id)
    assert.is(refused.status, 400)
  })

test('another session takes up nothing', async () => {
  await start()
  const call = await open(door.url, request(1), LATEST)
  const refused = await resume(await lastIdOf(call), { session: 'other', version: '2025-11-25' })
  assert.is(refused.status, 400)
  assert.not(call.ended)
})

test('a call that is taken back cannot be taken up', async () => {
  await start()
  const call = await open(door.url, request(1), LATEST)
  const id = await lastIdOf(call)
  await open(door.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }, LATEST)
  await ended(call)
  assert.equal(call.messages(), [])
  assert.is((await resume(id)).status, 400)
})

test('the standing stream goes on where it broke, and what was told meanwhile is not lost', async () => {
  await start()
  const first = await openStanding()
  door.lines.note('s', note(1))
  await says(first, '"n":1')
  first.leave()
  door.lines.note('s', note(2))
  const second = await resume(await lastIdOf(first))
  await says(second, '"n":2')
  door.lines.note('s', note(3))
  await says(second, '"n":3')
  assert.equal(second.messages(), [note(2), note(3)])
  second.leave()
})

test('a standing stream that is lost with its replica begins anew, unless its client has another', async () => {
  await start()
  const anew = await resume('zzzz.s1.4')
  assert.is(anew.status, 200)
  door.lines.note('s', note(1))
  await says(anew, '"n":1')
  assert.is((await resume('zzzz.s1.4')).status, 400)
  assert.not(anew.ended)
  anew.leave()
})

test('a session that ends ends its calls that nobody reads; others are answered', async () => {
  await start()
  const [read, unread] = [await open(door.url, request(1), LATEST), await open(door.url, request(2), LATEST)]
  unread.leave()
  const { call } = await underWay(2)
  const { answer } = await underWay(1)
  await until('nobody reads it', async () => {
    const probe = await open(door.url, null, { ...LATEST, method: 'DELETE' })
    return probe.status === 200 ? true : undefined
  })
  await until('it is taken back', () => (call.gone.aborted ? true : undefined))
  answer({ done: true })
  await ended(read)
  assert.equal(read.messages()[0]?.result, { done: true })
})

test('whoever loses the right to a call loses it, be it that nobody reads it', async () => {
  await start()
  const [read, unread] = [await open(door.url, request(1), LATEST), await open(door.url, request(2), LATEST)]
  const [one, other] = [await underWay(1), await underWay(2)]
  unread.leave()
  door.bar()
  await ended(read)
  await until('both are taken back', () => (one.call.gone.aborted && other.call.gone.aborted ? true : undefined))
  assert.equal(read.messages(), [])
})

test('as many standing streams are open as may be, others are told when to come back', async () => {
  await start()
  const open4 = await Promise.all(['a', 'b', 'c', 'd'].map((session) => openStanding({ ...LATEST, session })))
  assert.equal(
    open4.map(({ status }) => status),
    [200, 200, 200, 200],
  )
  const refused = await openStanding({ ...LATEST, session: 'e' })
  assert.equal([refused.status, refused.headers.get('retry-after')], [429, '30'])
  open4[0]?.leave()
  await until('there is a place', async () => {
    const next = await openStanding({ ...LATEST, session: 'e' })
    return next.status === 200 ? true : undefined
  })
  for (const reading of open4) reading.leave()
})

test('a client that can come back is let go when its server lets us go, and gets the rest where it left', async () => {
  await start({}, 60_000)
  const opening = open(door.url, request(1), LATEST)
  const { call, answer } = await underWay(1)
  call.interrupt?.()
  const call1 = await opening
  await ended(call1)
  assert.equal(call1.messages(), [])
  assert.not(call.gone.aborted, 'its client has not gone')
  const rest = await resume(await lastIdOf(call1))
  answer({ rest: true })
  await ended(rest)
  assert.equal(rest.messages(), [{ jsonrpc: '2.0', id: 1, result: { rest: true } }])
})

test('a client that cannot come back waits on', async () => {
  await start({}, 60_000)
  const opening = open(door.url, request(1), { session: 's', version: '2025-06-18' })
  const { call, answer } = await underWay(1)
  call.interrupt?.()
  answer({ whole: true })
  const reading = await opening
  await ended(reading)
  assert.equal(reading.messages(), [{ jsonrpc: '2.0', id: 1, result: { whole: true } }])
})

test('a session whose client names event streams first is answered with one, every other with JSON', async () => {
  await start()
  const first = { accept: 'text/event-stream, application/json' }
  const streamed = await open(door.url, request(1, 'quick'), { ...LATEST, headers: first })
  assert.is(streamed.headers.get('content-type'), 'text/event-stream')
  const single = await open(door.url, request(2, 'quick'), { version: '2025-11-25', headers: first })
  assert.is(single.headers.get('content-type'), 'application/json')
})

test.run()
