import type { Json, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { NO_ABILITY } from '../upstream/ability.js'
import type { Target, UpstreamReply } from '../upstream/types.js'
import { makeTarget } from '../upstream/testing.js'
import { until } from '../test/until.js'
import { masterKey } from '../vault/keys.js'
import { createTokenSealer } from '../vault/seal-token.js'
import { createCompletions } from './completions.js'
import { createModernClient, type ModernCall } from './modern-client.js'
import { createParkedCalls, type ParkedLimits } from './parked-calls.js'
import { createRequestStates, REQUEST_STATE } from './request-state.js'
import * as bench from './testing.js'
import { ABLE, asks, done, elicit, heldCall, legacyError, legacyReply, modernReply, SUBJECT } from './testing.js'

const YES: JsonObject = { action: 'accept', content: { name: 'Ada' } }

function house(limits: Partial<ParkedLimits> = {}) {
  const parked = createParkedCalls(() => limits)
  const states = createRequestStates(createTokenSealer([masterKey(Buffer.alloc(32, 1))], REQUEST_STATE))
  const completions = createCompletions()
  const send = createModernClient({ parked, states, completions, replica: 'r1r1', urlWait: 2_000 })
  return { parked, states, completions, send }
}

const target: Target = { ...makeTarget(), ability: ABLE }

function callWith(facts: Partial<ModernCall> = {}): ModernCall {
  const { gone, onNote } = bench.legOf()
  const refuse = () => Promise.reject(new Error('nothing is sent here'))
  const params = { name: 'act', arguments: { a: 1 } }
  return {
    target,
    subject: SUBJECT,
    params,
    progressToken: undefined,
    wantsLog: false,
    onNote,
    gone,
    trail: bench.trailOf(),
    send: refuse,
    ...facts,
  }
}
/** The same call, made anew with the answers. */
const again = (reply: UpstreamReply, inputResponses: Json | undefined, facts: Partial<ModernCall> = {}): ModernCall => {
  const requestState = reply.result?.requestState as string
  const given = inputResponses === undefined ? {} : { inputResponses }
  return callWith({ params: { name: 'act', arguments: { a: 1 }, ...given, requestState }, ...facts })
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing was thrown',
    (error: unknown) => (error instanceof GatehouseError ? error.code : String(error)),
  )

/** A server of the modern era that answers with these, in turn, and remembers what it was sent. */
function server(...replies: readonly UpstreamReply[]) {
  const sent: JsonObject[] = []
  const left = [...replies]
  return {
    sent,
    send: async ({ params }: { readonly params: JsonObject }) => {
      sent.push(params)
      return left.shift() ?? done('no more')
    },
  }
}

test('a question of a modern server goes through, its state sealed and opened again for it alone', async () => {
  const { send } = house()
  const own = server(asks({ k: elicit('Name?') }, 'own ☃ state'), done('Ada'))
  const first = await send(callWith({ send: own.send }))
  assert.equal(first.result?.inputRequests, { k: elicit('Name?') })
  assert.match(first.result?.requestState as string, /^gh1\./)
  const second = await send(again(first, { k: YES }, { send: own.send }))
  assert.equal(second, done('Ada'))
  assert.equal(own.sent[1], {
    name: 'act',
    arguments: { a: 1 },
    inputResponses: { k: YES },
    requestState: 'own ☃ state',
  })
})

test('no state is invented for a modern server that gave none', async () => {
  const { send } = house()
  const own = server(asks({ k: elicit('Name?') }), done('Ada'))
  const first = await send(callWith({ send: own.send }))
  assert.not('requestState' in (first.result ?? {}))
  const params = { name: 'act', arguments: { a: 1 }, inputResponses: { k: YES } }
  assert.equal(await send(callWith({ params, send: own.send })), done('Ada'))
  assert.equal(own.sent[1], params)
})

test('a server that neither asks nor waits, or asks what nobody knows, breaks the protocol', async () => {
  for (const result of [
    { resultType: 'input_required' },
    { resultType: 'input_required', inputRequests: {} },
    { resultType: 'input_required', inputRequests: [] },
    { resultType: 'input_required', inputRequests: { k: { method: 'tools/list' } } },
    { resultType: 'input_required', inputRequests: { k: { method: 'roots/list', params: 'x' } } },
    { resultType: 'input_required', inputRequests: { k: null } },
    { resultType: 'input_required', requestState: 7 },
  ] as JsonObject[])
    assert.is(
      await codeOf(house().send(callWith({ send: server(modernReply(result)).send }))),
      'GH_UPSTREAM_PROTOCOL',
      JSON.stringify(result),
    )
})

test('a modern server that asks beyond what the client declared is refused', async () => {
  const own = server(asks({ k: elicit('Name?') }, 'state'))
  const call = callWith({ target: { ...target, ability: NO_ABILITY }, send: own.send })
  assert.is(await codeOf(house().send(call)), 'GH_FORWARD_CAPABILITY')
})

/** A legacy server's call, started; with what came of the client's request. */
async function parkedCall(limits: Partial<ParkedLimits> = {}, question = elicit('Name?')) {
  const at = house(limits)
  const call = heldCall()
  const leg = at.send(callWith({ send: call.send }))
  await until('it is sent', () => isSent(call) || undefined)
  const answer = call.ask(question)
  return { ...at, call, answer, first: await leg }
}
const isSent = (call: bench.HeldCall) => {
  try {
    return call.started !== undefined
  } catch {
    return false
  }
}

test('a question of a legacy server ends the request, and the next one brings its answer', async () => {
  const { send, call, answer, first, parked } = await parkedCall()
  assert.equal(first.result?.inputRequests, { q1: elicit('Name?') })
  assert.is(first.result?.resultType, 'input_required')
  const second = send(again(first, { q1: YES }))
  assert.equal(await answer, { result: YES })
  const result = legacyReply({ content: [] })
  call.reply(result)
  assert.is(await second, result)
  assert.is(parked.size, 0)
})

test('of two that bring the same answers one wins, and the other is told what a stranger is told', async () => {
  const { send, call, first } = await parkedCall()
  const ends = [send(again(first, { q1: YES })), send(again(first, { q1: YES }))]
  const lost = await codeOf(Promise.race(ends.map((end) => end.then(() => new Promise(() => undefined)))))
  assert.is(lost, 'GH_FORWARD_STATE')
  call.reply(legacyReply({ content: [] }))
  const settled = await Promise.allSettled(ends)
  assert.equal(settled.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
})

test('the answers to an earlier round are refused, and the later one still waits', async () => {
  const { send, call, first } = await parkedCall()
  const second = send(again(first, { q1: YES }))
  const answer = call.ask(elicit('Color?'))
  const asksAgain = await second
  assert.equal(Object.keys(asksAgain.result?.inputRequests as JsonObject), ['q2'])
  assert.is(await codeOf(send(again(first, { q1: YES, q2: YES }))), 'GH_FORWARD_STATE')
  const third = send(again(asksAgain, { q2: YES }))
  assert.equal(await answer, { result: YES })
  call.reply(legacyReply({ content: [] }))
  await third
})

test('answers that are no object are refused before the call is woken', async () => {
  const { send, call, answer, first } = await parkedCall()
  for (const wrong of [null, [], 'x', 7, { q1: 'x' }, { q1: null }, { q1: [YES] }] as const)
    assert.is(await codeOf(send(again(first, wrong))), 'GH_DOOR_PARAMS', JSON.stringify(wrong))
  const second = send(again(first, { q1: YES }))
  assert.equal(await answer, { result: YES })
  call.reply(legacyReply({ content: [] }))
  await second
})

test('without any answer the same question comes again', async () => {
  for (const given of [undefined, {}, { unknown: YES }]) {
    const { send, first, parked } = await parkedCall()
    const second = await send(again(first, given))
    assert.equal(second.result?.inputRequests, { q1: elicit('Name?') })
    assert.is.not(second.result?.requestState, first.result?.requestState)
    parked.stop()
  }
})

test('a call that slept too long is expired, and has ended at its server', async () => {
  const { send, call, first } = await parkedCall({ person: 20 })
  await until('it is given up', () => call.isCancelled || undefined)
  assert.is(await codeOf(send(again(first, { q1: YES }))), 'GH_FORWARD_STATE')
})

test('all rounds of a call stand under the correlation id of its first, of whichever era the server is', async () => {
  const other = '01a20572-8e94-71c0-9575-e2e50448bbbb'
  const parked = await parkedCall()
  const woken = again(parked.first, { q1: YES }, { trail: bench.trailOf(other) })
  const second = parked.send(woken)
  void parked.call.ask(elicit('Color?'))
  const { result } = await second
  assert.is(woken.trail.correlationId, bench.CORRELATION)
  const state = parked.states.open(result?.requestState as string, SUBJECT)
  assert.is(state.correlationId, bench.CORRELATION)
  const at = house()
  const first = await at.send(callWith({ send: async () => asks({ k: elicit('Name?') }, 's') }))
  const forwarded = again(first, { k: YES }, { trail: bench.trailOf(other), send: async () => done('x') })
  await at.send(forwarded)
  assert.is(forwarded.trail.correlationId, bench.CORRELATION)
  const fresh = callWith({ trail: bench.trailOf(other), send: async () => done('x') })
  await at.send(fresh)
  assert.is(fresh.trail.correlationId, other)
})

test('a call of another replica is told to be lost', async () => {
  const at = house()
  const requestState = at.states.seal({ kind: 'parked', round: 1, correlationId: bench.CORRELATION, callId: 'x', owner: 'r2r2' }, SUBJECT) // prettier-ignore
  const call = callWith({ params: { name: 'act', arguments: { a: 1 }, requestState, inputResponses: {} } })
  assert.is(await codeOf(at.send(call)), 'GH_FORWARD_PARKED_LOST')
})

test('a full replica cancels the form and goes on', async () => {
  const at = house({ perReplica: 0 })
  const call = heldCall()
  const leg = at.send(callWith({ send: call.send }))
  await until('it is sent', () => isSent(call) || undefined)
  assert.equal(await call.ask(elicit('Name?')), { result: { action: 'cancel' } })
  const result = legacyReply({ content: [] })
  call.reply(result)
  assert.is(await leg, result)
})

test('a server that asks for ever is stopped after twenty rounds, and its call ends', async () => {
  const at = await parkedCall()
  let reply = at.first
  let rounds = 1
  for (; rounds < 100; rounds += 1) {
    const [name = ''] = Object.keys(reply.result?.inputRequests as JsonObject)
    const next = at.send(again(reply, { [name]: YES }))
    void at.call.ask(elicit(`Again ${rounds}?`))
    const outcome = await next.catch((error: unknown) => error)
    if (outcome instanceof Error) {
      assert.is((outcome as GatehouseError).code, 'GH_FORWARD_ROUNDS')
      break
    }
    reply = outcome as UpstreamReply
  }
  assert.is(rounds, 20)
  assert.ok(at.call.isCancelled, 'the call has ended at its server')
  assert.is(at.parked.size, 0)
})

test('a client that declares less in its next request is asked no more than that', async () => {
  const { send, call, first } = await parkedCall()
  const second = send(again(first, { q1: YES }, { target: { ...target, ability: NO_ABILITY } }))
  assert.equal(await call.ask(elicit('Color?')), { result: { action: 'cancel' } })
  const model = await call.ask(bench.sample('Greet'))
  assert.ok('error' in model)
  call.reply(legacyReply({ content: [] }))
  await second
})

test('what only three methods may ask is not asked in a completion', async () => {
  const at = house()
  const call = heldCall()
  const subject = { ...SUBJECT, method: 'completion/complete' }
  const leg = at.send(callWith({ send: call.send, subject }))
  await until('it is sent', () => isSent(call) || undefined)
  assert.is(call.started.conversation, undefined)
  const result = legacyReply({ completion: { values: [] } })
  call.reply(result)
  assert.is(await leg, result)
})

test('a call that was answered by a question that nobody is shown ends', async () => {
  const { call, first, parked } = await parkedCall()
  first.unseen?.()
  assert.ok(call.isCancelled)
  assert.is(parked.size, 0)
})

const URLS = { elicitations: [{ mode: 'url', message: 'Sign in', url: 'https://a.example', elicitationId: 'e1' }] }
const mustVisit = () => legacyError({ code: -32042, message: 'URL elicitation required', data: URLS })

test('an error that sends the client to a URL becomes a question, and the call is made again when that is done', async () => {
  const at = house()
  const own = server(mustVisit(), legacyReply({ content: [] }))
  const first = await at.send(callWith({ send: own.send }))
  const params = { mode: 'url', message: 'Sign in', url: 'https://a.example' }
  assert.equal(first.result?.inputRequests, { u1: { method: 'elicitation/create', params } })
  assert.is(first.era, 'modern')
  const second = at.send(again(first, { u1: { action: 'accept' } }, { send: own.send }))
  at.completions.done(target.server.id, 'e1')
  assert.equal((await second).result, { content: [] })
  assert.equal(own.sent[1], { name: 'act', arguments: { a: 1 } })
})

test('that a URL is done with may be told on any call; a modern client knows no such note', async () => {
  const at = house()
  const call = heldCall()
  const { onNote, notes } = bench.legOf()
  const leg = at.send(callWith({ send: call.send, onNote }))
  await until('it is sent', () => isSent(call) || undefined)
  call.note({ jsonrpc: '2.0', method: 'notifications/elicitation/complete', params: { elicitationId: 'e1' } })
  call.note({ jsonrpc: '2.0', method: 'notifications/other' })
  call.reply(mustVisit())
  const first = await leg
  assert.equal(notes, [{ jsonrpc: '2.0', method: 'notifications/other' }])
  const started = Date.now()
  const own = server(legacyReply({ content: [] }))
  await at.send(again(first, { u1: { action: 'accept' } }, { send: own.send }))
  assert.ok(Date.now() - started < 1_000)
})

test('a client that will not go to the URL is not sent there again', async () => {
  for (const action of ['decline', 'cancel']) {
    const at = house()
    const own = server(mustVisit(), legacyReply({ content: [] }))
    const first = await at.send(callWith({ send: own.send }))
    const started = Date.now()
    assert.is(await codeOf(at.send(again(first, { u1: { action } }, { send: own.send }))), 'GH_FORWARD_UNANSWERED')
    assert.ok(Date.now() - started < 1_000)
    assert.is(own.sent.length, 1)
  }
})

test('a client that cannot go to a URL is told what it lacks', async () => {
  const able = bench.ABLE.capabilities
  const ability = { key: 'form', capabilities: { ...able, elicitation: { form: {} } } }
  const call = callWith({ target: { ...target, ability }, send: server(mustVisit()).send })
  assert.is(await codeOf(house().send(call)), 'GH_FORWARD_CAPABILITY')
})

test('an error of that code that names no URL stays an error', async () => {
  for (const data of [undefined, null, 'x', {}, { elicitations: [] }, { elicitations: 'x' }, { elicitations: ['x'] }]) {
    const reply = legacyError({ code: -32042, message: 'no', data })
    assert.is(await house().send(callWith({ send: server(reply).send })), reply)
  }
})

test('a server that names more URLs than a person would visit is not followed', async () => {
  const many = Array.from({ length: 9 }, (_, at) => ({ ...URLS.elicitations[0], elicitationId: `e${at}` }))
  const reply = legacyError({ code: -32042, message: 'no', data: { elicitations: many } })
  assert.is(await codeOf(house().send(callWith({ send: server(reply).send }))), 'GH_FORWARD_ROUNDS')
})

test.run()
