import { RULE_STRIKES } from '@gatehouse/sdk/rule-abi'
import { pass, undecided } from '@gatehouse/sdk'
import type { EvaluateRequest, Evaluation } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { newWatch } from '../domain/rule-watch.js'
import type { Rule } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import { barred, strike } from './strikes.js'
import { bench, rule, subject } from './testing.js'

const AT = Date.parse('2030-01-01T00:00:00Z')
const fault = (reason: string, at: number, principal: string | null = null) => ({ reason, at, principal })

test('the third fault within ten minutes puts a rule in quarantine, with the reasons', () => {
  const watch = newWatch()
  assert.is(strike(watch, fault('one', AT)), null)
  assert.is(strike(watch, fault('two', AT + 1_000)), null)
  const earned = strike(watch, fault('three', AT + RULE_STRIKES.withinMs - 1))
  assert.equal(earned, { since: '2030-01-01T00:09:59.999Z', reasons: ['one', 'two', 'three'], principal: null })
  assert.is(watch.quarantine, earned)
  assert.is(strike(watch, fault('four', AT + RULE_STRIKES.withinMs)), null)
})

test('what is longer ago does not count', () => {
  const watch = newWatch()
  for (let n = 0; n < 10; n += 1) assert.is(strike(watch, fault('x', AT + (n * RULE_STRIKES.withinMs) / 2)), null)
  assert.is(watch.strikes.length, 2)
})

test('whoever makes a rule fail alone keeps it from their own messages alone', () => {
  const watch = newWatch()
  const strikes = (principal: string, times: number) =>
    Array.from({ length: times }, () => strike(watch, fault('fuel', AT, principal))).at(-1)
  assert.equal(strikes('mallory', 3)?.principal, 'mallory')
  assert.is(strikes('mallory', 5), null)
  assert.is(watch.quarantine, null)
  assert.ok(barred(watch, 'mallory'))
  assert.is(barred(watch, 'ana'), null)
  assert.is(barred(watch, null), null)
  assert.is(strikes('ana', 2), null)
  assert.equal(strikes('bob', 1)?.principal, null)
  assert.ok(barred(watch, 'carol'))
})

test('a rule that three people make fail, each by themselves, fails', () => {
  const watch = newWatch()
  const held = ['ana', 'bob', 'carol'].map((one) =>
    Array.from({ length: 3 }, () => strike(watch, fault('fuel', AT, one))).at(-1),
  )
  assert.equal(
    held.map((one) => one?.principal),
    ['ana', 'bob', null],
  )
})

const STRIKES: Evaluation = { ...undecided('trapped'), strike: 'trap: unreachable' }

/** An engine that chains, and fails as it is told. */
function faulty(answerOf: (name: string) => Evaluation) {
  const asked: string[][] = []
  const quarantined: string[] = []
  const evaluate = ({ chain = [] }: EvaluateRequest): Evaluation => {
    const names = chain.map(({ state }) => String(state))
    asked.push(names)
    const [first = pass(), ...rest] = names.map(answerOf)
    return { ...first, rest }
  }
  const made = bench({ row: evaluate }, [], {
    chaining: ['row'],
    onQuarantined: (compiled) => void quarantined.push(compiled.rule.name),
  })
  return { asked, quarantined, ...made }
}
const link = (does: string, facts: Partial<Rule> = {}) =>
  rule({ engine: 'row', action: null, config: { words: does }, onFailure: 'allow', ...facts })
const run = async ({ rules }: ReturnType<typeof faulty>, compiled: readonly CompiledRule[], times = 1) => {
  const outcomes = []
  for (let n = 0; n < times; n += 1)
    outcomes.push(await rules.inspectRequest(compiled, subject(), { name: 'find_contact', arguments: { t: 'x' } }))
  return outcomes
}

test('a rule in quarantine is asked no more, alone or in a row; those beside it are', async () => {
  const made = faulty((name) => (name === 'bad' ? STRIKES : pass()))
  const compiled = await made.compile([link('a'), link('bad', { name: 'Bad' }), link('b')])
  const outcomes = await run(made, compiled, 4)
  assert.equal(made.quarantined, ['Bad'])
  assert.equal(made.asked, [['a', 'bad', 'b'], ['a', 'bad', 'b'], ['a', 'bad', 'b'], ['a'], ['b']])
  const [, receipt] = outcomes[3]?.receipts ?? []
  assert.equal([receipt?.verdict, receipt?.fell], ['undecided', 'open'])
  assert.match(made.undecided.at(-1) ?? '', /^in quarantine since .+: trap: unreachable$/)
})

test('its onFailure decides, and in shadow it stops nothing and alerts nobody of single messages', async () => {
  const made = faulty(() => STRIKES)
  const strict = await made.compile([link('bad', { onFailure: 'block' })])
  assert.equal(
    (await run(made, strict, 4)).map(({ kind }) => kind),
    Array(4).fill('blocked'),
  )
  const shadow = await made.compile([link('bad', { onFailure: 'block', shadow: true })])
  const outcomes = await run(made, shadow, 4)
  assert.equal(
    outcomes.map(({ kind, alerts }) => [kind, alerts.length]),
    Array.from({ length: 4 }, () => ['pass', 0]),
  )
  assert.is(made.quarantined.length, 2)
})

test('an answer that holds and comes with a fault counts too', async () => {
  const made = faulty(() => ({ ...pass(), strike: 'late: 60 ms' }))
  const outcomes = await run(made, await made.compile([link('late')]), 4)
  assert.equal(
    outcomes.map(({ receipts }) => receipts[0]?.verdict),
    ['pass', 'pass', 'pass', 'undecided'],
  )
})

test('a canary in quarantine is left out, and the version that stands takes every message', async () => {
  const made = faulty((name) => (name === 'canary' ? STRIKES : pass()))
  const [canary, stable] = await made.compile([link('canary'), link('stable')])
  assert.ok(canary && stable)
  const both = [
    { ...canary, share: { from: 0, to: 50 } },
    { ...stable, rule: { ...stable.rule, id: canary.rule.id }, share: { from: 50, to: 100 } },
  ]
  const askedOf = async (n: number) => {
    made.asked.length = 0
    const context = () => ({ ...subject().context(), correlationId: `call-${n}` })
    const { receipts } = await made.rules.inspectRequest(both, subject({ context }), { arguments: {} })
    assert.is(receipts.length, 1)
    return made.asked.flat()[0]
  }
  for (let n = 0; made.quarantined.length === 0; n += 1) await askedOf(n)
  for (let n = 0; n < 40; n += 1) assert.is(await askedOf(n), 'stable')
  stable.watch.held = canary.watch.held
  canary.watch.held = new Map()
  const seen = new Set<string | undefined>()
  for (let n = 0; n < 40; n += 1) seen.add(await askedOf(n))
  // A canary never takes what is not its share: those of the other fall to its onFailure.
  assert.equal([...seen].toSorted(), ['canary', undefined])
})

test.run()
