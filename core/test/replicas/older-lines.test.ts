// time-limit: 120
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../http/testing.js'
import { answering, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import type { Access, RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { startCluster, type Cluster } from './cluster.js'

let server: FakeServer
let cluster: Cluster
let one: RunningGateway
let other: RunningGateway
test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }), { era: 'legacy' })
  cluster = await startCluster({ count: 2 })
  ;[one, other] = cluster.gateways as [RunningGateway, RunningGateway]
  await one.api('POST', '/servers', { slug: 'only', url: server.url })
  await one.api('POST', '/gateways', { slug: 'house', legacySse: true, servers: [{ server: 'only' }] })
})
test.after(async () => {
  await cluster.stop()
  await server.stop()
})

const headers = ({ token }: Access) => ({ authorization: `Bearer ${token}`, 'mcp-protocol-version': '' })
const request = (method: string, id: number, params: JsonObject = {}) => ({ jsonrpc: '2.0', id, method, params })

test('a message finds its stream from whatever replica, and is refused when that went with its replica', async () => {
  const access = await one.mintToken({ gateway: 'house', host: 'agent' })
  const there = cluster.at(other, access)
  const stream = await open(there.url, null, {
    method: 'GET',
    headers: { ...headers(access), accept: 'text/event-stream' },
  })
  assert.is(stream.status, 200)
  const endpoint = await until('its endpoint is named', () => /data: (.*older=.*)\n/.exec(stream.text)?.[1])
  assert.ok(endpoint.includes(`?older=${await cluster.idOf(other)}.`))
  const here = new URL(endpoint, access.url).href
  const say = (message: unknown, as = access) => open(here, message, { headers: headers(as) })

  const before = cluster.reached(other)
  const taken = await say(request('initialize', 1, { protocolVersion: '2024-11-05', capabilities: {} }))
  assert.is(taken.status, 202)
  await until('it is answered', () => stream.messages()[0])
  assert.is((await say({ jsonrpc: '2.0', method: 'notifications/initialized' })).status, 202)
  assert.is((await say(request('tools/call', 2, { name: 'act', arguments: {} }))).status, 202)
  assert.equal(await until('it is answered', () => stream.messages()[1]), {
    ...{ jsonrpc: '2.0', id: 2 },
    result: { content: [] },
  })
  assert.is(cluster.reached(other), before + 3)
  assert.is((await say(request('ping', 3), await one.mintToken({ gateway: 'house', host: 'foreign' }))).status, 404)

  await other.kill()
  await until('the stream is cut', () => (stream.ended ? true : undefined))
  const refused = await say(request('ping', 4))
  assert.is(refused.status, 404)
  await until('it says why', () => /is not open; open a new one/.exec(refused.text) ?? undefined)
  const again = await open(access.url, null, {
    method: 'GET',
    headers: { ...headers(access), accept: 'text/event-stream' },
  })
  assert.is(again.status, 200)
  again.leave()
})

test.run()
