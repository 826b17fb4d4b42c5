import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createCompletions } from '../bridge/completions.js'
import { createParkedCalls } from '../bridge/parked-calls.js'
import { createRequestStates, REQUEST_STATE } from '../bridge/request-state.js'
import type { Inspected, LegacySession } from '../call.js'
import type { Snapshot } from '../domain/snapshot.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import type { Ask } from '../mcp/questions.js'
import { META } from '../mcp/versions.js'
import { abilityOf } from '../upstream/ability.js'
import { plan } from '../upstream/catalog-testing.js'
import type { UpstreamReply, UpstreamRequest, Upstreams } from '../upstream/types.js'
import { masterKey } from '../vault/keys.js'
import { createTokenSealer } from '../vault/seal-token.js'
import { createErrands } from '../upstream/errands.js'
import { createForward, type Aside } from './forward.js'
import { routed } from './testing.js'

const ABLE = abilityOf({ elicitation: {}, sampling: {} }, '2025-11-25')
const SIZES = { httpStatus: 200, bytesSent: 1, bytesReceived: 2 }
const ok = (result: JsonObject, era: 'modern' | 'legacy' = 'modern'): UpstreamReply => ({
  result,
  error: null,
  era,
  ...SIZES,
})
const ASKS = {
  resultType: 'input_required',
  inputRequests: { k: { method: 'elicitation/create', params: { message: '?' } } },
}
const SESSION = { id: 's', version: '2025-11-25', logLevel: null } as unknown as LegacySession
const YES: Ask = async () => ({ result: { action: 'accept' } })

const states = createRequestStates(createTokenSealer([masterKey(Buffer.alloc(32, 1))], REQUEST_STATE))

/** A call before a server that gives these replies; `aside` is what rules make of what passes beside it. */
function bench(
  replies: readonly (UpstreamReply | Error)[],
  facts: Partial<Inspected> = {},
  aside: Partial<Aside> = {},
) {
  const sent: UpstreamRequest[] = []
  const left = [...replies]
  const upstreams = {
    async request(_target: unknown, request: UpstreamRequest) {
      sent.push(request)
      const reply = left.shift() ?? ok({ resultType: 'complete', content: [] })
      if (reply instanceof Error) throw reply
      return reply
    },
  } as unknown as Upstreams
  const parked = createParkedCalls()
  const gateway = plan(['crm'])
  const current = () => ({ gateways: new Map([[gateway.gateway.id, gateway]]) }) as unknown as Snapshot
  const errands = createErrands({ current, credentials: { access: () => ({ target: () => ({}) as never }) } })
  const forward = createForward({
    upstreams,
    parked,
    states,
    completions: createCompletions(),
    replica: 'r1r1',
    limits: () => ({ call: 1_000, callTotal: 5_000 }),
    definitionNow: async () => null,
    errands,
    stillEnters: async () => true,
    pulseMs: 1,
  })
  const params = facts.params ?? { name: 'act', arguments: {} }
  const base = routed(gateway, 'act', { era: 'legacy', ask: YES, params })
  const target = {
    server: base.feature.assignment.server,
    key: 'public',
    ability: ABLE,
    secrets: async () => ({ headers: {}, env: {} }),
  }
  const call = {
    ...base,
    room: 'inspected',
    session: SESSION,
    upstreamParams: params,
    ability: ABLE,
    target,
    ...facts,
  } as Inspected
  const asides = { onNote: null, question: async (q: never) => q, answer: async (a: never) => a, ...aside } as Aside
  const run = () => forward(call, asides)
  const refused = () => run().then(() => null, (thrown: unknown) => asGatehouseError(thrown)) // prettier-ignore
  const legs = () => call.trail.close('proxy_response_success', 200, null).legs.map(({ type, error }) => [type, error])
  return { sent, run, refused, legs, parked }
}
const SENT = ['mcp_request_success', null]
const ANSWERED = ['mcp_response_success', null]

test('a call leaves the two legs in the middle, however many rounds it takes', async () => {
  const { run, legs, sent } = bench([ok(ASKS), ok({ ...ASKS, requestState: 'x' })])
  await run()
  assert.is(sent.length, 3)
  assert.equal(legs(), [SENT, ANSWERED])
})

