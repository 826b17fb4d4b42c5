import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel, type CancelSignal } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'
import { abilityOf } from '../upstream/ability.js'
import type { UpstreamReply } from '../upstream/types.js'
import { ABLE, asks, done, elicit, ROOTS, sample, visit } from './testing.js'
import { unpack, type UnpackOptions } from './unpack.js'

const QUICK = { patience: 1, patienceMost: 4, url: 1, urlMost: 4, most: 500 }
const YES: QuestionAnswer = { result: { action: 'accept', content: { name: 'Ada' } } }

interface Answering {
  (question: Question, signal: CancelSignal): QuestionAnswer | Promise<QuestionAnswer>
}

/** A modern server that answers with these in turn, before a client that answers like this. */
function bench(
  replies: readonly (UpstreamReply | Error)[],
  answer: Answering = () => YES,
  more: Partial<UnpackOptions> = {},
) {
  const sent: JsonObject[] = []
  const asked: Question[] = []
  const told: JsonObject[] = []
  const gone = new Cancel()
  const left = [...replies]
  const [first = done('')] = left.splice(0, 1)
  const options: UnpackOptions = {
    ability: ABLE,
    send: async (added) => {
      if (gone.aborted) throw new GatehouseError('GH_UPSTREAM_CANCELLED')
      sent.push(added)
      const next = left.shift() ?? done('no more')
      if (next instanceof Error) throw next
      return next
    },
    ask: async (question, signal) => {
      asked.push(question)
      return answer(question, signal ?? new Cancel())
    },
    tell: (note) => void told.push(note),
    signal: gone,
    timing: QUICK,
    ...more,
  }
  return { sent, asked, told, gone, run: () => unpack(first as UpstreamReply, options) }
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing was thrown',
    (error: unknown) => (error instanceof GatehouseError ? error.code : String(error)),
  )
const completed = (told: readonly JsonObject[]) =>
  told
    .filter(({ method }) => method === 'notifications/elicitation/complete')
    .map(({ params }) => (params as JsonObject).elicitationId)

test('what asks nothing is the answer', async () => {
  const reply = done('at once')
  const { run, sent } = bench([reply])
  assert.is(await run(), reply)
  assert.equal(sent, [])
})

test('all questions of a round are put at once, their answers go by their keys, with the state byte for byte', async () => {
  let open = 0
  let most = 0
  const { run, sent, asked } = bench(
    [asks({ a: elicit('Name?'), b: sample('Greet'), c: ROOTS }, 'state ☃'), done('x')],
    async (question) => {
      most = Math.max(most, (open += 1))
      await new Promise((resolve) => setTimeout(resolve, 5))
      open -= 1
      return { result: { of: question.method } }
    },
  )
  assert.equal(await run(), done('x'))
  assert.is(most, 3)
  assert.equal(asked, [elicit('Name?'), sample('Greet'), ROOTS])
  const inputResponses = {
    a: { of: 'elicitation/create' },
    b: { of: 'sampling/createMessage' },
    c: { of: 'roots/list' },
  }
  assert.equal(sent, [{ inputResponses, requestState: 'state ☃' }])
})

test('a server without a state gets none, one that asks nothing gets no answers', async () => {
  const { run, sent } = bench([asks({ k: elicit('?') }), asks({}, 's1'), asks({}, 's2'), done('x')])
  await run()
  assert.equal(sent, [
    { inputResponses: { k: (YES as { result: JsonObject }).result } },
    { requestState: 's1' },
    { requestState: 's2' },
  ])
})

test('each round carries its own answers and no older ones', async () => {
  const { run, sent } = bench([asks({ a: elicit('1') }, 's1'), asks({ b: elicit('2') }, 's2'), done('x')])
  await run()
  assert.equal(
    sent.map(({ inputResponses, requestState }) => [Object.keys(inputResponses as JsonObject), requestState]),
    [
      [['a'], 's1'],
      [['b'], 's2'],
    ],
  )
})

