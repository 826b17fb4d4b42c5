import type { Alert } from '@gatehouse/sdk'
import { pino } from 'pino'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { busWith } from '../rooms/testing.js'
import { until } from '../test/until.js'
import { createAlerting, faultAlert, overflowAlert } from './alerts.js'
import { PARTS } from './house.js'
import { emptyHouse } from './testing.js'

const ALERT: Alert = { type: 'rule_blocked', severity: 'warning', key: 'k', message: 'm' }
const quiet = pino({ level: 'silent' })

interface BenchOptions {
  readonly store?: () => Promise<void>
  readonly resolved?: (key: string) => void
  readonly hear?: (alert: Alert) => void
}
function bench({ store = async () => undefined, hear = () => undefined, resolved }: BenchOptions = {}) {
  const stored: Alert[] = []
  const house = emptyHouse()
  const alerting = createAlerting(house, quiet)
  const raise = (alert: Alert) => void alerting.raise(alert)
  house.put(PARTS.alerts, {
    raise: async (alert: Alert) => (stored.push(alert), store()),
    resolve: async (_type: string, key: string) => resolved?.(key),
  } as never)
  const bus = busWith(
    (registry) => registry.add('p-test', 'alert.raised', hear as never, 'normal'),
    (fault) => raise(faultAlert(fault)),
  )
  house.put(PARTS.host, { bus } as never)
  return { stored, raise, resolve: alerting.resolve }
}

test('an alert is stored, then told', async () => {
  const heard: unknown[] = []
  const { stored, raise } = bench({ hear: (alert) => void heard.push([stored.length, alert.key]) })
  raise(ALERT)
  await until('it is told', () => heard[0])
  assert.equal([stored, heard], [[ALERT], [[1, 'k']]])
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
  assert.equal([times, stored.map(({ type }) => type)], [1, ['rule_blocked', 'plugin_failed']])
})

test('a database that is away fails nobody, and the next alert is stored again', async () => {
  let away = true
  const { stored, raise } = bench({ store: () => (away ? Promise.reject(new Error('away')) : Promise.resolve()) })
  raise(ALERT)
  await new Promise((resolve) => setImmediate(resolve))
  away = false
  raise({ ...ALERT, key: 'again' })
  await until('it is stored', () => stored[1])
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
