// time-limit: 240
import type { Alert, AlertDelivery, DeliveryAnswer } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createAlertQueue } from '../db/repositories/alert-queue.js'
import { createAlertRepository } from '../db/repositories/alerts.js'
import { createStore } from '../db/repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase } from '../db/testing.js'
import type { AlertTarget } from '../domain/nouns.js'
import { until } from '../test/until.js'
import { type AlertDeliveriesOptions, createAlertDeliveries } from './alert-deliveries.js'

const database = await migratedDatabase()
const { dataSource } = database
const alerts = createAlertRepository(dataSource)
const queue = createAlertQueue(dataSource)
const store = createStore({ dataSource, vault: fakeVault })
const running: { stop(): Promise<void> }[] = []
test.before.each(async () => void (await dataSource.query('delete from alerts; delete from alert_targets')))
test.after.each(async () => void (await Promise.all(running.splice(0).map((one) => one.stop()))))
test.after(() => database.drop())

const ALERT: Alert = { type: 'rule_blocked', severity: 'warning', key: 'k', message: 'm' }
const raise = async (alert: Partial<Alert> = {}, times = 1) => {
  const [row] = await alerts.raise([{ alert: { ...ALERT, ...alert }, times }])
  return row
}
async function raiseMany(count: number, severity: Alert['severity'] = 'info') {
  const all = Array.from({ length: count }, (_, n) => ({ alert: { ...ALERT, severity, key: `many-${n}` }, times: 1 }))
  for (let from = 0; from < count; from += 500) await alerts.raise(all.slice(from, from + 500))
}
const makeTarget = (slug: string, more: Partial<AlertTarget> = {}) =>
  store.alertTargets.insert({
    ...{ slug, plugin: 'p', config: {}, secrets: [], minSeverity: 'info', types: [], gatewayIds: [], enabled: true },
    ...{ managedBy: 'api', ...more },
  })

/** A gateway's deliveries with a receiver that answers as it is told. */
function bench(
  answer: (delivery: AlertDelivery) => DeliveryAnswer | Promise<DeliveryAnswer>,
  timing: AlertDeliveriesOptions['timing'] = {},
) {
  const got: AlertDelivery[] = []
  const raised: Alert[] = []
  const resolved: string[] = []
  const deliveries = createAlertDeliveries({
    queue,
    target: async (id) => {
      const target = await store.alertTargets.find(id)
      return target && { id, name: target.slug, plugin: target.plugin, config: target.config, secrets: ['swordfish'] }
    },
    deliver: async (_plugin, delivery) => (got.push(delivery), answer(delivery)),
    raise: (alert) => void raised.push(alert),
    resolve: (type, key) => void resolved.push(`${type} ${key}`),
    url: () => 'https://gate.example.com',
    service: { name: 'gatehouse', version: '0' },
    logger: { warn: () => undefined, error: () => undefined },
    timing: { pollMs: 20, pauseMs: [5, 20], gatherMs: 300, ...timing },
  })
  running.push(deliveries)
  deliveries.start()
  return { got, raised, resolved, deliveries }
}
const ok = (): DeliveryAnswer => ({ kind: 'delivered' })
const keysOf = (got: readonly AlertDelivery[]) =>
  got.map((one) => (one.kind === 'alert' ? one.alert.key : `digest of ${one.digest.total}`))
const waiting = async (id: string) => (await queue.progress(id)).waiting
const drained = (id: string) => until('nothing waits', async () => ((await waiting(id)) === 0 ? true : undefined))

test('a target is told what fits it, with a link, and nothing else', async () => {
  const gateway = await store.gateways.insert(gatewayDraft('house'))
  const all = await makeTarget('all')
  const some = await makeTarget('some', { minSeverity: 'warning', types: ['rule_blocked'], gatewayIds: [gateway.id] })
  await makeTarget('off', { enabled: false })
  const { got } = bench(ok)
  const hit = await raise({ key: 'hit', gatewayId: gateway.id, context: { server: 'crm' } })
  await raise({ key: 'elsewhere' })
  await raise({ key: 'mild', gatewayId: gateway.id, severity: 'info' })
  await raise({ key: 'other', gatewayId: gateway.id, type: 'server_unreachable' })
  await drained(all.id)
  await drained(some.id)
  const of = (name: string) => got.filter(({ target }) => target.name === name)
  assert.equal(keysOf(of('some')), ['hit'])
  assert.equal(keysOf(of('all')).toSorted(), ['elsewhere', 'hit', 'mild', 'other'])
  assert.is(of('off').length, 0)
  const [message] = of('some')
  assert.ok(message?.kind === 'alert')
  assert.equal(
    [message.alert.url, message.alert.gateway, message.alert.count, message.alert.state, message.attempt],
    [`https://gate.example.com/console/alerts/${hit?.id}`, 'house', 1, 'open', 1],
  )
  assert.equal(message.alert.context, { server: 'crm' })
})

