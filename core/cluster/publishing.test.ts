import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createStore } from '../db/repositories/store.js'
import { createReplicaRows } from '../db/repositories/replicas.js'
import { fakeVault, migratedDatabase } from '../db/testing.js'
import { relayTo } from '../record/record.fixture.js'
import { until } from '../test/until.js'
import { createCancels } from './cancels.js'
import { createEpochs } from './epochs.js'
import { CHANNELS, openPublishing } from './publishing.js'

const database = await migratedDatabase()
const { dataSource } = database
const log = { info: () => undefined, warn: () => undefined }
const query = (sql: string, given: readonly unknown[]) => dataSource.query(sql, [...given])
const open = (url = database.url) => openPublishing({ url, query, log, firstRetryMs: 5 })

test('what is published is heard by all, by whoever listens and as long as they do', async () => {
  const [one, other] = [await open(), await open()]
  const heard: string[] = []
  const off = one.on('cancelled', (payload) => heard.push(`one ${payload}`))
  other.on('cancelled', (payload) => heard.push(`other ${payload}`))
  other.on('ended', () => heard.push('another channel'))
  await one.publish('cancelled', 'x "y" ä')
  await until('both heard it', () => heard.length === 2 || undefined)
  assert.equal(heard.toSorted(), ['one x "y" ä', 'other x "y" ä'])
  off()
  await one.publish('cancelled', 'z')
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
  publishing.on('cancelled', (payload) => heard.push(payload))
  publishing.onGap(() => (gaps += 1))
  relay.cut()
  await publishing.publish('cancelled', 'lost')
  assert.is(gaps, 0)
  relay.mend()
  await until('it listens again', () => gaps === 1 || undefined)
  await publishing.publish('cancelled', 'heard')
  await until('it hears again', () => heard.length > 0 || undefined)
  assert.equal(heard, ['heard'])
  await publishing.stop()
  await relay.close()
})

test('a database that is away holds up neither the start nor the stop', async () => {
  const publishing = await open('postgresql://nobody@127.0.0.1:1/none')
  await publishing.stop()
})

test('a request that a client takes back is told to the others, not with the session but its hash', async () => {
  const publishing = await open()
  const told: unknown[] = []
  let alone = false
  const cancels = createCancels(publishing, { alone: () => alone })
  const raw: string[] = []
  publishing.on('cancelled', (payload) => raw.push(payload))
  cancels.onCancel((...given) => told.push(given))
  cancels.tell('a session', '7')
  cancels.tell('a session', 7)
  cancels.tell('a session', 'x'.repeat(8_000))
  alone = true
  cancels.tell('a session', 8)
  await publishing.publish('cancelled', 'rubbish')
  await publishing.publish('cancelled', '[1,{}]')
  await until('all is heard', () => raw.length === 4 || undefined)
  assert.is(told.length, 2)
  assert.equal(new Set(told.map((each) => (each as unknown[])[1])), new Set(['7', 7]))
  assert.ok(told.every((each) => /^[0-9a-f]{64}$/.test(String((each as unknown[])[0]))))
  assert.not.match(raw.join(), 'a session')
  await publishing.stop()
})

test.after(() => database.drop())
test.run()
