import type { Alert } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Raised } from '../domain/alerts.js'
import { GatehouseError } from '../errors.js'
import { until } from '../test/until.js'
import { createAlertGatherer } from './alert-gatherer.js'

const quiet = { error: () => undefined, warn: () => undefined }
const alert = (key: string, size: number): Alert => ({
  ...{ type: 'feature_changed', severity: 'warning', key, message: 'm' },
  context: { diff: 'x'.repeat(size) },
})

test('while the database is away no more than so much waits: what comes then is kept without its context', async () => {
  const stored: Raised[] = []
  let away = true
  let tries = 0
  const gatherer = createAlertGatherer({
    store: async (raised) => {
      tries += 1
      if (away) throw new GatehouseError('GH_DB_UNAVAILABLE')
      stored.push(...raised)
      return []
    },
    onStored: () => undefined,
    log: quiet,
    pauseMs: 1,
    mostBytes: 10_000,
  })
  const first = Array.from({ length: 50 }, (_, n) => gatherer.raise(alert(`k-${n}`, 1_000)))
  await until('it was tried', () => (tries > 2 ? true : undefined))
  // A repeat counts once, however often it is raised; and nothing is lost but contexts.
  const again = Array.from({ length: 50 }, () => gatherer.raise(alert('k-0', 1_000)))
  away = false
  await Promise.all([...first, ...again])
  await gatherer.stop()
  const full = stored.filter(({ alert: { context } }) => typeof context?.['diff'] === 'string')
  assert.equal([stored.length, stored.reduce((sum, { times }) => sum + times, 0)], [50, 100])
  assert.ok(full.length >= 9 && full.length <= 10, String(full.length))
  const poor = stored.find(({ alert: { key } }) => key === 'k-40')
  assert.equal(poor?.alert.context, { leftOut: 'too much was raised at once' })
})

test.run()
