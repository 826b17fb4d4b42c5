// time-limit: 180
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { META } from '../../mcp/versions.js'
import { call, modern } from '../door.js'
import { sendEvent } from '../fake-upstream.js'
import type { RunningGateway } from '../gateway.js'
import {
  ask,
  ended,
  finish,
  lastIdOf,
  log,
  resumingClient,
  says,
  waitingServer,
  type WaitingServer,
} from '../resuming.js'
import { until } from '../until.js'
import { startCluster, type Cluster } from './cluster.js'

let server: WaitingServer
let cluster: Cluster
let one: RunningGateway
let other: RunningGateway
test.before(async () => {
  server = await waitingServer()
  cluster = await startCluster()
  ;[one, other] = cluster.gateways as [RunningGateway, RunningGateway]
  await one.api('POST', '/servers', { slug: 'only', url: server.url })
  await one.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'only' }] })
})
test.after(async () => {
  await cluster.stop()
  await server.stop()
})

let clients = 0
const newAccess = () => one.mintToken({ gateway: 'house', host: `client-${(clients += 1)}` })
async function connect(capabilities: JsonObject = {}) {
  const client = await resumingClient(await newAccess(), { capabilities })
  const urlAt = (gateway: RunningGateway) => cluster.at(gateway, client.access).url
  return {
    send: (at: RunningGateway, message: JsonObject) => client.send(message, { at: urlAt(at) }),
    resume: (at: RunningGateway, lastEventId: string) => client.resume(lastEventId, urlAt(at)),
  }
}
const atServer = (as: string) => server.call(as)
const told = (method: string, fits: (params: JsonObject) => boolean = () => true) =>
  until(`the server is told ${method}`, () =>
    server.seen.find(({ body }) => body['method'] === method && fits((body['params'] ?? {}) as JsonObject)),
  )
const answered = (id: string) =>
  until('the server has its answer', () => server.seen.find(({ body }) => body['id'] === id))
const ADA = { action: 'accept', content: { name: 'Ada' } }

test('a question that is asked at one replica is answered at the other, and its progress told there', async () => {
  const client = await connect({ elicitation: {} })
  const first = client.send(one, { id: 'mine', ...call('act', { as: 'asking' }) })
  const seen = await atServer('asking')
  ask(seen, 'q1', { _meta: { progressToken: 'of-q1' } })
  await says(await first, 'elicitation/create')
  const [question] = (await first).messages().filter(({ method }) => method === 'elicitation/create')
  const half = { progressToken: question?.['id'] as string, progress: 0.5 }
  assert.is((await client.send(other, { method: 'notifications/progress', params: half })).status, 202)
  await told('notifications/progress', ({ progressToken, progress }) => progressToken === 'of-q1' && progress === 0.5)
  assert.is((await client.send(other, { id: question?.['id'] as string, result: ADA })).status, 202)
  assert.equal((await answered('q1')).body['result'], ADA)
  finish(seen, { content: [], done: true })
  await ended(await first)
  assert.equal((await first).messages().at(-1), { jsonrpc: '2.0', id: 'mine', result: { content: [], done: true } })
})

test('a stream that breaks is taken up again at the other replica, from the event on that came last', async () => {
  const client = await connect()
  const first = client.send(one, { id: 'mine', ...call('act', { as: 'broken' }) })
  const seen = await atServer('broken')
  sendEvent(seen, log('one'))
  await says(await first, '"one"')
  ;(await first).leave()
  sendEvent(seen, log('two'))
  const second = await client.resume(other, await lastIdOf(await first))
  await says(second, '"two"')
  assert.is(second.headers.get('content-type'), 'text/event-stream')
  second.leave()
  const third = await client.resume(other, await lastIdOf(second))
  finish(seen)
  await ended(third)
  assert.equal(third.messages(), [{ jsonrpc: '2.0', id: 'mine', result: { content: [] } }])
})

test('a call is taken back at the other replica', async () => {
  const client = await connect()
  const first = client.send(one, { id: 7, ...call('act', { as: 'taken back' }) })
  const seen = await atServer('taken back')
  sendEvent(seen, log('one'))
  await says(await first, '"one"')
  const note = { method: 'notifications/cancelled', params: { requestId: 7 } }
  assert.is((await client.send(other, note)).status, 202)
  await told('notifications/cancelled', ({ requestId }) => requestId === seen.body['id'])
  await ended(await first)
  assert.is((await first).messages().at(-1)?.['id'], undefined)
})

