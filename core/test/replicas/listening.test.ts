// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { changingServer, type ChangingServer } from '../changing-server.js'
import { legacy, openSession } from '../door.js'
import type { RunningGateway } from '../gateway.js'
import { openStanding } from '../streams.js'
import { until } from '../until.js'
import { startCluster, type Cluster } from './cluster.js'

const UPDATED = 'notifications/resources/updated'
const TOOLS = 'notifications/tools/list_changed'

let server: ChangingServer
let cluster: Cluster
let one: RunningGateway
let other: RunningGateway
test.before(async () => {
  const capabilities = { tools: { listChanged: true }, resources: { subscribe: true } }
  server = await changingServer({ era: 'legacy', capabilities, resources: ['file:///a', 'file:///b'] })
  cluster = await startCluster()
  ;[one, other] = cluster.gateways as [RunningGateway, RunningGateway]
  await one.api('POST', '/servers', { slug: 'only', url: server.url })
  await one.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'only' }] })
})
test.after(async () => {
  await cluster.stop()
  await server.stop()
})

test('what is subscribed to at one replica is told on the stream at the other, until it is taken back', async () => {
  const here = await one.mintToken({ gateway: 'house', host: 'agent' })
  const there = cluster.at(other, here)
  const session = await openSession(here)
  const stream = await openStanding(there, session)
  const set = async (method: string) =>
    assert.equal((await legacy(here, { method, params: { uri: 'file:///a' } }, { session })).json.result, {})
  const subscribed = () => server.subscribed().length
  await set('resources/subscribe')
  await until('both replicas have asked for it', () => (subscribed() === 2 ? true : undefined))
  server.update('file:///a')
  assert.equal((await stream.hears(UPDATED)).params, { uri: 'file:///a' })
  await set('resources/unsubscribe')
  await until('neither wants it any more', () => (subscribed() === 0 ? true : undefined))
  server.update('file:///a')
  server.addTool('behind-it')
  await stream.hears(TOOLS)
  assert.is(stream.messages().filter(({ method }) => method === UPDATED).length, 1)
  stream.close()
})

test.run()
