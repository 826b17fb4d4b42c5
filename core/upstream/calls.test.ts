import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import type { GatehouseError } from '../errors.js'
import type { QuestionAnswer } from '../mcp/questions.js'
import { until } from '../test/until.js'
import { createCalls } from './calls.js'
import { makeRequest } from './testing.js'
import type { Conversation, UpstreamRequest } from './types.js'

const ELICIT = { method: 'elicitation/create', params: { message: 'Name?' } } as const
const quiet = new Cancel()

/** A client that answers when the test says so. */
function client() {
  const waiting: ((answer: QuestionAnswer) => void)[] = []
  const onQuestion: Conversation['onQuestion'] = () => new Promise((resolve) => waiting.push(resolve))
  return { conversation: { party: null, whose: 'me', onQuestion }, answer: () => waiting.shift()?.({ result: {} }) }
}

function begin(facts: Partial<UpstreamRequest>) {
  const calls = createCalls('crm')
  let error: GatehouseError | undefined
  const call = calls.begin(makeRequest(facts), (thrown) => (error = thrown))
  return { calls, call, failed: () => error }
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const late = (failed: () => GatehouseError | undefined) => until('it is late', () => failed())

test('a call is late at its deadline', async () => {
  const { failed } = begin({ deadline: Date.now() + 20 })
  assert.is((await late(failed)).code, 'GH_UPSTREAM_TIMEOUT')
})

test('the clock stands still while a question waits, and has its whole span again when it is answered', async () => {
  const { conversation, answer } = client()
  const { call, failed } = begin({ deadline: Date.now() + 60, hardDeadline: Date.now() + 400, conversation })
  const asked = call.ask(ELICIT, quiet)
  await pause(150)
  assert.is(failed(), undefined)
  assert.is(call.deadline, Infinity)
  answer()
  await asked
  assert.ok(call.deadline > Date.now() + 30, 'anew')
  assert.is((await late(failed)).code, 'GH_UPSTREAM_TIMEOUT')
})

test('the time of questions that wait side by side is given back once, not for each', async () => {
  const { conversation, answer } = client()
  const now = Date.now()
  const { call } = begin({ deadline: now + 10_000, hardDeadline: now + 10_000, conversation })
  const both = [call.ask(ELICIT, quiet), call.ask(ELICIT, quiet)]
  await pause(100)
  answer()
  await both[0]
  assert.is(call.deadline, Infinity, 'one still waits')
  answer()
  await Promise.all(both)
  // Time that no question waits counts: so the end moves no further.
  await pause(150)
  call.hold()()
  const given = call.deadline - (now + 10_000)
  assert.ok(given >= 90 && given < 190, `${given}`)
})

test('without a hard deadline a question still stops the clock for as long as it waits', async () => {
  const { conversation, answer } = client()
  const { call, failed } = begin({ deadline: Date.now() + 40, conversation })
  const asked = call.ask(ELICIT, quiet)
  await pause(90)
  assert.is(failed(), undefined)
  answer()
  await asked
  assert.is((await late(failed)).code, 'GH_UPSTREAM_TIMEOUT')
})

test('a call whose clock was held from outside goes on with its whole span', async () => {
  const { conversation } = client()
  const { calls, failed } = begin({ deadline: Date.now() + 50, hardDeadline: Date.now() + 60, conversation })
  const release = calls.hold()
  await pause(120)
  assert.is(failed(), undefined)
  release()
  assert.is((await late(failed)).code, 'GH_UPSTREAM_TIMEOUT')
})

test('a call that cannot be asked is not held', async () => {
  const { calls, failed } = begin({ deadline: Date.now() + 30 })
  const release = calls.hold()
  assert.is((await late(failed)).code, 'GH_UPSTREAM_TIMEOUT')
  release()
})

test('a call that ends takes its questions back, and a release after it changes nothing', async () => {
  const { conversation } = client()
  const taken: boolean[] = []
  const onQuestion: Conversation['onQuestion'] = (_, signal) =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => (taken.push(true), resolve({ error: { code: 1, message: '' } }))),
    )
  const { calls, call } = begin({ conversation: { ...conversation, onQuestion } })
  const release = calls.hold()
  const asked = [call.ask(ELICIT, quiet), call.ask(ELICIT, quiet)]
  calls.end(call)
  await Promise.all(asked)
  assert.equal(taken, [true, true])
  release()
  assert.is(calls.size, 0)
})

test('only the call that asked for progress hears it, under its own token', () => {
  const calls = createCalls('crm')
  const heard: JsonObject[] = []
  const told = (progressToken?: string | number) =>
    calls.begin(
      makeRequest({
        ...(progressToken === undefined ? {} : { progressToken }),
        onNotification: (note) => void heard.push(note),
      }),
      () => undefined,
    )
  const [zero, none] = [told(0), told()]
  const note = (token: unknown) => ({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: token, progress: 1 } }) as never // prettier-ignore
  assert.ok(calls.progress(note(zero.id)))
  assert.ok(calls.progress(note(none.id)))
  for (const stranger of [99, '0', String(zero.id), null]) assert.not(calls.progress(note(stranger)))
  assert.equal(
    heard.map(({ params }) => (params as JsonObject)['progressToken']),
    [0],
  )
})

test.run()
