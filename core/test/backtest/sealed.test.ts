// time-limit: 420
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { Pool } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gatehouse } from '../configuration/command.js'
import { createSecretHunt, dumpOf, filesUnder, pgDumpOf } from '../cutoff/secret-hunt.js'
import { testDatabase } from '../database.js'
import { call, legacy, modern } from '../door.js'
import { makeHome, startGateway, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { apiAs, echoing, regex, replayed, yamlFor } from './house.js'

const newKey = () => randomBytes(32).toString('base64')

test('what was said before the rules lies sealed and in no other form, and opens for a backtest after the keys were rotated', async () => {
  const hunt = createSecretHunt()
  const word = () => hunt.make(`word ${hunt.names.length}`, 'hush-').replaceAll('-', 'x').replace('hushx', 'hush-')
  const [asked, leaked, stopped] = [word(), word(), word()].map((one) => hunt.keep(one.slice(0, 16), one))
  const server = await echoing(`it is ${leaked}`)
  const database = await testDatabase()
  const home = await makeHome()
  const pool = new Pool({ connectionString: database.url, max: 1 })
  const [old, fresh] = [newKey(), newKey()]
  const start = (keys: string) =>
    startGateway({ home, databaseUrl: database.url, yaml: yamlFor(server), env: { GATEHOUSE_MASTER_KEY: keys } })
  const isClean = async (gateway: RunningGateway, when: string) => {
    for (const [table, text] of await dumpOf(database.url)) assert.equal(hunt.foundIn(text), [], `${when}: ${table}`)
    for (const [file, text] of filesUnder(home)) assert.equal(hunt.foundIn(text), [], `${when}: ${file}`)
    assert.equal(hunt.foundIn(pgDumpOf(database.url) ?? ''), [], `${when}: pg_dump`)
    assert.equal(hunt.foundIn(gateway.logs()), [], `${when}: log`)
    assert.equal(hunt.foundIn(JSON.stringify(await gateway.api('GET', '/logs?bodies=true'))), [], `${when}: API`)
  }

  let gateway = await start(old)
  const access = await gateway.mintToken({ gateway: 'sealed', host: 'agent' })
  await modern(access, call('echo', { text: `keep ${asked}` }))
  await legacy(access, call('leak'))
  const blocked = await legacy(access, call('echo', { text: `stop-now ${stopped}` }))
  assert.match(blocked.text, 'Blocked by policy')
  await until('all is on record', async () => {
    const { rows } = await pool.query<{ n: string }>('select count(*) as n from message_originals')
    return Number(rows[0]?.n) === 3 ? true : undefined
  })
  await isClean(gateway, 'as it was written')

  const rules = [regex('Hush', 'hush-\\w+')]
  const report = await replayed(apiAs(gateway, gateway.adminToken), { gateway: 'sealed', rules })
  assert.equal([report.report.inputs, report.report.outcomes.block], [{ original: 5, redacted: 0 }, 3])
  assert.equal(hunt.foundIn(JSON.stringify(report.samples)).length > 0, true, 'whoever may see bodies is shown them')
  await isClean(gateway, 'after a backtest')
  await gateway.stop()

  gateway = await start(`${fresh},${old}`)
  const { code, err } = await gatehouse(gateway, ['keys', 'rotate'])
  assert.is(code, 0, err)
  await gateway.stop()
  gateway = await start(fresh)
  const again = await replayed(apiAs(gateway, gateway.adminToken), { gateway: 'sealed', rules })
  assert.equal([again.report.inputs, again.report.outcomes.block], [{ original: 5, redacted: 0 }, 3])

  await pool.query('delete from body_keys')
  const gone = await replayed(apiAs(gateway, gateway.adminToken), { gateway: 'sealed', rules })
  assert.equal(gone.report.notKept, { unreadable: 1 }, 'of what was blocked nothing else is kept')
  assert.is(gone.report.outcomes.block, 0)
  await gateway.stop()
  await pool.end()
  await database.drop()
  await server.stop()
  await rm(home, { recursive: true, force: true })
})

test.run()