test('ten rounds are answered and an eleventh is not asked', async () => {
  const rounds = (count: number) => Array.from({ length: count }, (_, at) => asks({ k: elicit(`${at}`) }, `s${at}`))
  assert.equal(await bench([...rounds(10), done('x')]).run(), done('x'))
  const over = bench(rounds(11))
  assert.is(await codeOf(over.run()), 'GH_FORWARD_ROUNDS')
  assert.is(over.asked.length, 10)
})

test('eight questions are put in a round and nine are not', async () => {
  const many = (count: number) =>
    asks(Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, elicit(`${n}`)])))
  assert.equal(await bench([many(8), done('x')]).run(), done('x'))
  const over = bench([many(9)])
  assert.is(await codeOf(over.run()), 'GH_FORWARD_ROUNDS')
  assert.is(over.asked.length, 0)
})

test('a round that asks for what the client cannot do is refused whole, before anything is asked', async () => {
  for (const [question, ability] of [
    [sample('x'), abilityOf({ elicitation: {} }, '2025-11-25')],
    [visit('https://x.example'), abilityOf({ elicitation: { form: {} } }, '2025-11-25')],
    [{ ...sample('x'), params: { tools: [] } } as Question, abilityOf({ elicitation: {}, sampling: {} }, '2025-11-25')],
    [ROOTS, abilityOf({ elicitation: {} }, '2025-11-25')],
  ] as const) {
    const { run, asked, sent } = bench([asks({ fine: elicit('?'), not: question })], undefined, { ability })
    assert.is(await codeOf(run()), 'GH_FORWARD_CAPABILITY')
    assert.equal([asked, sent], [[], []])
  }
})

test('an error as the answer to a form is a cancel; to a model or folders it ends the call', async () => {
  const refuse = () => ({ error: { code: -1, message: 'User rejected sampling' } })
  const form = bench([asks({ k: elicit('?') }), done('x')], refuse)
  await form.run()
  assert.equal(form.sent, [{ inputResponses: { k: { action: 'cancel' } } }])
  for (const question of [sample('x'), ROOTS]) {
    const { run, sent } = bench([asks({ k: question })], refuse)
    const error = (await run().catch((thrown: unknown) => thrown)) as GatehouseError
    assert.is(error.code, 'GH_FORWARD_UNANSWERED')
    assert.match(error.message, 'User rejected sampling')
    assert.equal(sent, [])
  }
})

test('when one answer ends the call, the other questions of its round are taken back', async () => {
  let isWithdrawn = false
  const { run } = bench([asks({ a: elicit('?'), b: sample('x') })], (question, signal) => {
    if (question.method === 'sampling/createMessage') return { error: { code: -1, message: 'no' } }
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => {
        isWithdrawn = true
        reject(new GatehouseError('GH_FORWARD_UNANSWERED'))
      }),
    )
  })
  assert.is(await codeOf(run()), 'GH_FORWARD_UNANSWERED')
  assert.ok(isWithdrawn)
})

test('a form that nobody answers in time is a cancel, as long as the client is there', async () => {
  const silent = () => Promise.reject(new GatehouseError('GH_FORWARD_UNANSWERED'))
  const form = bench([asks({ k: elicit('?') }), done('x')], silent)
  await form.run()
  assert.equal(form.sent, [{ inputResponses: { k: { action: 'cancel' } } }])
  const gone = bench([asks({ k: elicit('?') })], () => (gone.gone.tell(), silent()))
  assert.match(await codeOf(gone.run()), /GH_FORWARD_UNANSWERED|GH_UPSTREAM_CANCELLED/)
  assert.equal(gone.sent, [])
  assert.is(await codeOf(bench([asks({ k: sample('x') })], silent).run()), 'GH_FORWARD_UNANSWERED')
})

test('what a rule says of a question ends the call with the rule’s own words', async () => {
  const blocked = () => Promise.reject(new GatehouseError('GH_INSPECT_BLOCKED', { message: 'rule x' }))
  assert.is(await codeOf(bench([asks({ k: elicit('?') })], blocked).run()), 'GH_INSPECT_BLOCKED')
})

