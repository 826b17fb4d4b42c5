import type { EvaluateRequest } from '@gatehouse/sdk'
import { callContext } from '@gatehouse/sdk/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bench, counting, verdicts } from './rule.fixture.js'

const rules = await bench()
test.after(() => rules.host.stop())

const from = (connection: string | null, gateway = 'gateway-1'): Partial<EvaluateRequest> => ({
  context: callContext({
    connection: connection === null ? null : { id: connection },
    gateway: { id: gateway, slug: gateway },
  }),
})

test('what a rule remembers is of one connection on one gateway, and of that rule alone', async () => {
  const [one, other] = await Promise.all([counting(), counting()].map((module) => rules.prepare(module)))
  assert.ok(one && other)
  const ask = async (turn: typeof one, shown: Partial<EvaluateRequest>) => verdicts(await rules.ask([turn], shown))[0]
  assert.equal(
    [await ask(one, from('a')), await ask(one, from('a')), await ask(one, from('a'))],
    ['pass', 'pass', 'block'],
  )
  assert.is(await ask(one, from('b')), 'pass')
  assert.is(await ask(one, from('a', 'gateway-2')), 'pass')
  assert.is(await ask(other, from('a')), 'pass')
  assert.is(await ask(one, from('a')), 'block')
})

test('outside of any connection a rule remembers nothing', async () => {
  const turn = await rules.prepare(counting())
  for (let round = 0; round < 4; round += 1) assert.equal(verdicts(await rules.ask([turn], from(null))), ['pass'])
})

test('calls of one connection do not count past each other', async () => {
  const turn = await rules.prepare(counting())
  const all = await Promise.all([1, 2, 3, 4, 5, 6].map(() => rules.ask([turn], from('c'))))
  const blocked = all.flatMap(verdicts).filter((verdict) => verdict === 'block')
  assert.is(blocked.length, 4)
})

test('a rule that was taken away answers the calls that began before, and is then forgotten', async () => {
  const turn = await rules.prepare(counting())
  const under = rules.ask([turn], from('d'))
  await rules.retire(turn)
  assert.equal(verdicts(await under), ['pass'])
  assert.equal(verdicts(await rules.ask([turn], from('d'))), ['pass'])
  assert.equal(verdicts(await rules.ask([turn], from('d'))), ['block'])
  await rules.retire(turn)
})

test.run()
