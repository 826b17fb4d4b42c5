import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { CancelSignal } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import type { OnProgress, Question, QuestionAnswer } from '../mcp/questions.js'
import { createAnswers, createAsked } from './asked.js'
import { createCalls } from './calls.js'
import type { RpcRequest } from './message.js'
import type { PeerEvents } from './options.js'
import { makeRequest } from './testing.js'
import type { Conversation } from './types.js'

type OnQuestion = Conversation['onQuestion']

const ELICIT = { method: 'elicitation/create', params: { message: 'Name?' } }
const SAMPLE = { method: 'sampling/createMessage', params: { messages: [] } }
const request = (id: string | number, message: object): RpcRequest =>
  ({ jsonrpc: '2.0', id, ...message }) as unknown as RpcRequest
const answer = (by: string): QuestionAnswer => ({ result: { by } })
const by = (given: QuestionAnswer) => ('result' in given ? given.result['by'] : given.error.code)

/** `outside` answers what belongs to no call; without it nobody can be asked outside of one. */
function bench(outside: PeerEvents['asked'] = null) {
  const calls = createCalls('crm')
  const told: JsonObject[] = []
  const asked = createAsked(calls, { asked: outside }, (note) => void told.push(note))
  const begin = (onQuestion?: OnQuestion) =>
    calls.begin(
      makeRequest(onQuestion === undefined ? {} : { conversation: { party: null, whose: 'me', onQuestion } }),
      () => undefined,
    )
  return { calls, asked, begin, told }
}

/** Answers when it is told to, or when the question is taken back. */
function held() {
  const taken: CancelSignal[] = []
  let settle: (given: QuestionAnswer) => void = () => undefined
  const onQuestion: OnQuestion = (_, signal) => {
    taken.push(signal)
    return new Promise((resolve) => {
      settle = resolve
      signal.addEventListener('abort', () => resolve({ error: { code: -1, message: 'taken back' } }))
    })
  }
  return { onQuestion, taken, settle: (given: QuestionAnswer) => settle(given) }
}

test('a question on the stream of a call goes to whoever made it, however many there are', async () => {
  const { asked, begin } = bench(async () => answer('outside'))
  const [one] = [begin(async () => answer('one')), begin(async () => answer('two'))]
  assert.is(by(await asked.answer(request(1, ELICIT), one)), 'one')
})

test('a question that names no call is that of the only one under way', async () => {
  for (const outside of [null, async () => answer('outside')]) {
    const { asked, begin } = bench(outside)
    begin()
    begin(async () => answer('only'))
    assert.is(by(await asked.answer(request(1, ELICIT), null)), 'only')
  }
})

test('with several calls of one client a question that names none is the session’s, and ends with none of them', async () => {
  const outside = held()
  const { asked, calls, begin } = bench(outside.onQuestion)
  begin(async () => answer('one'))
  const newest = begin(async () => answer('two'))
  const given = asked.answer(request(1, ELICIT), null)
  calls.end(newest)
  assert.not(outside.taken[0]?.aborted)
  outside.settle(answer('outside'))
  assert.is(by(await given), 'outside')
})

test('folders are asked for outside of calls: a server wants them for its session', async () => {
  const { asked, begin } = bench(async () => answer('outside'))
  begin(async () => answer('call'))
  assert.is(by(await asked.answer(request(1, { method: 'roots/list' }), null)), 'outside')
  const leased = bench(null)
  leased.begin(async () => answer('call'))
  assert.is(by(await leased.asked.answer(request(1, { method: 'roots/list' }), null)), 'call')
})

test('a question for nobody is refused, and what is no question too', async () => {
  const { asked, begin } = bench(null)
  assert.is(by(await asked.answer(request(1, ELICIT), null)), -32601)
  const call = begin()
  assert.is(by(await asked.answer(request(2, ELICIT), call)), -32601)
  assert.is(by(await asked.answer(request(3, { method: 'tools/list' }), null)), -32601)
  assert.equal(await asked.answer(request(4, { method: 'ping' }), null), { result: {} })
})

test('a question behind the answer of its call is refused', async () => {
  const { asked, calls, begin } = bench(null)
  const call = begin(async () => answer('late'))
  calls.end(call)
  assert.is(by(await asked.answer(request(1, ELICIT), call)), -32601)
  assert.is(by(await asked.answer(request(2, ELICIT), null)), -32601)
})

test('params that are no object are left out', async () => {
  const seen: Question[] = []
  const { asked, begin } = bench(null)
  begin(async (question) => (seen.push(question), answer('x')))
  for (const params of [undefined, null, 'x', []]) await asked.answer(request(1, { ...ELICIT, params }), null)
  assert.equal(
    seen,
    Array.from({ length: 4 }, () => ({ method: 'elicitation/create' })),
  )
})

test('a server’s own token for progress stays on its side, the rest of _meta goes on', async () => {
  const seen: Question[] = []
  const { asked, begin } = bench(null)
  begin(async (question) => (seen.push(question), answer('x')))
  for (const _meta of [{ progressToken: 7, 'example.com/x': 1 }, { progressToken: 0 }, { 'example.com/x': 1 }, 'odd'])
    await asked.answer(request(1, { ...ELICIT, params: { message: '?', _meta } }), null)
  assert.equal(
    seen.map(({ params }) => params),
    [
      { message: '?', _meta: { 'example.com/x': 1 } },
      { message: '?', _meta: {} },
      { message: '?', _meta: { 'example.com/x': 1 } },
      { message: '?', _meta: 'odd' },
    ],
  )
})