test('a server that only asks for patience is called again after pauses that grow', async () => {
  const at: number[] = []
  const waiting = Array.from({ length: 5 }, (_, n) => asks({}, `s${n}`))
  const { run, sent, asked } = bench([...waiting, done('x')], undefined, {
    timing: { ...QUICK, patience: 8, patienceMost: 32 },
  })
  const started = Date.now()
  await run()
  at.push(Date.now() - started)
  assert.equal(
    sent,
    waiting.map((_, n) => ({ requestState: `s${n}` })),
  )
  assert.equal(asked, [])
  assert.ok((at[0] ?? 0) >= 8 + 16 + 32 + 32 + 32 - 5, `${at}`)
})

test('a server that asks for patience for ever is given up', async () => {
  const { run, sent } = bench(
    Array.from({ length: 1_000 }, () => asks({}, 's')),
    undefined,
    { timing: { ...QUICK, most: 40 } },
  )
  assert.is(await codeOf(run()), 'GH_FORWARD_ROUNDS')
  assert.ok(sent.length > 2)
})

test('a client that goes away while its server asks for patience ends the wait at once', async () => {
  const { run, gone } = bench([asks({}, 's'), done('x')], undefined, { timing: { ...QUICK, patience: 60_000 } })
  const started = Date.now()
  const end = codeOf(run())
  gone.tell()
  assert.is(await end, 'GH_UPSTREAM_CANCELLED')
  assert.ok(Date.now() - started < 1_000)
})

test('a URL gets an id of ours, is asked once while it is repeated, and completed when the server moves on', async () => {
  const url = () => asks({ k: visit('https://a.example') }, 's')
  const { run, asked, sent, told } = bench([url(), url(), url(), asks({ n: elicit('Name?') }, 't'), done('x')])
  await run()
  assert.is(asked.length, 2)
  const minted = asked[0]?.params?.elicitationId
  assert.is(typeof minted, 'string')
  assert.equal(asked[0], visit('https://a.example', { elicitationId: minted as string }))
  const accepted = { inputResponses: { k: { action: 'accept' } }, requestState: 's' }
  assert.equal(sent.slice(1, 3), [accepted, accepted])
  assert.equal(completed(told), [minted])
})

test('the time that a client is out at a URL is known as one in which it waits', async () => {
  let waits = 0
  const url = () => asks({ k: visit('https://a.example') })
  const waiting = (work: Promise<void>) => ((waits += 1), work)
  await bench([url(), url(), url(), asks({}, 'patience'), done('x')], () => YES, { waiting }).run()
  assert.is(waits, 2)
})

test('a URL is completed too when the server moves on to its answer', async () => {
  const url = () => asks({ k: visit('https://a.example') })
  const { run, asked, told } = bench([url(), url(), done('x')])
  await run()
  assert.is(asked.length, 1)
  assert.equal(completed(told), [asked[0]?.params?.elicitationId])
})

test('a URL that the client declined is neither remembered nor completed', async () => {
  const url = () => asks({ k: visit('https://a.example') })
  const { run, asked, told } = bench([url(), url(), done('x')], () => ({ result: { action: 'decline' } }))
  await run()
  assert.is(asked.length, 2)
  assert.is.not(asked[0]?.params?.elicitationId, asked[1]?.params?.elicitationId)
  assert.equal(completed(told), [])
})

test('another question beside a URL that is waited for is asked, and the URL is not', async () => {
  const { run, asked, sent } = bench([
    asks({ k: visit('https://a.example') }),
    asks({ k: visit('https://a.example'), n: elicit('Name?') }),
    done('x'),
  ])
  await run()
  assert.equal(asked.slice(1), [elicit('Name?')])
  assert.equal(Object.keys(sent[1]?.inputResponses as JsonObject), ['k', 'n'])
})

test('what the server fails with is thrown as it is', async () => {
  const { run } = bench([asks({ k: elicit('?') }), new GatehouseError('GH_UPSTREAM_UNREACHABLE')])
  assert.is(await codeOf(run()), 'GH_UPSTREAM_UNREACHABLE')
})

test('a server that breaks the protocol of asking is told so', async () => {
  const { run } = bench([asks({ k: elicit('?') }), asks({}), done('x')])
  assert.is(await codeOf(run()), 'GH_UPSTREAM_PROTOCOL')
})

test.run()