test('a state that is refused reaches no server, and no leg says that it did', async () => {
  const params = { name: 'act', requestState: 'gh1.xxxx.xxxx', _meta: { [META.version]: '2026-07-28' } }
  const { refused, legs, sent } = bench([], { era: 'modern', session: null, params })
  assert.is((await refused())?.code, 'GH_FORWARD_STATE')
  assert.equal([legs(), sent], [[], []])
})

test('a question that a rule blocks was an answer of its server, and the block is none of its legs', async () => {
  const blocked = async () => {
    throw new GatehouseError('GH_INSPECT_BLOCKED', { message: 'rule' })
  }
  const { refused, legs } = bench([ok(ASKS)], {}, { question: blocked })
  assert.is((await refused())?.code, 'GH_INSPECT_BLOCKED')
  assert.equal(legs(), [SENT, ANSWERED])
})

test('a client that does not answer is no failure of its server', async () => {
  const sampling = {
    resultType: 'input_required',
    inputRequests: { k: { method: 'sampling/createMessage', params: {} } },
  }
  const ask: Ask = () => Promise.reject(new GatehouseError('GH_FORWARD_UNANSWERED'))
  const { refused, legs } = bench([ok(sampling)], { ask })
  assert.is((await refused())?.code, 'GH_FORWARD_UNANSWERED')
  assert.equal(legs(), [SENT, ANSWERED])
})

test('a server that asks beyond what its client declared has answered wrongly', async () => {
  const roots = { resultType: 'input_required', inputRequests: { k: { method: 'roots/list' } } }
  const { refused, legs } = bench([ok(roots)])
  assert.is((await refused())?.code, 'GH_FORWARD_CAPABILITY')
  assert.equal(legs(), [SENT, ['mcp_response_error', 'GH_FORWARD_CAPABILITY']])
})

test('a failure of the server is one of its answer, unless nothing was sent', async () => {
  const late = bench([new GatehouseError('GH_UPSTREAM_TIMEOUT')])
  await late.refused()
  assert.equal(late.legs(), [SENT, ['mcp_response_error', 'GH_UPSTREAM_TIMEOUT']])
  const unsent = bench([new GatehouseError('GH_UPSTREAM_UNREACHABLE', { data: { retryable: true } })])
  await unsent.refused()
  assert.equal(unsent.legs(), [['mcp_request_error', 'GH_UPSTREAM_UNREACHABLE']])
})

test('fields of the modern era mean nothing between two sides of the legacy one', async () => {
  const { run } = bench([ok({ ...ASKS, requestState: 'seen by no rule', content: [] }, 'legacy')])
  const { reply } = await run()
  assert.not('resultType' in (reply.result ?? {}))
  assert.is(reply.result?.requestState, 'seen by no rule', 'what remains is text to the rules')
})

test('a legacy client says nothing in the words of the other era, where no rule would look', async () => {
  const params = { name: 'act', arguments: {}, requestState: 'secret', inputResponses: {}, 'x-unknown': 1 }
  const { run, sent } = bench([], { params })
  await run()
  assert.equal(sent[0]?.params, { name: 'act', arguments: {}, 'x-unknown': 1 })
})

test('each round of questions has a call’s whole time', async () => {
  const { run, sent } = bench([ok(ASKS)], { deadline: Date.now() + 10 })
  await run()
  assert.ok((sent[0]?.deadline ?? 0) < Date.now() + 100)
  assert.ok((sent[1]?.deadline ?? 0) > Date.now() + 500)
})

test('a client that gave a progress token hears under it that its call waits for an answer', async () => {
  const heard: JsonObject[] = []
  let answer: () => void = () => undefined
  const ask: Ask = () => new Promise((resolve) => (answer = () => resolve({ result: { action: 'accept' } })))
  const params = { name: 'act', _meta: { progressToken: 7 } }
  const onNote = (note: JsonObject) => (heard.push(note), answer())
  const { run } = bench([ok(ASKS)], { ask, params }, { onNote })
  await run()
  const tokens = heard.map(({ params: told }) => (told as JsonObject).progressToken)
  assert.equal(tokens.slice(0, 1), [7])
})

test('a kind of result that was not agreed on is refused', async () => {
  const { refused } = bench([ok({ resultType: 'task', taskId: 't' })])
  assert.is((await refused())?.code, 'GH_UPSTREAM_PROTOCOL')
})

test.run()
