import type { Alert } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { newWatch } from '../domain/rule-watch.js'
import type { Quarantine, QuarantineRepository, StoredQuarantine } from '../domain/rule-watch.js'
import type { CompiledRule, GatewayPlan, Snapshot } from '../domain/snapshot.js'
import { rule } from '../rules/testing.js'
import { createMemoryStore } from '../test/memory-store.js'
import { until } from '../test/until.js'
import { createQuarantines, quarantineOf } from './quarantines.js'

const QUARANTINE = { since: '2030-01-01T00:00:00.000Z', reasons: ['trap', 'trap', 'late'], principal: null }

function compiled(facts: Partial<CompiledRule> = {}): CompiledRule {
  const artifact = { name: 'sql', version: 3, sha256: 'a'.repeat(64) }
  return {
    rule: rule({ id: 'rule' }),
    kind: 'wasm',
    artifact,
    share: null,
    watch: newWatch(),
    ...facts,
  } as CompiledRule
}

/** A gateway stands in it under several names. */
function snapshot(epoch: number, rules: readonly CompiledRule[], quarantines: readonly StoredQuarantine[] = []) {
  const plan = { rules } as unknown as GatewayPlan
  const gateways = new Map(['gateway-1', 'house', 'former'].map((name) => [name, plan]))
  return { epoch, gateways, quarantines } as unknown as Snapshot
}

function bench(store: QuarantineRepository = createMemoryStore().quarantines) {
  const raised: Alert[] = []
  const resolved: string[] = []
  const warnings: string[] = []
  let epoch = 7
  const quarantines = createQuarantines({
    store,
    bump: async () => (epoch += 1),
    raise: async (alert) => void raised.push(alert),
    resolve: async (type, key) => void resolved.push(`${type} ${key}`),
    log: { warn: (_, message) => void warnings.push(message) },
    retryMs: 1,
  })
  const enter = (one: CompiledRule, quarantine: Quarantine = QUARANTINE) => {
    if (quarantine.principal === null) one.watch.quarantine = quarantine
    else one.watch.held = new Map([[quarantine.principal, quarantine]])
    quarantines.enter(one, quarantine)
  }
  return { ...quarantines, enter, store, raised, resolved, warnings }
}

test('a quarantine is written down and told, and stands while older configurations are swapped in', async () => {
  const { enter, follow, store, raised, resolved } = bench()
  const one = compiled()
  enter(one)
  follow(snapshot(7, [one]), null)
  assert.ok(one.watch.quarantine)
  await until('it is told', () => raised[0])
  const stored = await store.all()
  assert.equal(stored, [
    { ...QUARANTINE, gatewayId: 'gateway-1', ruleId: 'rule', ruleVersion: 3, sha256: 'a'.repeat(64) },
  ])
  follow(snapshot(7, [one]), null)
  assert.ok(one.watch.quarantine)
  const standing = snapshot(8, [one], stored)
  follow(standing, null)
  assert.is(one.watch.quarantine, stored[0])
  follow(snapshot(9, [one]), standing)
  assert.is(one.watch.quarantine, null)
  assert.equal(resolved, ['rule_quarantined rule_quarantined:rule'])
})

test('it is tried again until the database has it, and one alert is raised', async () => {
  const { quarantines } = createMemoryStore()
  let failures = 2
  const failing: QuarantineRepository = {
    ...quarantines,
    put: async (one) => {
      if ((failures -= 1) >= 0) throw new GatehouseError('GH_DB_UNAVAILABLE')
      return quarantines.put(one)
    },
  }
  const { enter, raised, warnings, stop } = bench(failing)
  enter(compiled())
  await until('it is told', () => raised[0])
  assert.is(warnings.length, 2)
  stop()
})

test('what another replica has written down is not alerted twice', async () => {
  const { quarantines } = createMemoryStore()
  const [first, second] = [bench(quarantines), bench(quarantines)]
  first.enter(compiled())
  await until('it is told', () => first.raised[0])
  second.enter(compiled())
  await until('it is written', async () => ((await quarantines.all()).length === 1 ? true : undefined))
  assert.equal([first.raised.length, second.raised.length], [1, 0])
})

test('another version of the rule or of its artifact is free', () => {
  const { follow } = bench()
  const held = { ...QUARANTINE, gatewayId: 'gateway-1', ruleId: 'rule', ruleVersion: 3, sha256: 'a'.repeat(64) }
  const artifact = { name: 'sql', version: 4, sha256: 'b'.repeat(64) }
  const others = [
    compiled({ artifact }),
    compiled({ rule: rule({ id: 'rule', version: 4 }) }),
    compiled({ artifact: null }),
  ]
  const same = compiled()
  follow(snapshot(8, [...others, same], [held]), null)
  assert.equal(
    [...others, same].map(({ watch }) => watch.quarantine !== null),
    [false, false, false, true],
  )
})

test('one that holds for the messages of one person alone is stored, followed and ended as such', async () => {
  const { enter, follow, store, raised } = bench()
  const one = compiled()
  const theirs = { ...QUARANTINE, principal: 'ana' }
  enter(one, theirs)
  const alert = await until('it is told', () => raised[0])
  assert.match(alert.message, 'only on messages of one person')
  const stored = await store.all()
  follow(snapshot(8, [one], stored), null)
  assert.equal([one.watch.quarantine, one.watch.held.get('ana')], [null, stored[0]])
  follow(snapshot(9, [one]), snapshot(8, [one], stored))
  assert.is(one.watch.held.size, 0)
})

test('the alert says what becomes of messages, and what to do', async () => {
  const saying = async (facts: Partial<CompiledRule>) => {
    const { enter, raised } = bench()
    enter(compiled(facts))
    return until('it is told', () => raised[0])
  }
  const alert = await saying({ rule: rule({ id: 'rule', name: 'Sql', onFailure: 'block' }) })
  assert.equal([alert.type, alert.severity, alert.ruleId], ['rule_quarantined', 'error', 'rule'])
  assert.match(alert.message, 'The rule “Sql” is in quarantine: it failed 3 times by its own fault.')
  assert.match(alert.message, 'Messages that it covers are blocked. Mend it, or release it')
  assert.is(alert.context?.['artifact'], 'sql@3')
  assert.match((await saying({ rule: rule({ onFailure: 'allow' }) })).message, 'pass without it')
  assert.match((await saying({ rule: rule({ shadow: true }) })).message, 'in shadow')
  assert.match((await saying({ share: { from: 0, to: 5 } })).message, 'the version that stands takes all messages')
})

test('a rule is shown with the quarantine of the version that stands, else with that of its canary', () => {
  const canary = compiled({ share: { from: 0, to: 5 } })
  const stable = compiled({ share: { from: 5, to: 100 } })
  const shown = () => quarantineOf(snapshot(1, [canary, stable]), canary.rule)
  assert.is(shown(), null)
  canary.watch.quarantine = QUARANTINE
  assert.equal(shown(), { ...QUARANTINE, canary: true })
  stable.watch.quarantine = { ...QUARANTINE, reasons: [] }
  assert.equal(shown(), { since: QUARANTINE.since, reasons: [], principal: null, canary: false })
})

test.run()
