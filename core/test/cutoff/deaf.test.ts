// time-limit: 120
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase, type TestDatabase } from '../database.js'
import { call, legacy } from '../door.js'
import { answering, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { deafRelayTo, type DeafRelay } from './deaf-relay.js'

/** A replica that is told nothing any more keeps the promise all the same: it asks. */

let server: FakeServer
let database: TestDatabase
let relay: DeafRelay
let one: RunningGateway
let deaf: RunningGateway
let access: Access
let there: Access
test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }))
  database = await testDatabase()
  relay = await deafRelayTo(database.url)
  const env = { GATEHOUSE_MASTER_KEY: randomBytes(32).toString('base64') }
  one = await startGateway({ databaseUrl: database.url, env })
  deaf = await startGateway({ databaseUrl: relay.url, env })
  await one.api('POST', '/servers', { slug: 'only', url: server.url })
  await one.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'only' }] })
  access = await one.mintToken({ gateway: 'house', host: 'agent' })
  there = { ...access, url: access.url.replace(one.url, deaf.url) }
  await until('it is good there', async () => ((await legacy(there, call('act'))).status === 200 ? true : undefined))
})
test.after(async () => {
  await one.stop()
  await deaf.stop()
  await relay.close()
  await server.stop()
  await database.drop()
})

/** The longest time after a change that the other replica has still not known of it. */
async function longestLag(rounds: number): Promise<number> {
  let longest = 0
  for (let round = 0; round < rounds; round += 1)
    for (const [path, isOff, enabled] of CHANGES) {
      await one.api('PATCH', path, { enabled })
      const since = performance.now()
      let ignorant = since
      await until('the other replica knows', async () => {
        const askedAt = performance.now()
        const { status, json } = await legacy(there, call('act'))
        if ((status !== 200 || json.result === undefined) === isOff) return true
        ignorant = askedAt
        return undefined
      })
      longest = Math.max(longest, ignorant - since)
    }
  return longest
}
const CHANGES = [
  ['/hosts/agent', true, false],
  ['/hosts/agent', false, true],
  ['/servers/only', true, false],
  ['/servers/only', false, true],
] as const

test('a listening connection that is killed again and again', async () => {
  const client = new Client({ connectionString: database.url })
  await client.connect()
  const kill = () =>
    client.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'gatehouse notices' and datname = current_database()`)
  const killing = setInterval(() => void kill().catch(() => undefined), 20)
  const lag = await longestLag(5)
  clearInterval(killing)
  await client.end()
  assert.ok(lag <= 1_000, `${lag} ms`)
})

test('a listening connection that is half open: no byte passes and nobody is told', async () => {
  await until('it listens again', () => (relay.listening() === 1 ? true : undefined))
  relay.deafen()
  const lag = await longestLag(5)
  assert.ok(lag <= 1_000, `${lag} ms`)
})

test.run()
