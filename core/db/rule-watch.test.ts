import { randomUUID } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredQuarantine, VersionTally } from '../domain/rule-watch.js'
import type { Store } from '../domain/store.js'
import { createStore } from './repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase, ruleDraft } from './testing.js'

let database: Awaited<ReturnType<typeof migratedDatabase>>
let store: Store
let gatewayId: string
let ruleId: string
test.before(async () => {
  database = await migratedDatabase()
  store = createStore({ dataSource: database.dataSource, vault: fakeVault })
  const gateway = await store.gateways.insert(gatewayDraft('house'))
  gatewayId = gateway.id
  await store.gateways.setRules(gatewayId, [ruleDraft('one'), ruleDraft('other')])
  ruleId = (await store.gateways.find(gatewayId))?.rules[0]?.id ?? ''
})
test.after(() => database.drop())

const quarantine = (facts: Partial<StoredQuarantine> = {}): StoredQuarantine => ({
  gatewayId,
  ruleId,
  ruleVersion: 1,
  sha256: null,
  since: '2030-01-01T00:00:00.000Z',
  reasons: ['trap: unreachable'],
  principal: null,
  ...facts,
})

test('the first quarantine of a version stands, one of a newer version ends those before, a release ends all', async () => {
  const { quarantines } = store
  assert.is(await quarantines.put(quarantine()), true)
  assert.is(await quarantines.put(quarantine({ since: '2031-01-01T00:00:00.000Z' })), false)
  assert.equal(await quarantines.all(), [quarantine()])
  assert.is(await quarantines.put(quarantine({ sha256: 'a'.repeat(64) })), true)
  assert.is(await quarantines.put(quarantine({ principal: 'ana' })), true)
  assert.is(await quarantines.put(quarantine({ principal: 'ana' })), false)
  assert.equal(new Set((await quarantines.all()).map(({ principal }) => principal)), new Set([null, 'ana']))
  assert.is((await quarantines.all()).length, 3)
  assert.is(await quarantines.put(quarantine({ ruleVersion: 2 })), true)
  assert.equal(await quarantines.all(), [quarantine({ ruleVersion: 2 })])
  assert.is(await quarantines.release(ruleId), 1)
  assert.is(await quarantines.release(ruleId), 0)
  assert.is(await quarantines.release('no id'), 0)
})

test('a quarantine stays while rules are written anew, and goes with its rule and its gateway', async () => {
  const { quarantines, gateways } = store
  await quarantines.put(quarantine())
  const before = await gateways.find(gatewayId)
  await gateways.setRules(gatewayId, before?.rules ?? [])
  assert.is((await quarantines.all()).length, 1)
  const gone = quarantine({ ruleId: randomUUID() })
  await quarantines.put(gone)
  await quarantines.put(quarantine({ ruleId: before?.rules[1]?.id ?? '' }))
  assert.not.ok((await quarantines.all()).some((one) => one.ruleId === gone.ruleId))
  assert.is(await quarantines.put(quarantine({ gatewayId: randomUUID(), ruleId: randomUUID() })), false)
})

const tally = (facts: Partial<VersionTally> = {}): VersionTally & { readonly gatewayId: string } => ({
  gatewayId,
  ruleId,
  ruleVersion: 1,
  sha256: null,
  artifact: null,
  ...{ calls: 4, changes: 1, blocks: 1, detections: 1, undecided: 1, strikes: { trap: 1 }, counters: { rows: 3 } },
  ...{ fuelCalls: 2, fuelSum: 300.5, fuelMax: 200, msSum: 1.25, msMax: 0.75 },
  ...facts,
})

test('replicas add to one row of an hour, and the hours to a sum, version by version', async () => {
  const { ruleStats } = store
  await ruleStats.add([])
  await Promise.all([
    ruleStats.add([tally(), tally({ ruleVersion: 2 })]),
    ruleStats.add([
      tally({ ruleVersion: 2, sha256: 'a'.repeat(64), artifact: 'sql@3' }),
      tally({ fuelMax: 500, counters: { seen: 1 } }),
    ]),
    ruleStats.add([tally({ strikes: { late: 2 }, msMax: 9 })]),
  ])
  await database.dataSource.query(
    `insert into rule_stats select gateway_id, rule_id, rule_version, artifact_sha256, hour - interval '3 hours', artifact, calls, changes,
     blocks, detections, undecided, strikes, fuel_calls, fuel_sum, fuel_max, ms_sum, ms_max, counters from rule_stats`,
  )
  const sums = await ruleStats.of(ruleId, Date.now() - 86_400_000)
  assert.equal(
    sums.map(({ ruleVersion, artifact, calls }) => [ruleVersion, artifact, calls]).toSorted(),
    [
      [1, null, 24],
      [2, 'sql@3', 8],
      [2, null, 8],
    ].toSorted(),
  )
  const { from, to, ...first } = sums.at(-1) as never as Record<string, unknown>
  assert.ok(String(from) < String(to))
  assert.equal(first, {
    ...{ ruleId, ruleVersion: 1, sha256: null, artifact: null },
    ...{ calls: 24, changes: 6, blocks: 6, detections: 6, undecided: 6 },
    ...{ strikes: { trap: 4, late: 4 }, counters: { rows: 12, seen: 2 } },
    ...{ fuelCalls: 12, fuelSum: 1803, fuelMax: 500, msSum: 7.5, msMax: 9 },
  })
  assert.equal((await ruleStats.of(ruleId, Date.now() - 3_600_000)).map(({ calls }) => calls).toSorted(), [12, 4, 4])
  assert.equal(await ruleStats.of('no id', 0), [])
})

test('what no text of the database can hold costs no row', async () => {
  const { ruleStats } = store
  await ruleStats.add([tally({ ruleVersion: 7, counters: { 'a\0b': 1, 'half \ud800': 2 } })])
  const [newest] = await ruleStats.of(ruleId, 0)
  assert.equal(newest?.counters, { 'a\ufffdb': 1, 'half \ufffd': 2 })
  await database.dataSource.query('delete from rule_stats where rule_version = 7')
  const { quarantines } = store
  assert.is(await quarantines.put(quarantine({ ruleVersion: 7, reasons: ['trap: \0'] })), true)
  await quarantines.release(ruleId)
})

test('counters are kept by their two hundred largest, and rows as long as the log', async () => {
  const { ruleStats } = store
  const many = (from: number) =>
    Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k${from + index}`, from + index + 1]))
  await ruleStats.add([tally({ ruleVersion: 9, counters: many(0) })])
  await ruleStats.add([tally({ ruleVersion: 9, counters: many(100) })])
  const [newest] = await ruleStats.of(ruleId, 0)
  assert.is(Object.keys(newest?.counters ?? {}).length, 200)
  assert.is(newest?.counters['k299'], 300)
  await ruleStats.forget(0)
  await ruleStats.forget(1)
  assert.is((await ruleStats.of(ruleId, 0)).length, 4)
  await database.dataSource.query(`update rule_stats set hour = hour - interval '2 days'`)
  await ruleStats.forget(1)
  assert.equal(await ruleStats.of(ruleId, 0), [])
})

test.run()