test('a server that was reached from one replica hears of new roots that are told at the other, once', async () => {
  const client = await connect({ roots: { listChanged: true } })
  const first = client.send(one, { id: 1, ...call('act', { as: 'roots' }) })
  finish(await atServer('roots'))
  await ended(await first)
  const note = { method: 'notifications/roots/list_changed' }
  for (const at of [other, one]) {
    const before = server.seen.length
    assert.is((await client.send(at, note)).status, 202)
    await until('it is told', () => server.seen.slice(before).find(({ body }) => body['method'] === note.method))
  }
  const another = client.send(one, { id: 2, ...call('act', { as: 'after' }) })
  finish(await atServer('after'))
  await ended(await another)
  assert.is(server.seen.filter(({ body }) => body['method'] === note.method).length, 2)
})

const ABLE = { [META.capabilities]: { elicitation: {} } }
const retry = (as: string, more: JsonObject = {}) => ({
  method: 'tools/call',
  params: { name: 'act', arguments: { as }, _meta: ABLE, ...more },
})

test('a call that sleeps at one replica is woken at the other, and its notes and its answer come from there', async () => {
  const access = await newAccess()
  const asked = modern(access, retry('parked'))
  const seen = await atServer('parked')
  ask(seen, 'q2')
  const { result } = (await asked).json as {
    result: { resultType: string; inputRequests: JsonObject; requestState: string }
  }
  assert.is(result.resultType, 'input_required')
  const [key = ''] = Object.keys(result.inputRequests)
  const answers = { inputResponses: { [key]: ADA }, requestState: result.requestState }
  const woken = modern(cluster.at(other, access), retry('parked', answers))
  assert.equal((await answered('q2')).body['result'], ADA)
  finish(seen, { content: [], done: true })
  assert.is((await woken).json.result.done, true)
  const calls = (await one.recorded(access)).filter(({ method }) => method === 'tools/call')
  assert.is(calls.length, 2, 'each is on record once')
})

test('a replica that stops gets the answers to its questions through the other, until its calls have ended', async () => {
  const client = await connect({ elicitation: {} })
  const leaving = await cluster.add()
  const first = client.send(leaving, { id: 1, ...call('act', { as: 'leaving' }) })
  const seen = await atServer('leaving')
  ask(seen, 'q5')
  await says(await first, 'elicitation/create')
  const [question] = (await first).messages().filter(({ method }) => method === 'elicitation/create')
  const gone = cluster.remove(leaving)
  await until('it stops', async () => (await fetch(`${leaving.url}/readyz`)).status === 503 || undefined)
  assert.is((await client.send(one, { id: question?.['id'] as string, result: ADA })).status, 202)
  assert.equal((await answered('q5')).body['result'], ADA)
  finish(seen)
  await ended(await first)
  assert.equal((await first).messages().at(-1), { jsonrpc: '2.0', id: 1, result: { content: [] } })
  await gone
})

test('what a replica had in hand is lost with it, and everybody is told so', async () => {
  const client = await connect({ elicitation: {} })
  const doomed = await cluster.add()
  const first = client.send(doomed, { id: 1, ...call('act', { as: 'doomed' }) })
  const seen = await atServer('doomed')
  ask(seen, 'q3')
  await says(await first, 'elicitation/create')
  const [question] = (await first).messages().filter(({ method }) => method === 'elicitation/create')
  const access = await newAccess()
  const asked = modern(cluster.at(doomed, access), retry('asleep'))
  ask(await atServer('asleep'), 'q4')
  const { result } = (await asked).json as { result: { requestState: string } }

  await doomed.kill()
  assert.is((await client.send(one, { id: question?.['id'] as string, result: ADA })).status, 202)
  const refused = await client.resume(one, await lastIdOf(await first))
  assert.is(refused.status, 400)
  await ended(refused)
  assert.match(refused.text, 'The stream is gone; send the request again')
  const lost = await modern(access, retry('asleep', { inputResponses: {}, requestState: result.requestState }))
  assert.equal(
    [lost.status, lost.json.error.code, lost.json.error.data],
    [200, -32603, { reason: 'parked_call_lost', retryable: true }],
  )
  const again = client.send(other, { id: 2, ...call('act', { as: 'again' }) })
  finish(await atServer('again'))
  await ended(await again)
})

test.run()
