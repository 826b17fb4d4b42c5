import { randomUUID } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase } from '../test/database.js'
import { createDataSource, openDatabase } from './data-source.js'
import { createAlertRepository } from './repositories/alerts.js'
import { createStore } from './repositories/store.js'
import { fakeVault, quietLog } from './testing.js'

/** The last migration of the version before rules, features, alerts and backtests came. */
const BEFORE = 'RootMessages1796083200010'

test('a database of the version before goes on with its gateways, rules and alerts', async () => {
  const { url, drop } = await testDatabase()
  const old = createDataSource(url, { log: quietLog, poolSize: 2 })
  const migrations = Object.values(old.options.migrations ?? {}) as (new () => object)[]
  const sorted = migrations.toSorted((a, b) => Number(a.name.slice(-13)) - Number(b.name.slice(-13)))
  const upTo = sorted.findIndex(({ name }) => name === BEFORE)
  old.setOptions({ migrations: sorted.slice(0, upTo + 1) })
  await old.initialize()
  await old.runMigrations({ transaction: 'each' })
  const [server, gateway, rule, alert] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
  await old.query(
    `insert into servers (id, slug, title, url, auth, protocol, managed_by) values ($1, 'crm', 'CRM', 'https://x/', 'none', 'auto', 'api')`,
    [server],
  )
  await old.query(
    `insert into gateways (id, slug, title, prefix, capture, managed_by) values ($1, 'house', 'House', 'collision', 'redacted', 'api')`,
    [gateway],
  )
  await old.query(
    `insert into assignments (id, gateway_id, server_id, position, scheme) values (gen_random_uuid(), $1, $2, 0, 'open')`,
    [gateway, server],
  )
  await old.query(
    `insert into rules (id, gateway_id, name, position, engine, hook, action, config, managed_by)
     values ($1, $2, 'Keys', 0, 'regex', 'both', 'mask', '{"patterns": ["a"]}', 'api')`,
    [rule, gateway],
  )
  await old.query(
    `insert into alerts (id, type, severity, key, message, state, count) values
       ($1, 'server_unreachable', 'error', 'crm', 'away', 'open', 9), (gen_random_uuid(), 'server_unreachable', 'error', 'crm', 'was away', 'resolved', 2)`,
    [alert],
  )
  await old.destroy()

  const dataSource = await openDatabase(url, { log: quietLog, poolSize: 2 })
  const alerts = createAlertRepository(dataSource)
  const raised = { type: 'server_unreachable', severity: 'error', key: 'crm', message: 'still away' } as const
  const [row] = await alerts.raise([{ alert: raised, times: 1 }])
  assert.equal([row?.id, row?.count, row?.state], [alert, 10, 'open'])
  assert.is((await alerts.page({ limit: 10 })).length, 2)
  const known = await createStore({ dataSource, vault: fakeVault }).gateways.find(gateway)
  assert.is(known?.pinning.onChange, 'quarantine')
  assert.is(known?.poisoning, 'alert')
  assert.is(known?.assignments[0]?.provisioning.tools.mode, 'all')
  assert.equal([known?.rules[0]?.id, known?.rules[0]?.action], [rule, 'mask'])
  await dataSource.destroy()
  await drop()
})

test.run()
