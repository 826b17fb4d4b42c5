import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import type { Ask, Question, QuestionAnswer } from '../mcp/questions.js'
import { PRINCIPAL } from '../rooms/testing.js'
import { abilityOf, NO_ABILITY } from '../upstream/ability.js'
import { makeTarget } from '../upstream/testing.js'
import type { Conversation, UpstreamReply } from '../upstream/types.js'
import { sendLegacy, type LegacyCall } from './legacy-client.js'
import { ABLE, asks, done, elicit, legacyReply, ROOTS, sample } from './testing.js'

const YES: QuestionAnswer = { result: { action: 'accept', content: {} } }
const PARTY = { sessionId: 's', gatewayId: 'g', principal: PRINCIPAL }

interface Sent {
  readonly added: JsonObject
  readonly conversation?: Conversation | undefined
  readonly onNotification?: ((note: JsonObject) => void) | undefined
}

function callWith(facts: Partial<LegacyCall> = {}) {
  const asked: Question[] = []
  const notes: JsonObject[] = []
  const sent: Sent[] = []
  const ask: Ask = async (question) => (asked.push(question), YES)
  const call: LegacyCall = {
    target: { ...makeTarget(), ability: ABLE },
    party: PARTY,
    ask,
    onQuestion: async (question) => question,
    onAnswer: async (answer) => answer,
    onProgress: async (told) => told,
    onNote: (note) => void notes.push(note),
    progressToken: undefined,
    gone: new Cancel(),
    send: async () => legacyReply({ content: [] }),
    ...facts,
  }
  const send = async (request: Sent): Promise<UpstreamReply> => (sent.push(request), call.send(request as never))
  return { asked, notes, sent, run: () => sendLegacy({ ...call, send: send as LegacyCall['send'] }) }
}

/** A legacy server that asks in the middle of the call and answers with what it was told. */
const asking =
  (question: Question, told: QuestionAnswer[] = []) =>
  async ({ conversation }: Sent): Promise<UpstreamReply> => {
    told.push((await conversation?.onQuestion(question, new Cancel())) ?? { error: { code: 0, message: 'nobody' } })
    return legacyReply({ content: [] })
  }

test('a legacy server’s question reaches the client, its answer the server, in the middle of the call', async () => {
  const told: QuestionAnswer[] = []
  const { run, asked } = callWith({ send: asking(elicit('Name?'), told) })
  await run()
  assert.equal([asked, told], [[elicit('Name?')], [YES]])
})

test('what a legacy server writes into fields of the other era asks nothing', async () => {
  const reply = legacyReply({ resultType: 'input_required', inputRequests: { k: elicit('Name?') as never } })
  const { run, asked } = callWith({ send: async () => reply })
  assert.is(await run(), reply)
  assert.equal(asked, [])
})

test('a modern server’s round is unpacked, its answers sent with the call made anew', async () => {
  const replies = [asks({ k: elicit('Name?') }, 's'), done('x')]
  const { run, asked, sent } = callWith({ send: async () => replies.shift() as UpstreamReply })
  assert.equal(await run(), done('x'))
  assert.equal(asked, [elicit('Name?')])
  assert.equal(
    sent.map(({ added }) => added),
    [{}, { inputResponses: { k: YES.result }, requestState: 's' }], // prettier-ignore
  )
})

test('rules see each question and each answer, and what they leave goes on', async () => {
  const told: QuestionAnswer[] = []
  const { run, asked } = callWith({
    send: asking(elicit('secret'), told),
    onQuestion: async () => elicit('***'),
    onAnswer: async () => ({ result: { action: 'accept', content: { x: '***' } } }),
  })
  await run()
  assert.equal(asked, [elicit('***')])
  assert.equal(told, [{ result: { action: 'accept', content: { x: '***' } } }])
})

test('what a rule blocks is not asked, and is thrown to the server', async () => {
  const blocked = async () => {
    throw new GatehouseError('GH_INSPECT_BLOCKED')
  }
  for (const rule of [{ onQuestion: blocked }, { onAnswer: blocked }]) {
    const { run, asked } = callWith({ ...rule, send: asking(elicit('secret')) })
    assert.is((await run().catch((thrown: GatehouseError) => thrown.code)) as string, 'GH_INSPECT_BLOCKED')
    assert.is(asked.length, 'onQuestion' in rule ? 0 : 1)
  }
})

test('what the client was not said to be able to is refused to the server without asking', async () => {
  for (const [question, ability] of [
    [sample('x'), abilityOf({ elicitation: {} }, '2025-11-25')],
    [elicit('x'), NO_ABILITY],
    [ROOTS, abilityOf({ sampling: {} }, '2025-11-25')],
  ] as const) {
    const told: QuestionAnswer[] = []
    const { run, asked } = callWith({ target: { ...makeTarget(), ability }, send: asking(question, told) })
    await run()
    const [answer] = told
    assert.is(answer !== undefined && 'error' in answer ? answer.error.code : 0, -32601)
    assert.equal(asked, [])
  }
})

test('a client that cannot be asked on this message is not, and its server is told', async () => {
  const told: QuestionAnswer[] = []
  await callWith({ ask: null, send: asking(elicit('x'), told) }).run()
  assert.ok('error' in (told[0] as QuestionAnswer))
})

