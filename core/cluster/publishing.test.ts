import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createStore } from '../db/repositories/store.js'
import { createReplicaRows } from '../db/repositories/replicas.js'
import { createSessionRows } from '../db/repositories/sessions.js'
import { fakeVault, gatewayDraft, migratedDatabase } from '../db/testing.js'
import { relayTo } from '../record/record.fixture.js'
import { until } from '../test/until.js'
import { createEpochs } from './epochs.js'
import { CHANNELS, openPublishing } from './publishing.js'
import { createSessionTold } from './told.js'

const database = await migratedDatabase()
const { dataSource } = database
const log = { info: () => undefined, warn: () => undefined }
const query = (sql: string, given: readonly unknown[]) => dataSource.query(sql, [...given])
const open = (url = database.url) => openPublishing({ url, query, log, firstRetryMs: 5 })

test('what is published is heard by all, by whoever listens and as long as they do', async () => {
  const [one, other] = [await open(), await open()]
  const heard: string[] = []
  const off = one.on('told', (payload) => heard.push(`one ${payload}`))
  other.on('told', (payload) => heard.push(`other ${payload}`))
  other.on('ended', () => heard.push('another channel'))
  await one.publish('told', 'x "y" ä')
  await until('both heard it', () => heard.length === 2 || undefined)
  assert.equal(heard.toSorted(), ['one x "y" ä', 'other x "y" ä'])
  off()
  await one.publish('told', 'z')
  await until('one of them heard it', () => heard.length === 3 || undefined)
  assert.is(heard[2], 'other z')
  await one.stop()
  await other.stop()
})

test('a change of the epoch, the replicas and the sessions is told by the tables themselves', async () => {
  const publishing = await open()
  const heard = new Map<string, string[]>(CHANNELS.map((channel) => [channel, []]))
  for (const channel of CHANNELS) publishing.on(channel, (payload) => heard.get(channel)?.push(payload))
  const [store, rows] = [createStore({ dataSource, vault: fakeVault }), createReplicaRows(dataSource)]
  const epoch = await store.bumpEpoch()
  await rows.register('aaaa', null)
  await rows.beat({ id: 'aaaa', url: null, knows: [], number: 1 })
  await rows.remove('aaaa')
  await until('it is heard', () => heard.get('replicas')?.length === 2 || undefined)
  assert.equal(heard.get('epoch'), [String(epoch)])
  assert.equal(heard.get('replicas'), ['aaaa', 'aaaa'], 'a beat is no news')
  await publishing.stop()
})

test('what becomes of a session is told by the tables, whatever made it so', async () => {
  const publishing = await open()
  const heard: string[] = []
  for (const channel of ['ended', 'changed'] as const)
    publishing.on(channel, (hash) => heard.push(`${channel} ${hash}`))
  const store = createStore({ dataSource, vault: fakeVault })
  const gateway = await store.gateways.insert(gatewayDraft('told'))
  const own = { managedBy: 'api', enabled: true } as const
  const host = await store.hosts.insert({ ...own, slug: 'h', title: 'h', kind: 'token', ownerId: null })
  const link = { hostId: host.id, gatewayId: gateway.id }
  const connection = await store.connections.insert({ ...own, ...link, userId: null })
  const rows = createSessionRows(dataSource)
  const session = {
    ...{ userKey: 'u', version: '2025-11-25', connectionId: connection.id, gatewayId: gateway.id, capabilities: {} },
    ...{ client: { name: null, version: null }, logLevel: null, subscriptions: [], lastUsedAt: new Date(1_000) },
  }
  for (const hash of ['a', 'b']) await rows.create({ ...session, hash })
  await rows.touch('a', new Date(2_000))
  await rows.change('a', { subscribe: 'x:1' })
  await rows.change('a', { unsubscribe: 'y:1' })
  await rows.change('a', { logLevel: 'info' })
  await rows.end('a')
  await store.connections.remove(connection.id)
  await until('both ends are heard', () => heard.includes('ended b') || undefined)
  assert.equal(heard, ['changed a', 'changed a', 'ended a', 'ended b'])
  await publishing.stop()
})

test('a new epoch is heard at once, without waiting for the interval', async () => {
  const publishing = await open()
  const store = createStore({ dataSource, vault: fakeVault })
  const there = createStore({ dataSource: await database.open(), vault: fakeVault })
  const epochs = createEpochs({ store, intervalMs: 2 ** 30, publishing })
  await epochs.check()
  const heard = new Promise<number>((resolve) => epochs.onChange(resolve))
  assert.is(await there.bumpEpoch(), await heard)
  epochs.stop()
  await publishing.stop()
})

test('a connection that breaks is made anew, and what may have been missed is told', async () => {
  const relay = await relayTo(database.url)
  const publishing = await open(relay.url)
  const heard: string[] = []
  let gaps = 0
  publishing.on('told', (payload) => heard.push(payload))
  publishing.onGap(() => (gaps += 1))
  relay.cut()
  await publishing.publish('told', 'lost')
  assert.is(gaps, 0)
  relay.mend()
  await until('it listens again', () => gaps === 1 || undefined)
  await publishing.publish('told', 'heard')
  await until('it hears again', () => heard.length > 0 || undefined)
  assert.equal(heard, ['heard'])
  await publishing.stop()
  await relay.close()
})

test('a database that is away holds up neither the start nor the stop', async () => {
  const publishing = await open('postgresql://nobody@127.0.0.1:1/none')
  await publishing.stop()
})

test('what a client tells is told to the other replicas, not with the session but its hash', async () => {
  const publishing = await open()
  const heard: unknown[] = []
  const raw: string[] = []
  publishing.on('told', (payload) => raw.push(payload))
  let alone = false
  const here = createSessionTold(publishing, { id: 'aaaa', alone: () => alone })
  here.onTold(() => heard.push('its own word'))
  createSessionTold(publishing, { id: 'bbbb', alone: () => false }).onTold((...told) => heard.push(told))
  for (const told of [{ cancelled: '7' }, { cancelled: 7 }, 'rootsChanged', { cancelled: 'x'.repeat(8_000) }] as const)
    here.tell('a session', told)
  await until('what fits is heard', () => raw.length === 3 || undefined)
  alone = true
  here.tell('a session', 'rootsChanged')
  for (const rubbish of ['rubbish', '1', '[]', '[1,2,3]', '["aaaa","h",{}]', '["aaaa","h",null]'])
    await publishing.publish('told', rubbish)
  await until('all is heard', () => raw.length === 9 || undefined)
  const hash = createHash('sha256').update('a session').digest('hex')
  const sorted = (some: readonly unknown[]) => some.map((one) => JSON.stringify(one)).toSorted()
  assert.equal(
    sorted(heard),
    sorted([
      [hash, { cancelled: '7' }],
      [hash, { cancelled: 7 }],
      [hash, 'rootsChanged'],
    ]),
  )
  assert.not.match(raw.join(), 'a session')
  await publishing.stop()
})

test.after(() => database.drop())
test.run()
