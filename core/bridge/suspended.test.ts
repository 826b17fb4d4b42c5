import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import { until } from '../test/until.js'
import { abilityOf, NO_ABILITY } from '../upstream/ability.js'
import { Suspended, type LegEnd } from './suspended.js'
import { ABLE, elicit, heldCall, legacyReply, legOf, ROOTS, sample, visit } from './testing.js'

const RESULT = legacyReply({ content: [] })
const YES: JsonObject = { action: 'accept', content: { name: 'Ada' } }

function begun(ability = ABLE) {
  const call = heldCall()
  const suspended = new Suspended(ability, 'me')
  suspended.start(call.send)
  return { call, suspended }
}

const asked = (end: LegEnd) => {
  if (end.kind === 'reply') throw new Error('it was answered')
  return Object.fromEntries(end.questions)
}
const replied = (end: LegEnd) => {
  if (end.kind === 'asks') throw new Error('it asks')
  return end.reply
}
const thrown = async (leg: Promise<LegEnd>): Promise<GatehouseError> => {
  const end = await leg.catch((error: unknown) => error)
  if (end instanceof GatehouseError) return end
  throw new Error('nothing of ours was thrown')
}

test('a call that asks nothing answers its leg', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf())
  call.reply(RESULT)
  assert.is(replied(await leg), RESULT)
})

test('a question ends the leg, its answer reaches the server in the next', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf())
  const answer = call.ask(elicit('Name?'))
  assert.equal(asked(await leg), { q1: elicit('Name?') })
  assert.is(suspended.round, 1)
  suspended.answer(new Map([['q1', YES]]))
  const next = suspended.leg(legOf())
  assert.equal(await answer, { result: YES })
  call.reply(RESULT)
  assert.is(replied(await next), RESULT)
})

test('questions that come side by side are put side by side', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf())
  void call.ask(elicit('Name?'))
  void call.ask(sample('Greet'))
  setTimeout(() => void call.ask(ROOTS), 5)
  assert.equal(asked(await leg), { q1: elicit('Name?'), q2: sample('Greet'), q3: ROOTS })
})

test('what the client left out is asked again, what was not asked is dropped', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf())
  const [first, second] = [call.ask(elicit('One?')), call.ask(elicit('Two?'))]
  await leg
  suspended.answer(new Map([['q2', YES], ['q9', YES]])) // prettier-ignore
  assert.equal(await second, { result: YES })
  assert.equal(asked(await suspended.leg(legOf())), { q1: elicit('One?') })
  assert.is(suspended.round, 2)
  suspended.answer(new Map([['q1', YES]]))
  assert.equal(await first, { result: YES })
})

test('what the client of the leg was not said to be able to is refused in its name, the rest is asked', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf({ ability: abilityOf({ sampling: {} }, '2026-07-28') }))
  const [form, roots] = [call.ask(elicit('Name?')), call.ask(ROOTS)]
  void call.ask(sample('Greet'))
  assert.equal(asked(await leg), { q3: sample('Greet') })
  assert.equal(await form, { result: { action: 'cancel' } })
  assert.ok('error' in (await roots))
})

test('a question that comes while the call sleeps waits for the next leg', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf())
  void call.ask(elicit('One?'))
  await leg
  void call.ask(elicit('Two?'))
  suspended.answer(new Map([['q1', YES]]))
  assert.equal(asked(await suspended.leg(legOf())), { q2: elicit('Two?') })
})

test('a question that its server takes back is not asked, and its late answer goes nowhere', async () => {
  const { call, suspended } = begun()
  const [one, two] = [new Cancel(), new Cancel()]
  const leg = suspended.leg(legOf())
  const first = call.ask(elicit('One?'), one)
  const second = call.ask(elicit('Two?'), two)
  one.tell()
  assert.equal(asked(await leg), { q2: elicit('Two?') })
  two.tell()
  suspended.answer(new Map([['q2', YES]]))
  for (const answer of [await first, await second]) assert.ok('error' in answer)
  const next = suspended.leg(legOf())
  call.reply(RESULT)
  assert.is(replied(await next), RESULT)
})

