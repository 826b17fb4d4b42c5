import type { Evaluation, PluginStore } from '@gatehouse/sdk'
import { createMemoryStore } from '@gatehouse/sdk/memory-store'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bench, counting, saying, verdicts } from './rule.fixture.js'
import type { Bench } from './rule.fixture.js'

const kept = createMemoryStore()
/** Told before each replacement; false: it is refused. */
let beforeReplacing: (key: string) => Promise<boolean> = async () => true
let reads = 0
const store: PluginStore = {
  ...kept,
  async get(key) {
    reads += 1
    const value = await kept.get(key)
    // As a database, it answers later: others write meanwhile.
    await new Promise((resolve) => setImmediate(resolve))
    return value
  },
  replace: async (key, replacement) => (await beforeReplacing(key)) && kept.replace(key, replacement),
}
const replicas = await Promise.all([0, 1].map(() => bench({ workers: 1 }, { store })))
const [one, other] = replicas as [Bench, Bench]
test.after(async () => void (await Promise.all(replicas.map(({ host }) => host.stop()))))
test.before.each(() => void (beforeReplacing = async () => true))

const ruleOf = (id: string) => ({ rule: { id, name: id, version: 1 } })
const countedBy = async (id: string): Promise<number> => {
  const row = await kept.get(`kv:${id}:gateway-1:connection-1`)
  return row === undefined ? 0 : String(JSON.parse(row)[0][1]).length
}
/** Another replica is asked in between, as often as told. */
function crossing(id: string, times: number): void {
  let left = times
  beforeReplacing = async (key) => {
    if (!key.startsWith(`kv:${id}:`) || left === 0) return true
    left -= 1
    const before = beforeReplacing
    beforeReplacing = async () => true
    await other.ask([await other.prepare(counting(), ruleOf(id))])
    beforeReplacing = before
    return true
  }
}

test('replicas that are asked at the same time count every message once', async () => {
  const turns = await Promise.all(replicas.map((replica) => replica.prepare(counting(), ruleOf('hammered'))))
  const asked = replicas.flatMap((replica, at) =>
    Array.from({ length: 15 }, () => replica.ask(turns.slice(at, at + 1)).then(([answer]) => answer?.verdict)),
  )
  const all = await Promise.all(asked)
  assert.equal(
    ['pass', 'block', 'undecided'].map((verdict) => all.filter((each) => each === verdict).length),
    [2, 28, 0],
  )
  assert.is(await countedBy('hammered'), 2)
})

test('a rule that came too late answers by what is stored now', async () => {
  const turn = await one.prepare(counting(), ruleOf('late'))
  await one.ask([turn])
  crossing('late', 1)
  const [answer] = await one.ask([turn])
  assert.is(answer?.verdict, 'block')
  assert.equal(Object.values(answer?.recorded?.['kv'] ?? {}), ['aa'], 'and is recorded with what it rests on')
  assert.is(await countedBy('late'), 2)
})

test('in a chain it ends the answer, and what the rules before it stored they stored once', async () => {
  const turns = await Promise.all([
    one.prepare(saying({ verdict: 'pass' })),
    one.prepare(counting(), ruleOf('before')),
    one.prepare(counting(), ruleOf('crossed')),
    one.prepare(counting(), ruleOf('behind')),
  ])
  crossing('crossed', 1)
  assert.equal(verdicts(await one.ask(turns)), ['pass', 'pass', 'pass'])
  assert.equal(await Promise.all(['before', 'crossed', 'behind'].map(countedBy)), [1, 2, 0])
})

test('one that always comes too late is undecided, blamed for nothing, and has stored nothing', async () => {
  const turn = await one.prepare(counting(), ruleOf('unlucky'))
  const behind = await one.prepare(saying({ verdict: 'pass' }))
  await one.ask([turn])
  beforeReplacing = async () => false
  reads = 0
  const answers = await one.ask([turn, behind])
  assert.equal(answers.map(told), [
    ['undecided', 'what the rule wants to remember was changed meanwhile, again and again'],
  ])
  assert.is(answers[0]?.strike, undefined)
  assert.ok(answers[0]?.evidence?.['module_sha256'])
  assert.is(reads, 33)
  assert.is(await countedBy('unlucky'), 1)
})

test('what comes after its deadline is not stored: nobody waits for its verdict', async () => {
  const turns = await Promise.all(['in time', 'too late'].map((id) => one.prepare(counting(), ruleOf(id))))
  const reason = 'nobody waits for it any more'
  assert.equal((await one.ask(turns, {}, { deadline: Date.now() })).map(told), [['undecided', reason]])
  const deadline = Date.now() + 500
  beforeReplacing = async () => {
    while (Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
    return true
  }
  assert.equal((await one.ask(turns, {}, { deadline })).map(told), [
    ['pass', ''],
    ['undecided', reason],
  ])
  assert.equal(await Promise.all(['in time', 'too late'].map(countedBy)), [1, 0])
})

const told = (answer: Evaluation) => [answer.verdict, answer.verdict === 'undecided' ? answer.message : '']

test.run()