test('repeats are told at the tenth and hundredth, once an hour, and never once somebody has seen it', async () => {
  const target = await makeTarget('ops')
  const { got } = bench(ok)
  const counts = () => got.map((one) => (one.kind === 'alert' ? one.alert.count : 0))
  const first = await raise()
  await drained(target.id)
  await raise({}, 8)
  assert.is(await waiting(target.id), 0)
  await raise({}, 1)
  await drained(target.id)
  await raise({}, 89)
  await raise({}, 1)
  await drained(target.id)
  assert.equal(counts(), [1, 10, 100])
  await dataSource.query(`update alerts set told_at = told_at - interval '61 minutes'`)
  await raise()
  await drained(target.id)
  assert.equal(counts(), [1, 10, 100, 101])
  await alerts.setState(first?.id ?? '', { state: 'acknowledged', by: null, note: null })
  await raise({}, 10_000)
  assert.is(await waiting(target.id), 0)
})

test('10,000 alerts are at most a burst of messages and one digest that counts the rest', async () => {
  const target = await makeTarget('ops')
  const { got } = bench(ok, { burst: 20, perMinute: 10, gatherMs: 1_500 })
  const started = Date.now()
  await raiseMany(10_000)
  await raise({ key: 'grave', severity: 'error' })
  // The tokens that came back since the burst pay for the digest.
  await dataSource.query(`update alert_progress set refilled_at = refilled_at - interval '30 seconds'`)
  await until('the burst is told', () => (got.length >= 20 ? true : undefined))
  await dataSource.query(`update alert_progress set refilled_at = refilled_at - interval '30 seconds'`)
  await drained(target.id)
  const digests = got.flatMap((one) => (one.kind === 'digest' ? [one.digest] : []))
  const singles = got.length - digests.length
  assert.ok(got.length <= 40, `${got.length} messages in ${Date.now() - started} ms`)
  assert.ok(digests.length >= 1)
  assert.is(
    digests.reduce((sum, { total }) => sum + total, singles),
    10_001,
  )
  for (const { total, bySeverity, alerts: listed } of digests) {
    assert.is(bySeverity.error + bySeverity.warning + bySeverity.info, total)
    assert.ok(listed.length <= 20)
  }
  const isTold = keysOf(got).includes('grave') || digests.some((digest) => digest.alerts[0]?.key === 'grave')
  assert.ok(isTold, 'the gravest is told by name')
})

test('what a receiver cannot take is tried again until it can, in order, and what comes meanwhile waits', async () => {
  const target = await makeTarget('ops')
  let away = true
  const { got, raised, resolved } = bench(() =>
    away ? { kind: 'retry', message: 'HTTP 503 at swordfish', status: 503 } : ok(),
  )
  await raise({ key: 'first' })
  await until('it was told of elsewhere', () => raised[0])
  await raise({ key: 'second' })
  assert.ok(
    got.every((one) => one.id === got[0]?.id),
    'every try is the same message',
  )
  assert.equal(
    got.slice(0, 5).map(({ attempt }) => attempt),
    [1, 2, 3, 4, 5],
  )
  const [failing] = raised
  assert.equal([failing?.type, failing?.key], ['export_failing', `alert-target/${target.id}`])
  assert.not.match(JSON.stringify([failing, await queue.progress(target.id)]), 'swordfish')
  away = false
  await drained(target.id)
  assert.equal(keysOf(got).slice(-2), ['first', 'second'])
  await until('that is over', () => resolved[0])
  assert.is((await queue.progress(target.id)).deadLetters, 0)
})

test('what a receiver refuses is given up after a bound, told of elsewhere, and holds up nothing', async () => {
  const target = await makeTarget('ops')
  const other = await makeTarget('other')
  const { got, raised } = bench((delivery) =>
    delivery.target.name === 'ops' && delivery.kind === 'alert' && delivery.alert.key === 'bad'
      ? { kind: 'rejected', message: 'HTTP 400', status: 400 }
      : ok(),
  )
  await raise({ key: 'bad' })
  await until('it is given up', () => raised.find(({ message }) => /given up/.test(message)))
  await raise({ key: 'good' })
  await drained(target.id)
  await drained(other.id)
  const ops = got.filter((one) => one.target.name === 'ops')
  assert.equal(keysOf(ops), ['bad', 'bad', 'bad', 'bad', 'bad', 'good'])
  const { deadLetters, lastError, delivered } = await queue.progress(target.id)
  assert.equal([deadLetters, lastError?.message, lastError?.status, delivered], [1, 'HTTP 400', 400, 1])
})