test('a question that is taken back before it could be asked is never asked', async () => {
  const { call, suspended } = begun()
  const gone = new Cancel()
  gone.tell()
  assert.ok('error' in (await call.ask(elicit('One?'), gone)))
  assert.equal(suspended.methods, [])
})

test('a server that gives up first has its answer kept for the next leg', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf())
  const answer = call.ask(elicit('Name?'))
  await leg
  const late = legacyReply({ isError: true, content: [] })
  call.reply(late)
  await Promise.resolve()
  suspended.answer(new Map([['q1', YES]]))
  assert.is(replied(await suspended.leg(legOf())), late)
  void answer
})

test('a server that breaks down while the call sleeps is told in the next leg, and nothing breaks before', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf())
  void call.ask(elicit('Name?'))
  await leg
  call.fail(new GatehouseError('GH_UPSTREAM_UNREACHABLE'))
  await until('it is known', () => suspended.methods.length === 0 || undefined)
  assert.is((await thrown(suspended.leg(legOf()))).code, 'GH_UPSTREAM_UNREACHABLE')
})

test('a client that goes away during a leg ends the call at the server', async () => {
  const { call, suspended } = begun()
  const leg = legOf()
  const end = suspended.leg(leg)
  leg.close()
  assert.ok(call.isCancelled)
  assert.is((await thrown(end)).code, 'GH_UPSTREAM_CANCELLED')
})

test('a client that is gone already ends the call, one that goes between two legs does not', async () => {
  const { call, suspended } = begun()
  const first = legOf()
  const leg = suspended.leg(first)
  void call.ask(elicit('Name?'))
  await leg
  first.close()
  assert.not(call.isCancelled)
  const second = legOf()
  second.close()
  assert.is((await thrown(suspended.leg(second))).code, 'GH_UPSTREAM_CANCELLED')
  assert.ok(call.isCancelled)
})

test('progress bears the token of the leg that it comes in, and none is told between legs', async () => {
  const { call, suspended } = begun()
  const progress = (value: number) => ({
    jsonrpc: '2.0',
    method: 'notifications/progress',
    params: { progressToken: call.started.progressToken as string, progress: value, 'x-own': 1 },
  })
  const first = legOf({ progressToken: 0 })
  const leg = suspended.leg(first)
  call.note(progress(1))
  void call.ask(elicit('Name?'))
  await leg
  call.note(progress(2))
  suspended.answer(new Map([['q1', YES]]))
  const second = legOf({ progressToken: '' })
  const next = suspended.leg(second)
  call.note(progress(3))
  call.reply(RESULT)
  await next
  call.note(progress(4))
  assert.equal(first.notes, [{ ...progress(1), params: { ...progress(1).params, progressToken: 0 } }])
  assert.equal(second.notes, [{ ...progress(3), params: { ...progress(3).params, progressToken: '' } }])
})

test('a leg without a token hears no progress, and still what else is told', async () => {
  const { call, suspended } = begun()
  const one = legOf()
  const leg = suspended.leg(one)
  const log = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } }
  call.note({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'leg', progress: 1 } })
  call.note(log)
  call.reply(RESULT)
  await leg
  assert.equal(one.notes, [log])
})

test('a client that was not said to be able to is not asked', async () => {
  const { call, suspended } = begun(NO_ABILITY)
  for (const question of [elicit('x'), sample('x'), ROOTS]) {
    const answer = await call.ask(question)
    assert.is('error' in answer ? answer.error.code : 0, -32601)
  }
  assert.equal(suspended.methods, [])
})

test('the id that a URL has in one era is not shown in the other', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf())
  void call.ask(visit('https://example.com', { elicitationId: 'e1' }))
  assert.equal(asked(await leg), { q1: visit('https://example.com') })
})

test('questions that nobody will answer are refused in the terms of each', async () => {
  const { call, suspended } = begun()
  const leg = suspended.leg(legOf())
  const [form, model] = [call.ask(elicit('Name?')), call.ask(sample('Greet'))]
  await leg
  suspended.refuse(['q1', 'q2', 'q7'])
  assert.equal(await form, { result: { action: 'cancel' } })
  assert.ok('error' in (await model))
  assert.equal(suspended.methods, [])
})

test.run()
