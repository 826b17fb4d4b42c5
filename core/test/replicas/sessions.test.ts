// time-limit: 180
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, openSession } from '../door.js'
import { answering, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import type { Access, RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { startCluster, type Cluster } from './cluster.js'
import { roundRobin, type RoundRobin } from './round-robin.js'

let server: FakeServer
let cluster: Cluster
let balancer: RoundRobin
let one: RunningGateway
let other: RunningGateway
test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }))
  cluster = await startCluster()
  ;[one, other] = cluster.gateways as [RunningGateway, RunningGateway]
  await one.api('POST', '/servers', { slug: 'only', url: server.url })
  await one.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'only' }] })
  balancer = await roundRobin([one.url, other.url])
})
test.after(async () => {
  await balancer.stop()
  await cluster.stop()
  await server.stop()
})

let agents = 0
const newAgent = (): Promise<Access> => one.mintToken({ gateway: 'house', host: `agent-${(agents += 1)}` })
const end = async (access: Access, session: string): Promise<number> =>
  (await fetch(access.url, { method: 'DELETE', headers: headersOf(access, session) })).status
const headersOf = ({ token }: Access, session: string) => ({
  authorization: `Bearer ${token}`,
  'mcp-session-id': session,
  accept: 'text/event-stream',
})
const ping = async (access: Access, session: string): Promise<number> =>
  (await legacy(access, { method: 'ping' }, { session })).status

test('without any stickiness a session is opened, used and ended, each request at the next replica', async () => {
  const access = balancer.through(await newAgent())
  const before = [...balancer.served]
  const session = await openSession(access)
  for (let n = 0; n < 6; n++) {
    assert.is((await legacy(access, { method: 'tools/list' }, { session })).json.result.tools[0].name, 'act')
    assert.equal((await legacy(access, call('act'), { session })).json.result, { content: [] })
  }
  assert.is(await end(access, session), 200)
  assert.is(await end(access, session), 404)
  assert.is(await ping(access, session), 404)
  const now = balancer.served.map((count, n) => count - (before[n] ?? 0))
  assert.equal(now, [8, 8])
})

/** Sessions that both replicas have in memory end at one of them; answers how the next request at the other fares. */
async function endings(times: number): Promise<readonly number[]> {
  const access = await newAgent()
  const statuses: number[] = []
  for (let n = 0; n < times; n++) {
    const [here, there] = [one, other].map((gateway) => cluster.at(gateway, access)) as [Access, Access]
    const [ending, next] = n % 2 === 0 ? [here, there] : [there, here]
    const session = await openSession(ending)
    for (const side of [next, ending]) assert.is(await ping(side, session), 200)
    assert.is(await end(ending, session), 200)
    statuses.push(await ping(next, session))
  }
  return statuses
}

test('a session that ends at one replica is refused on the very next request at the other', async () => {
  assert.equal([...new Set(await endings(30))], [404])
})

test('the standing stream of a session ends when the session ends at another replica', async () => {
  const access = await newAgent()
  const session = await openSession(access)
  const stream = await fetch(cluster.at(other, access).url, { headers: headersOf(access, session) })
  assert.is(stream.status, 200)
  let isOver = false
  const over = stream.text().then(() => (isOver = true))
  assert.is(await end(access, session), 200)
  await until('it ends', () => isOver || undefined, { seconds: 3 })
  await over
})

test('the sessions of a user are counted over all replicas', async () => {
  await one.api('PATCH', '/settings', { limits: { sessionsPerUser: 3 } })
  const access = await newAgent()
  const opened: string[] = []
  for (const gateway of [one, other, one, other, one]) opened.push(await openSession(cluster.at(gateway, access)))
  const there = cluster.at(other, access)
  assert.equal(await Promise.all(opened.map((session) => ping(there, session))), [404, 404, 200, 200, 200])
  await one.api('PATCH', '/settings', { limits: { sessionsPerUser: 200 } })
})

test('a replica that is killed takes nothing with it: its sessions go on at the other', async () => {
  const killed = await cluster.add()
  const access = await newAgent()
  const session = await openSession(cluster.at(killed, access))
  assert.is(await ping(cluster.at(killed, access), session), 200)
  const id = await cluster.idOf(killed)
  await killed.kill()
  for (const gateway of [one, other]) {
    const here = cluster.at(gateway, access)
    assert.equal((await legacy(here, call('act'), { session })).json.result, { content: [] })
  }
  // Dead for long: the rest need not wait for that.
  await cluster.sql(`delete from replicas where id = '${id}'`)
})

test('all this holds though no notice is ever told', async () => {
  for (const [trigger, table] of [
    ['sessions_tell', 'sessions'],
    ['replicas_tell', 'replicas'],
    ['epoch_tell', 'epoch'],
  ])
    await cluster.sql(`drop trigger ${trigger} on ${table}`)
  assert.equal([...new Set(await endings(10))], [404])
})

test('a newcomer ends no session while a replica that hears nothing may believe itself alone', async () => {
  const access = await newAgent()
  const session = await openSession(access)
  await cluster.remove(other)
  const id = await cluster.idOf(one)
  const knows = async () => (await cluster.sql(`select knows from replicas where id = '${id}'`))[0]?.['knows']
  await until('it is alone', async () => String(await knows()) === '' || undefined)
  assert.is(await ping(access, session), 200)
  await cluster.nextBeat(one)
  process.kill(one.pid, 'SIGSTOP')
  try {
    const newcomer = await cluster.add()
    assert.is(await end(cluster.at(newcomer, access), session), 200)
  } finally {
    process.kill(one.pid, 'SIGCONT')
  }
  assert.is(await ping(access, session), 404)
})

test.run()