test('a receiver that wants it again at once is given the first pause all the same', async () => {
  await makeTarget('ops')
  const { got } = bench(() => ({ kind: 'retry', message: 'now', afterMs: 0 }), { pauseMs: [60_000, 60_000] })
  await raise({ key: 'hot' })
  await until('it was tried', () => got[0])
  await raise({ key: 'behind it' })
  const [row] = await until('it waits', async () => {
    const rows = await dataSource.query(
      "select due_at > clock_timestamp() + interval '50 seconds' as far from alert_deliveries where batch is not null",
    )
    return rows[0]?.far === true ? rows : undefined
  })
  assert.equal([row.far, got.length], [true, 1])
})

test('that a target fails is never sent to that target', async () => {
  const target = await makeTarget('ops')
  const other = await makeTarget('other')
  await raise({ type: 'export_failing', key: `alert-target/${target.id}` })
  assert.equal([await waiting(target.id), await waiting(other.id)], [0, 1])
})

test('a replica whose lease ran out does not end the lease of the one that stood in for it', async () => {
  const target = await makeTarget('ops')
  const limits = { burst: 20, perMinute: 10, gatherMs: 1_000 }
  await raise({ key: 'one' })
  await raise({ key: 'two' })
  await raise({ key: 'three' })
  const slow = await queue.claim(target.id, { ...limits, leaseMs: 0 })
  const quick = await queue.claim(target.id, { ...limits, leaseMs: 60_000 })
  assert.ok(slow !== null && quick !== null, JSON.stringify([slow, quick]))
  assert.is(slow.id, quick.id)
  await queue.delivered(target.id, quick?.id ?? '')
  assert.ok(await queue.claim(target.id, { ...limits, leaseMs: 60_000 }))
  await queue.delivered(target.id, slow?.id ?? '')
  await queue.failed(target.id, slow?.id ?? '', { message: 'late', status: null, afterMs: 0 })
  assert.is(await queue.claim(target.id, { ...limits, leaseMs: 60_000 }), null)
  const { delivered, lastError } = await queue.progress(target.id)
  assert.equal([delivered, lastError], [1, null])
})

test('two replicas deliver each alert once, and one that died under a delivery is stood in for', async () => {
  const target = await makeTarget('ops')
  const hung = new Promise<DeliveryAnswer>(() => undefined)
  const dead = createAlertDeliveries({
    queue,
    target: async (id) => ({ id, name: 'ops', plugin: 'p', config: {}, secrets: [] }),
    deliver: () => hung,
    raise: () => undefined,
    resolve: () => undefined,
    url: () => '',
    service: { name: 'gatehouse', version: '0' },
    logger: { warn: () => undefined, error: () => undefined },
    timing: { pollMs: 20, leaseMs: 400 },
  })
  await raise({ key: 'under way' })
  dead.start()
  await until('it is claimed', async () =>
    (await queue.due({ burst: 20, perMinute: 10, gatherMs: 1 })).length === 0 ? true : undefined,
  )
  const [a, b] = [bench(ok), bench(ok)]
  for (let n = 0; n < 12; n += 1) await raise({ key: `k-${n}` })
  await drained(target.id)
  const keys = keysOf([...a.got, ...b.got])
  assert.equal(keys.toSorted(), ['under way', ...Array.from({ length: 12 }, (_, n) => `k-${n}`)].toSorted())
})

test('what waits outlives a stop', async () => {
  const target = await makeTarget('ops')
  const first = bench(() => ({ kind: 'retry', message: 'later' }), { pauseMs: [50, 50] })
  await raise({ key: 'kept' })
  await until('it was tried', () => first.got[0])
  await first.deliveries.stop()
  const second = bench(ok)
  await drained(target.id)
  assert.equal([keysOf(second.got), second.got[0]?.id === first.got[0]?.id], [['kept'], true])
})

test('what waits for a target that was switched off is dropped', async () => {
  const target = await makeTarget('ops')
  await raise()
  await store.alertTargets.update(target.id, { enabled: false })
  const { got } = bench(ok)
  await queue.dropDisabled()
  assert.is(await waiting(target.id), 0)
  assert.is(got.length, 0)
})

test('a test is sent at once, past the queue, and says what the receiver said', async () => {
  const target = await makeTarget('ops')
  const { got, deliveries } = bench(() => ({ kind: 'rejected', message: 'no swordfish here', status: 404 }))
  assert.equal(await deliveries.test(target.id), { kind: 'rejected', message: 'no [REDACTED] here', status: 404 })
  assert.equal([got[0]?.isTest, (await queue.progress(target.id)).lastError], [true, null])
})

test.run()