test('a form that nobody answers is a cancel to the server, a model’s silence is thrown', async () => {
  const ask: Ask = () => Promise.reject(new GatehouseError('GH_FORWARD_UNANSWERED'))
  const told: QuestionAnswer[] = []
  await callWith({ ask, send: asking(elicit('x'), told) }).run()
  assert.equal(told, [{ result: { action: 'cancel' } }])
  const code = await callWith({ ask, send: asking(sample('x')) })
    .run()
    .catch((thrown: GatehouseError) => thrown.code)
  assert.is(code, 'GH_FORWARD_UNANSWERED')
})

test('a client without a session has no conversation', async () => {
  const { run, sent } = callWith({ party: null })
  await run()
  assert.is(sent[0]?.conversation, undefined)
})

const progress = (value: number, more: JsonObject = {}) => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: 't', progress: value, ...more },
})

test('progress does not step back when the call is made anew, and other notes are not touched', async () => {
  const log = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } }
  const legs = [
    { notes: [progress(1), progress(5), log], reply: asks({ k: elicit('?') }) },
    { notes: [progress(1), log, progress(5), progress(6), progress(7, { total: 9 })], reply: asks({ k: elicit('2') }) },
    { notes: [progress(7), progress(8)], reply: done('x') },
  ]
  const { run, notes } = callWith({
    async send(request) {
      const { notes: own, reply } = legs.shift() as (typeof legs)[0]
      for (const note of own) (request as Sent).onNotification?.(note)
      return reply
    },
  })
  await run()
  assert.equal(notes, [progress(1), progress(5), log, log, progress(6), progress(7, { total: 9 }), progress(8)])
})

test('within one leg the server’s own progress is passed as it comes', async () => {
  const own = [progress(3), progress(2), { ...progress(1), params: { progressToken: 't' } }, progress(2)]
  const { run, notes } = callWith({
    async send(request) {
      for (const note of own) (request as Sent).onNotification?.(note)
      return done('x')
    },
  })
  await run()
  assert.equal(notes, own)
})

test('what a client tells of a question reaches a server that wants to hear of it, as rules leave it', async () => {
  const told: JsonObject[] = []
  const hears: unknown[] = []
  const ask: Ask = async (_, { onProgress }) => {
    hears.push(onProgress === undefined)
    await onProgress?.({ progress: 1, message: 'secret' })
    await onProgress?.({ progress: 2, message: 'block' })
    return YES
  }
  const onProgress = async (given: JsonObject) => (given.message === 'block' ? null : { ...given, message: '***' })
  for (const toServer of [(given: JsonObject) => void told.push(given), undefined])
    await callWith({
      ask,
      onProgress,
      send: (async ({ conversation }: Sent) => {
        await conversation?.onQuestion(elicit('x'), new Cancel(), toServer)
        return legacyReply({ content: [] })
      }) as unknown as LegacyCall['send'],
    }).run()
  assert.equal(told, [{ progress: 1, message: '***' }])
  assert.equal(hears, [false, true])
})

const WAITING = 'Waiting for an answer to a question'

/** A client that answers once it has heard so often that its call waits. */
function slow(beats: number, facts: Partial<LegacyCall>) {
  const notes: JsonObject[] = []
  let answer: (answer: QuestionAnswer) => void = () => undefined
  const waits = () => notes.map(({ params }) => params as JsonObject).filter(({ message }) => message === WAITING)
  const call = callWith({
    progressToken: 't',
    pulseMs: 5,
    ask: () => new Promise((resolve) => (answer = resolve)),
    onNote: (note) => {
      notes.push(note)
      if (waits().length === beats) answer(YES)
    },
    ...facts,
  })
  return { ...call, notes, waits }
}

test('while a question waits, a client that gave a token hears so under it, whatever its server speaks', async () => {
  const replies = [asks({ k: elicit('Name?') }), done('x')]
  const toModern = async () => replies.shift() as UpstreamReply
  for (const send of [asking(elicit('Name?')) as unknown as LegacyCall['send'], toModern]) {
    const { run, waits } = slow(3, { send })
    await run()
    assert.equal(
      waits().map(({ progressToken }) => progressToken),
      ['t', 't', 't'],
    )
  }
})

test('that tells no progress that was not made, and what the server tells later is told when it goes beyond', async () => {
  const { run, notes, waits } = slow(2, {
    async send(request) {
      const { conversation, onNotification } = request as Sent
      onNotification?.(progress(50, { total: 100 }))
      await conversation?.onQuestion(elicit('Name?'), new Cancel())
      for (const value of [50, 51]) onNotification?.(progress(value, { total: 100 }))
      return legacyReply({ content: [] })
    },
  })
  await run()
  const values = notes.map(({ params }) => (params as JsonObject).progress as number)
  assert.equal(values.map(Math.floor), [50, 50, 50, 51])
  assert.equal(
    values,
    [...new Set(values)].toSorted((a, b) => a - b),
  )
  assert.ok(waits().every(({ total }) => total === 100))
})

test('a client that gave no token, or takes no notes, hears nothing of it', async () => {
  const heard: JsonObject[] = []
  const other = slow(3, { send: asking(elicit('Name?')) as unknown as LegacyCall['send'] })
  const quiet = callWith({
    send: asking(elicit('Name?')) as unknown as LegacyCall['send'],
    pulseMs: 1,
    // Answers when another client has heard of its own call three times.
    ask: async () => (await other.run(), YES),
    onNote: (note) => void heard.push(note),
  })
  await quiet.run()
  assert.equal(heard, [])
})

test('a client that takes no notes is sent none', async () => {
  const { run, sent } = callWith({ onNote: null })
  await run()
  assert.is(sent[0]?.onNotification, undefined)
})

test.run()
