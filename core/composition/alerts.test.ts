import type { Alert, RaisedAlert } from '@gatehouse/sdk'
import { pino } from 'pino'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Raised, RaisedRow } from '../domain/alerts.js'
import { GatehouseError } from '../errors.js'
import { busWith } from '../rooms/testing.js'
import { until } from '../test/until.js'
import { createAlerting, faultAlert, overflowAlert } from './alerts.js'
import { PARTS } from './house.js'
import { emptyHouse } from './testing.js'

const ALERT: Alert = { type: 'rule_blocked', severity: 'warning', key: 'k', message: 'm' }
const AT = new Date(0).toISOString()
const quiet = pino({ level: 'silent' })

interface BenchOptions {
  readonly store?: () => Promise<void>
  readonly resolved?: (key: string) => void
  readonly hear?: (alert: RaisedAlert) => void
  readonly pauseMs?: number
}
function bench({ store = async () => undefined, hear = () => undefined, resolved, pauseMs = 1 }: BenchOptions = {}) {
  const stored: Raised[] = []
  const statements: number[] = []
  const wakes: number[] = []
  const counts = new Map<string, number>()
  const house = emptyHouse()
  const alerting = createAlerting(house, quiet, pauseMs)
  const raise = (alert: Alert) => void alerting.raise(alert)
  house.put(PARTS.alerts, {
    async raise(raised: readonly Raised[]): Promise<readonly RaisedRow[]> {
      statements.push(raised.length)
      await store()
      stored.push(...raised)
      return raised.map(({ alert: { type, key }, times }) => {
        const count = (counts.get(key) ?? 0) + times
        counts.set(key, count)
        return { id: key, type, key, count, state: 'open', firstAt: AT, lastAt: AT, isToCarry: count === times }
      })
    },
    resolve: async (_type: string, key: string) => resolved?.(key),
  } as never)
  house.put(PARTS.deliveries, { wake: () => void wakes.push(stored.length) } as never)
  const bus = busWith(
    (registry) => registry.add('p-test', 'alert.raised', hear as never, 'normal'),
    (fault) => raise(faultAlert(fault)),
  )
  house.put(PARTS.host, { bus } as never)
  return { stored, statements, wakes, counts, raise, resolve: alerting.resolve, alerting }
}

test('an alert is stored, then told', async () => {
  const heard: unknown[] = []
  const { stored, raise } = bench({ hear: (alert) => void heard.push([stored.length, alert.key]) })
  raise(ALERT)
  await until('it is told', () => heard[0])
  assert.equal([stored.map(({ alert }) => alert), heard], [[ALERT], [[1, 'k']]])
})

test('a plugin that fails to be told is one more alert, that is told to none', async () => {
  let times = 0
  const { stored, raise } = bench({
    hear: () => {
      times += 1
      throw new Error('no')
    },
  })
  raise(ALERT)
  await until('the failure is stored', () => stored[1])
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal([times, stored.map(({ alert }) => alert.type)], [1, ['rule_blocked', 'plugin_failed']])
})

test('what a database refuses is given up, and takes no other alert with it', async () => {
  let times = 0
  const { stored, raise } = bench({
    store: async () => (times++ < 2 ? Promise.reject(new Error('refused')) : undefined),
  })
  raise(ALERT)
  raise({ ...ALERT, key: 'other' })
  await until('the other is stored', () => stored[0])
  assert.equal(
    stored.map(({ alert }) => alert.key),
    ['other'],
  )
})

test('while the database is away alerts wait, and none is lost or counted twice', async () => {
  let away = true
  const { stored, raise, counts } = bench({
    store: async () => {
      if (away) throw new GatehouseError('GH_DB_UNAVAILABLE')
    },
  })
  for (let n = 0; n < 5; n += 1) {
    raise(ALERT)
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  away = false
  await until('it is stored', () => stored[0])
  assert.is(counts.get('k'), 5)
})

test('10,000 alerts in a second are a few statements, and the count is right', async () => {
  const { statements, counts, raise, alerting } = bench({ pauseMs: 200 })
  for (let n = 0; n < 10_000; n += 1) raise({ ...ALERT, key: `rule-${n % 7}` })
  await until('the first are stored', () => counts.size || undefined)
  for (let n = 0; n < 10_000; n += 1) raise({ ...ALERT, key: `rule-${n % 7}` })
  await alerting.stop()
  assert.is(
    [...counts.values()].reduce((sum, count) => sum + count, 0),
    20_000,
  )
  assert.ok(statements.length <= 2, String(statements.length))
})

test('more kinds of alerts than anybody reads are no reason to run out of memory', async () => {
  const { counts, raise, alerting } = bench({ pauseMs: 200 })
  for (let n = 0; n < 12_000; n += 1) raise({ ...ALERT, key: `key-${n}` })
  await alerting.stop()
  assert.is(counts.size, 10_000)
})

test('what is raised while it is resolved is stored before', async () => {
  const done: string[] = []
  const { raise, resolve } = bench({
    store: async () => void done.push('stored'),
    resolved: () => void done.push('resolved'),
    pauseMs: 50,
  })
  raise(ALERT)
  await until('it is stored', () => done[0])
  raise(ALERT)
  await resolve(ALERT.type, ALERT.key)
  assert.equal(done, ['stored', 'stored', 'resolved'])
})

test('nothing is stored, told or resolved with a secret in it', async () => {
  const secret = `gpat_${'s'.repeat(43)}`
  const heard: RaisedAlert[] = []
  const keys: string[] = []
  const { stored, raise, resolve } = bench({
    hear: (alert) => void heard.push(alert),
    resolved: (key) => void keys.push(key),
  })
  raise({ ...ALERT, key: secret, message: secret, context: { authorization: secret, deep: [{ note: secret }] } })
  await until('it is told', () => heard[0])
  await resolve(ALERT.type, secret)
  assert.not.match(JSON.stringify([stored, heard, keys]), secret)
  assert.equal(keys, [stored[0]?.alert.key])
})

test('deliveries are woken only for what is to be delivered', async () => {
  const { wakes, counts, raise } = bench()
  raise(ALERT)
  await until('it is stored', () => counts.get('k'))
  raise(ALERT)
  await until('it is stored again', () => (counts.get('k') === 2 ? true : undefined))
  assert.equal(wakes, [1])
})

test('a database that is away fails nobody who resolves, either', async () => {
  const { resolve } = bench({
    resolved: () => {
      throw new Error('away')
    },
  })
  await resolve(ALERT.type, ALERT.key)
})

test('the failures of a plugin collapse by plugin and hook, and never hold its words', () => {
  const fault = {
    plugin: 'p-a',
    hook: 'feature.list',
    failure: 'threw',
    detail: 'swordfish',
    policy: 'closed',
  } as const
  const alert = faultAlert(fault)
  assert.is(alert.key, faultAlert({ ...fault, failure: 'late' }).key)
  assert.is.not(alert.key, faultAlert({ ...fault, hook: 'feature.request' }).key)
  assert.not.match(JSON.stringify(alert), /swordfish/)
})

test('a record that overflows says how much is missing', () => {
  const { message, severity } = overflowAlert({ lost: 3, refused: 4, reason: 'disk', since: 0 })
  assert.match(message, /3 messages were not kept, 4 were refused/)
  assert.is(severity, 'error')
})

test.run()
