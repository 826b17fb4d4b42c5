// time-limit: 180
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { relayTo } from '../../record/record.fixture.js'
import { testDatabase } from '../database.js'
import { call, legacy, modern, openSession } from '../door.js'
import { answering, fakeUpstream, yamlOf } from '../fake-upstream.js'
import { startGateway } from '../gateway.js'
import { startLoad } from '../load.js'
import { until } from '../until.js'

test('a database that goes away and comes back under load stops nobody who is known, and loses nothing', async () => {
  const [database, server] = [await testDatabase(), await fakeUpstream(answering({ content: [] }))]
  const relay = await relayTo(database.url)
  const gateway = await startGateway({ databaseUrl: relay.url, yaml: yamlOf({ one: server }) })
  const [known, idle, stranger] = [
    await gateway.mintToken({ gateway: 'house', host: 'known' }),
    await gateway.mintToken({ gateway: 'house', host: 'idle' }),
    { token: 'API_0000000000000000000000000000000000000000000' },
  ]
  const session = await openSession(known)
  await legacy(known, { method: 'tools/list' })

  const load = startLoad(known, { workers: 8 })
  await load.answeredMore(100)
  relay.cut()
  const cutAt = Date.now()
  // Past what a replica believes without asking, and past the life of what it had begun.
  await until('it was away for long', async () => {
    await load.answeredMore(50)
    return Date.now() - cutAt > 5_000 || undefined
  })
  assert.is((await modern(known, call('act'))).status, 200)
  assert.is((await legacy(known, { method: 'tools/list' })).status, 200)
  assert.is((await legacy(known, call('act'), { session })).status, 200, 'an open session goes on')
  assert.is((await legacy(idle, call('act'))).status, 503, 'who was never seen is asked to wait, not to sign in anew')
  assert.is((await legacy({ ...known, token: stranger.token }, call('act'))).status, 503)
  assert.is((await fetch(`${gateway.url}/readyz`)).status, 503)
  relay.mend()
  await until('it is ready again', async () => ((await fetch(`${gateway.url}/readyz`)).ok ? true : undefined))
  await load.answeredMore(100)
  const { answered, failed } = await load.stop()
  assert.equal(failed, [])
  assert.is((await legacy(idle, call('act'))).status, 200)

  const recorded = await gateway.recorded(known)
  const ids = recorded.filter(({ legs }) => legs.length === 4).map(({ legs }) => legs[0]?.jsonrpc_id)
  const onRecord = new Set(ids)
  assert.equal(
    answered.filter((id) => !onRecord.has(id)),
    [],
    'every answer is on record',
  )
  assert.is(ids.filter((id) => id?.startsWith('load-')).length, answered.length, 'once each')
  await gateway.stop()
  await relay.close()
  await server.stop()
  await database.drop()
})

test.run()
