// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openSession, post } from '../door.js'
import { answering, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import type { Access, RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { startCluster, type Cluster } from './cluster.js'

let server: FakeServer
let cluster: Cluster
let one: RunningGateway
let other: RunningGateway
let owner: string
let here: Access
let session: string
test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }))
  // Only the first one trusts a proxy, and the owner has another name than that by which it is reached.
  cluster = await startCluster({ count: 0 })
  one = await cluster.add({ GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1' })
  other = await cluster.add({ GATEHOUSE_URL: 'http://127.0.0.9:4000', HOST: '0.0.0.0' })
  await one.api('POST', '/servers', { slug: 'only', url: server.url })
  await one.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'only' }] })
  owner = await cluster.idOf(other)
  here = await one.mintToken({ gateway: 'house', host: 'agent' })
  session = await openSession(here)
})
test.after(async () => {
  await cluster.stop()
  await server.stop()
})

const stranger = (): Access => ({ ...here, token: 'API_0000000000000000000000000000000000000000000' })
const answer = (id: string, access = here) =>
  post(access, JSON.stringify({ jsonrpc: '2.0', id, result: {} }), {
    headers: { 'mcp-session-id': session, 'x-forwarded-for': '203.0.113.9' },
  })
const resume = (event: string, { token } = here) =>
  fetch(here.url, {
    headers: {
      authorization: `Bearer ${token}`,
      'mcp-session-id': session,
      'mcp-protocol-version': '2025-11-25',
      accept: 'text/event-stream',
      'last-event-id': event,
    },
  })

test('an answer to a question is taken to the replica that asked, which writes it down, once', async () => {
  const before = cluster.reached(other)
  assert.is((await answer(`${owner}.1`)).status, 202)
  assert.is(cluster.reached(other), before + 1)
  const recorded = await until('it is on record', async () => {
    const all = await one.recorded(here)
    const found = all.filter(({ method }) => method === null)
    return found.length > 0 ? found : undefined
  })
  assert.is(recorded.length, 1)
  assert.is(recorded[0]?.legs[0]?.client_ip, '203.0.113.9')
})

test('who may not come in is refused by the owner as anywhere', async () => {
  assert.is((await answer(`${owner}.1`, stranger())).status, 401)
  assert.is((await resume(`${owner}.c1.1`, stranger())).status, 401)
})

test('answers that come in one array go to their owners one by one, and the rest stays', async () => {
  const batch = [`${owner}.1`, `${await cluster.idOf(one)}.1`, 'dead.1', 7].map((id) => ({
    ...{ jsonrpc: '2.0', id, result: {} },
  }))
  const old = { 'mcp-protocol-version': '2025-03-26' }
  const init = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-03-26' } }
  const opened = await post(here, JSON.stringify(init))
  const headers = { ...old, 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  const before = cluster.reached(other)
  assert.is((await post(here, JSON.stringify(batch), { headers })).status, 202)
  assert.is(cluster.reached(other), before + 1)
})

test('an owner that nobody knows, or that names no question of this one, leaves the answer dropped', async () => {
  for (const id of ['dead.1', 'dead', 'x', `${owner}1`]) assert.is((await answer(id)).status, 202, id)
  assert.is((await answer('dead.1', stranger())).status, 401)
})

test('an owner that has just come is found, though no notice told of it', async () => {
  await cluster.sql('drop trigger replicas_tell on replicas')
  await cluster.nextBeat(one)
  const newcomer = await cluster.add()
  assert.is((await answer(`${await cluster.idOf(newcomer)}.1`)).status, 202)
  assert.is(cluster.reached(newcomer), 1)
})

test('an owner that cannot be reached leaves the answer dropped, and its stream gone', async () => {
  const unreached = await cluster.add()
  cluster.cutOff(unreached)
  const id = await cluster.idOf(unreached)
  assert.is((await answer(`${id}.1`)).status, 202)
  assert.is((await resume(`${id}.c1.1`)).status, 400)
})

test('a stream whose replica is killed is cut; taking it up again is refused, and the session goes on', async () => {
  // A standing one begins anew where it is not known any more.
  const stream = await resume(`${owner}.s1.1`)
  assert.is(stream.headers.get('content-type'), 'text/event-stream')
  const over = stream.text().catch(() => 'cut')
  await other.kill()
  assert.is(await over, 'cut')
  const refused = await resume(`${owner}.c1.1`)
  const { error } = (await refused.json()) as { error: { code: number; message: string } }
  assert.equal([refused.status, error.code], [400, -32600])
  assert.match(error.message, 'The stream is gone; send the request again')
  assert.is((await answer(`${owner}.1`)).status, 202)
  const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
  assert.is((await post(here, ping, { headers: { 'mcp-session-id': session } })).status, 200)
})

test.run()
