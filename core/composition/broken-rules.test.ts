import type { Alert } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { CompiledRule, Snapshot } from '../domain/snapshot.js'
import { bench, rule } from '../rules/testing.js'
import { tellBrokenRules } from './broken-rules.js'
import { PARTS } from './house.js'
import { emptyHouse } from './testing.js'

const snapshotOf = (rules: readonly CompiledRule[]) =>
  ({ gateways: new Map([['house', { rules }]]) }) as never as Snapshot

test('a rule that broke is told once, with what becomes of messages', async () => {
  const house = emptyHouse()
  const alerts: Alert[] = []
  let swap: (next: Snapshot, previous: Snapshot | null) => void = () => undefined
  house.put(PARTS.snapshots, { onSwap: (listener: typeof swap) => void (swap = listener) } as never)
  house.put(PARTS.raise, (alert) => void alerts.push(alert))
  tellBrokenRules(house)
  const { compile } = bench({}, [])
  const none = { engine: 'none', action: null } as const
  const closed = rule({ ...none, onFailure: 'block' })
  const rules = await compile([closed, rule({ ...none, onFailure: 'allow' }), { ...closed, id: 'tried', shadow: true }])
  const next = snapshotOf(rules)
  swap(next, null)
  swap(next, next)
  const ends = alerts.map(({ message }) => /what it covers is (.*) until/.exec(message)?.[1])
  assert.equal(ends, ['blocked', 'let through', 'let through'])
})

test.run()
