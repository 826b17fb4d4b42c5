// time-limit: 420
import { rm } from 'node:fs/promises'
import { Pool } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { apiAs, echoing, regex } from '../backtest/house.js'
import { createSecretHunt, dumpOf, filesUnder, pgDumpOf } from '../cutoff/secret-hunt.js'
import { testDatabase } from '../database.js'
import { startGateway } from '../gateway.js'
import { homeWith } from '../plugins/plugin-file.js'
import { COUNTING, receiptsOf, yamlOf } from './house.js'

test('what an engine looked at lies sealed and in no other form, and on a gateway that seals nothing it is kept nowhere', async () => {
  const hunt = createSecretHunt()
  const word = () => hunt.make(`word ${hunt.names.length}`, 'hush-').replaceAll('-', 'x').replace('hushx', 'hush-')
  const [sealed, other] = [word(), word()].map((one) => hunt.keep(one.slice(0, 16), one)) as [string, string]
  const server = await echoing()
  const [home, database] = [await homeWith({ 'test-counting': COUNTING }), await testDatabase()]
  const rules = [
    { name: 'Count', engine: 'counting', hook: 'both', mark: ' marked' },
    regex('Hide', 'hush-\\w+', { action: 'redact' }),
  ]
  const gateway = await startGateway({
    home,
    databaseUrl: database.url,
    yaml: yamlOf(server, { sealed: rules, plain: rules }),
  })
  const pool = new Pool({ connectionString: database.url, max: 1 })
  const kept = async () =>
    (await pool.query('select request_recorded, response_recorded from message_originals order by at')).rows

  const access = await gateway.mintToken({ gateway: 'sealed', host: 'agent' })
  const receipts = await receiptsOf(gateway, access, `keep ${sealed}`)
  await receiptsOf(gateway, await gateway.mintToken({ gateway: 'plain', host: 'other' }), `keep ${other}`)
  assert.equal(
    (await kept()).map((row) => Object.values(row).map((box) => Buffer.isBuffer(box) && box.length > 100)),
    [[true, true]],
  )
  const replayed = await apiAs(gateway, gateway.adminToken)(
    'POST',
    `/rules/receipts/${receipts[0]?.receipt_id}/replay`,
    {},
  )
  assert.is(replayed.json.identical, true, replayed.text)

  for (const [table, text] of await dumpOf(database.url)) assert.equal(hunt.foundIn(text), [], table)
  for (const [file, text] of filesUnder(home)) assert.equal(hunt.foundIn(text), [], file)
  assert.equal(hunt.foundIn(pgDumpOf(database.url) ?? ''), [], 'pg_dump')
  assert.equal(hunt.foundIn(gateway.logs()), [], 'log')
  assert.equal(hunt.foundIn(JSON.stringify(await gateway.api('GET', '/logs?bodies=true'))), [], 'API')
  await gateway.stop()
  await pool.end()
  await database.drop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

test.run()