test('progress with a question is told to a server that gave a token, under that token, while the question waits', async () => {
  for (const [outside, _meta] of [
    [false, { progressToken: 0 }],
    [true, { progressToken: 'mine' }],
    [false, {}],
    [false, { progressToken: [1] }],
  ] as const) {
    let later: OnProgress | undefined
    const onQuestion: OnQuestion = async (_, __, onProgress) => {
      later = onProgress
      await onProgress?.({ progress: 1, progressToken: 'theirs', 'x-own': 1 })
      return answer('x')
    }
    const { asked, begin, told } = bench(outside ? onQuestion : null)
    if (!outside) begin(onQuestion)
    await asked.answer(request(1, { ...ELICIT, params: { message: '?', _meta } }), null)
    await later?.({ progress: 2 })
    const token = 'progressToken' in _meta && !Array.isArray(_meta.progressToken) ? _meta.progressToken : undefined
    const params = { progress: 1, progressToken: token as string | number, 'x-own': 1 }
    const note = { jsonrpc: '2.0', method: 'notifications/progress', params }
    assert.equal(told, token === undefined ? [] : [note])
  }
})

test('thirty-two wait at once, the rest is refused at once, and room is made again', async () => {
  const { onQuestion, settle } = held()
  const { asked, begin } = bench(null)
  begin(onQuestion)
  const waiting = Array.from({ length: 32 }, (_, id) => asked.answer(request(id, SAMPLE), null))
  for (let id = 100; id < 10_100; id += 1) assert.is(by(await asked.answer(request(id, SAMPLE), null)), -32603)
  settle(answer('last'))
  assert.is(by((await waiting.at(-1)) as QuestionAnswer), 'last')
  const more = asked.answer(request(200, SAMPLE), null)
  settle(answer('more'))
  assert.is(by(await more), 'more')
})

test('an id that waits already is refused; 0, an empty one and a fraction are ids, and 1 is not "1"', async () => {
  const { onQuestion } = held()
  const { asked, begin } = bench(null)
  const call = begin(onQuestion)
  for (const id of [0, '', 1.5, 1, '1']) void asked.answer(request(id, ELICIT), call)
  for (const id of [0, '', 1.5, 1, '1']) assert.is(by(await asked.answer(request(id, ELICIT), call)), -32603)
})

test('a question is taken back by its id alone, and only while it waits', async () => {
  const { asked, begin } = bench(null)
  const questions = new Map<string | number, ReturnType<typeof held>>()
  const ids = [0, '0', '']
  const call = begin((question, signal) => {
    const one = held()
    questions.set((question.params as { id: string }).id, one)
    return one.onQuestion(question, signal)
  })
  const waiting = ids.map((id) => asked.answer(request(id, { ...ELICIT, params: { id } }), call))
  const cancelled = (requestId: unknown) => ({
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId },
  })
  for (const id of [7, null, [0], undefined]) assert.ok(asked.takenBack(cancelled(id) as never))
  assert.ok(asked.takenBack(cancelled('0') as never))
  assert.equal(
    ids.map((id) => questions.get(id)?.taken[0]?.aborted),
    [false, true, false],
  )
  assert.is(by((await waiting[1]) as QuestionAnswer), -1)
  assert.not(asked.takenBack({ jsonrpc: '2.0', method: 'notifications/progress' }))
})

test('what waits when the server has gone is taken back', async () => {
  const outside = held()
  const { asked } = bench(outside.onQuestion)
  const given = asked.answer(request(1, ELICIT), null)
  asked.end()
  assert.ok(outside.taken[0]?.aborted)
  assert.is(by(await given), -1)
})

test('what goes wrong with a client is told to the server without its detail', async () => {
  const { asked, begin } = bench(null)
  begin(async () => {
    throw new GatehouseError('GH_INSPECT_BLOCKED', { message: 'Blocked by rule', detail: 'private' })
  })
  assert.equal(await asked.answer(request(1, ELICIT), null), { error: { code: -32603, message: 'Blocked by rule' } })
  const broken = bench(async () => {
    throw new TypeError('private')
  })
  const given = await broken.asked.answer(request(1, ELICIT), null)
  assert.not.match(JSON.stringify(given), 'private')
})

test('no more answers are on their way at once than a server can be sent, and room is made again', async () => {
  const posted: (() => void)[] = []
  const lost: string[] = []
  const answers = createAnswers(
    () => new Promise<void>((resolve) => posted.push(resolve)),
    (why) => void lost.push(why),
  )
  const sent = Array.from({ length: 10_000 }, (_, id) => answers({ id }))
  assert.equal([posted.length, lost.length], [64, 10_000 - 64])
  for (const take of posted.splice(0)) take()
  await Promise.all(sent)
  void answers({ id: 0 })
  assert.is(posted.length, 1)
  const broken = createAnswers(() => Promise.reject(new Error('no')), (why) => void lost.push(why)) // prettier-ignore
  await broken({})
  assert.is(lost.at(-1), 'Error: no')
})

test.run()
