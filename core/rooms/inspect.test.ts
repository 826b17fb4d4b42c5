import { modify, pass, type JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Answered, Inspected, Permitted } from '../call.js'
import type { GatehouseError } from '../errors.js'
import type { Question } from '../mcp/questions.js'
import type { Rules } from '../rules/rules.js'
import { busWith, PRINCIPAL } from './testing.js'
import { createInspect, type InspectOptions } from './inspect.js'

const RECEIPTS = [{}] as never
const passed = { kind: 'pass', receipts: RECEIPTS, alerts: [], recorded: [] } as const

/** Rules that turn `secret` into `***` in every text. */
const masking = {
  inspectRequest: () => passed,
  inspectResponse: (_rules: unknown, _subject: unknown, result: JsonObject) => {
    const message = JSON.parse(JSON.stringify(result).replaceAll('secret', '***')) as JsonObject
    return { kind: 'changed', message, receipts: RECEIPTS, alerts: [], recorded: [] }
  },
} as unknown as Rules

const inspectWith = (rules: Rules) =>
  createInspect({
    rules,
    bus: { has: () => false } as unknown as InspectOptions['bus'],
    raise: () => undefined,
    seal: () => null,
    publicResult: (_call, result) => result,
  })

function callOf(facts: object) {
  const kept: (string | null)[] = []
  const ruled: unknown[] = []
  const trail = {
    request: (text: string | null) => kept.push(text),
    ruled: (receipts: readonly unknown[]) => ruled.push(...receipts),
  }
  const feature = { kind: 'tool', name: 't', assignment: { prefix: 's', server: { slug: 's' } } }
  return {
    kept,
    ruled,
    call: {
      plan: { rules: [], gateway: { capture: 'none' } },
      feature,
      trail,
      method: 'tools/call',
      notify: null,
      ...facts,
    },
  }
}

test('a request that rules passed is recorded as they read it, not as it was spelt', () => {
  const text = '{"params":{"arguments":{"a":"secret","a":"x"}}}'
  const upstreamParams = { arguments: { a: 'x' } }
  const { call, kept } = callOf({ text, upstreamParams })
  void inspectWith(masking).request(call as unknown as Permitted)
  assert.equal(kept, ['{"method":"tools/call","params":{"arguments":{"a":"x"}}}'])
})

test('a request that no rule looked at is recorded as it came', () => {
  const unlooked = { ...masking, inspectRequest: () => ({ ...passed, receipts: [] }) } as unknown as Rules
  const { call, kept } = callOf({ text: 'as it came', upstreamParams: {} })
  void inspectWith(unlooked).request(call as unknown as Permitted)
  assert.equal(kept, ['as it came'])
})

test('an error that a rule left without words keeps its code and has words of ours', async () => {
  const emptied = { kind: 'changed', message: { structuredContent: {} }, receipts: RECEIPTS, alerts: [], recorded: [] }
  const { call } = callOf({ reply: { result: null, error: { code: -32000, message: 'secret' } } })
  const emptying = { inspectResponse: () => emptied } as unknown as Rules
  const released = await inspectWith(emptying).response(call as unknown as Answered)
  assert.equal(released.error, { code: -32000, message: 'The server answered an error' })
})

test('every field of an error is inspected', async () => {
  const error = { code: -32000, message: 'secret', data: { s: 'secret' }, extra: 'secret' }
  const { call } = callOf({ reply: { result: null, error } })
  const released = await inspectWith(masking).response(call as unknown as Answered)
  assert.equal(released.error, { code: -32000, message: '***', data: { s: '***' }, extra: '***' })
})

test('a note goes on with its inspected params and nothing beside them', async () => {
  const notes: JsonObject[] = []
  const { call } = callOf({ notify: (note: JsonObject) => notes.push(note) })
  const relay = inspectWith(masking).relay(call as unknown as Inspected)
  const aside = { jsonrpc: '2.0', extra: 'secret' }
  relay.onNote?.({ ...aside, method: 'notifications/message', params: { data: 'secret' } })
  relay.onNote?.({ ...aside, method: 'notifications/other' })
  await relay.settled()
  assert.equal(notes, [
    { jsonrpc: '2.0', method: 'notifications/message', params: { data: '***' } },
    { jsonrpc: '2.0', method: 'notifications/other' },
  ])
})

test('a note that is none of the protocol goes no further', async () => {
  const notes: JsonObject[] = []
  const { call } = callOf({ notify: (note: JsonObject) => notes.push(note) })
  const relay = inspectWith(masking).relay(call as unknown as Inspected)
  for (const params of [7, 'x', [1], true]) relay.onNote?.({ method: 'notifications/message', params })
  relay.onNote?.({ method: '', params: {} })
  relay.onNote?.({ method: 'notifications/message', params: null })
  await relay.settled()
  assert.equal(notes, [{ jsonrpc: '2.0', method: 'notifications/message' }])
})

test('what rules did to notes stands on record with the answer', async () => {
  const { call, ruled } = callOf({ notify: () => undefined })
  const relay = inspectWith(masking).relay(call as unknown as Inspected)
  relay.onNote?.({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'secret' } })
  relay.onNote?.({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'secret' } })
  await relay.settled()
  assert.is(ruled.length, 2)
})

const ASKED: Question = { method: 'elicitation/create', params: { message: 'Your secret?' } }

/** Rules whose receipts tell which leg they looked at. */
const telling = (blocks = false) => {
  const look = (leg: string) => (_rules: unknown, _subject: unknown, message: JsonObject) => {
    const receipts = [{ hook: leg, verdict: 'modify' }]
    if (blocks) return { kind: 'blocked', blockedBy: { name: 'No' }, reason: '', receipts, alerts: [], recorded: [] }
    const changed = JSON.parse(JSON.stringify(message).replaceAll('secret', '***')) as JsonObject
    return { kind: 'changed', message: changed, receipts, alerts: [], recorded: [] }
  }
  return { inspectRequest: look('request'), inspectResponse: look('response') } as unknown as Rules
}

test('what rules did to a question stands on record with the answer of the call, to its answer with the request', async () => {
  for (const notify of [null, () => undefined]) {
    const { call, ruled } = callOf({ notify })
    const relay = inspectWith(telling()).relay(call as unknown as Inspected)
    assert.equal(await relay.question(ASKED), { ...ASKED, params: { message: 'Your ***?' } })
    assert.equal(ruled, [])
    assert.equal(await relay.answer({ result: { x: 'secret' } }), { result: { x: '***' } })
    assert.equal(ruled, [{ hook: 'request', verdict: 'modify' }])
    await relay.settled()
    assert.equal(ruled.at(-1), { hook: 'response', verdict: 'modify' })
  }
})

test('a question that a rule blocks is not asked; the error names the rule and nothing of the question', async () => {
  const { call, ruled } = callOf({})
  const relay = inspectWith(telling(true)).relay(call as unknown as Inspected)
  const error = (await relay.question(ASKED).catch((thrown: unknown) => thrown)) as GatehouseError
  assert.is(error.code, 'GH_INSPECT_BLOCKED')
  assert.match(error.message, "'No'")
  assert.not.match(JSON.stringify([error.message, error.data]), 'secret')
  assert.equal(ruled, [], 'the legs to the server and back are not the ones that it ended')
  await relay.settled()
  assert.is(ruled.length, 1)
})

test('what a client tells of a question is looked at like its answer, and blocked alone', async () => {
  const { call, ruled } = callOf({})
  const relay = inspectWith(telling()).relay(call as unknown as Inspected)
  assert.equal(await relay.progress({ progress: 1, message: 'a secret' }), { progress: 1, message: 'a ***' })
  assert.equal(ruled, [{ hook: 'request', verdict: 'modify' }])
  const blocking = inspectWith(telling(true)).relay(callOf({}).call as unknown as Inspected)
  assert.is(await blocking.progress({ progress: 1, message: 'a secret' }), null)
})

test('a server that asks without end fills no record', async () => {
  const { call, ruled } = callOf({})
  const relay = inspectWith(telling()).relay(call as unknown as Inspected)
  for (let n = 0; n < 300; n += 1) {
    await relay.question(ASKED)
    await relay.answer({ result: {} })
  }
  await relay.settled()
  assert.ok(ruled.length <= 200, `${ruled.length}`)
})

test('the words of a refusal are looked at, and its data does not pass', async () => {
  const { call } = callOf({})
  const relay = inspectWith(telling()).relay(call as unknown as Inspected)
  assert.equal(await relay.answer({ error: { code: -7, message: 'a secret', data: 'secret' } }), {
    error: { code: -7, message: 'a ***' },
  })
})

test('a server that talks faster than rules can follow is held up, and loses nothing', async () => {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const heard: JsonObject[] = []
  const { call } = callOf({ notify: (note: JsonObject) => heard.push(note), flow: null })
  const slow = { ...masking, inspectResponse: () => held.then(() => ({ ...passed, receipts: [] })) } as unknown as Rules
  const relay = inspectWith(slow).relay(call as unknown as Inspected)
  for (let n = 0; n < 1_000; n += 1) relay.onNote?.({ jsonrpc: '2.0', method: 'x', params: { n } })
  assert.ok(relay.flow?.full)
  release()
  await relay.flow?.drained()
  await relay.settled()
  assert.is(heard.length, 1_000)
})

test('a question that plugins made into something else is not asked, nor such an answer passed on', async () => {
  const rules = { inspectRequest: () => passed, inspectResponse: () => passed } as unknown as Rules
  const identity = {
    principal: PRINCIPAL,
    era: 'legacy',
    upstreamParams: { name: 't' },
    plan: { rules: [], gateway: {} },
  }
  const { call } = callOf({ ...identity, gone: { signal: () => new AbortController().signal } })
  const trail = { ...call.trail, correlationId: 'c' }
  for (const left of [
    {},
    { inputRequests: { other: ASKED } as never, inputResponses: { other: {} } },
    { inputRequests: { question: { ...ASKED, method: 'roots/list' } } as never, inputResponses: { question: 'x' } },
    { inputRequests: { question: { ...ASKED, params: [] } } as never, inputResponses: { question: null } },
  ]) {
    const bus = busWith((registry) => {
      registry.add('bends', 'feature.response', () => modify({ result: left }), 'normal')
      registry.add('bends', 'feature.request', () => modify({ params: left }), 'normal')
    })
    const inspect = createInspect({
      rules,
      bus,
      raise: () => undefined,
      seal: () => null,
      publicResult: (_call, result) => result,
    })
    const relay = inspect.relay({ ...call, trail } as unknown as Inspected)
    const codes = [relay.question(ASKED), relay.answer({ result: {} })].map((promise) =>
      promise.then(
        () => 'passed',
        ({ code }: GatehouseError) => code,
      ),
    )
    assert.equal(await Promise.all(codes), ['GH_INSPECT_BLOCKED', 'GH_INSPECT_BLOCKED'])
  }
})

test('plugins see a question without params, the call that it is of, and the words of a refusal', async () => {
  const rules = { inspectRequest: () => passed, inspectResponse: () => passed } as unknown as Rules
  const seen: unknown[] = []
  const bus = busWith((registry) => {
    registry.add('looks', 'feature.response', ({ result }) => (seen.push(result), pass()), 'normal')
    registry.add('looks', 'feature.request', ({ params }) => (seen.push(params), pass()), 'normal')
  })
  const identity = {
    principal: PRINCIPAL,
    era: 'legacy',
    upstreamParams: { name: 't' },
    plan: { rules: [], gateway: {} },
  }
  // Past its deadline: the time that a question waits does not count.
  const { call } = callOf({ ...identity, deadline: 0, gone: { signal: () => new AbortController().signal } })
  const inspect = createInspect({
    rules,
    bus,
    raise: () => undefined,
    seal: () => null,
    publicResult: (_call, result) => result,
  })
  const relay = inspect.relay({ ...call, trail: { ...call.trail, correlationId: 'c' } } as unknown as Inspected)
  assert.equal(await relay.question({ method: 'roots/list' }), { method: 'roots/list' })
  const refusal = { error: { code: -1, message: 'no' } }
  assert.equal(await relay.answer(refusal), refusal)
  assert.equal(seen, [
    { resultType: 'input_required', inputRequests: { question: { method: 'roots/list' } } },
    { name: 't', inputResponses: { question: { message: 'no' } } },
  ])
})

test('an answer that took longer than a call without questions may take is still shown to plugins', async () => {
  const seen: unknown[] = []
  const bus = busWith((registry) =>
    registry.add('looks', 'feature.response', ({ result }) => (seen.push(result), pass()), 'normal'),
  )
  const { response } = createInspect({
    rules: { ...masking, inspectResponse: () => passed } as unknown as Rules,
    bus,
    raise: () => undefined,
    seal: () => null,
    publicResult: (_call, result) => result,
  })
  const gone = { signal: () => new AbortController().signal }
  const reply = { result: { content: [] }, error: null, era: 'legacy' }
  const identity = {
    principal: { ...PRINCIPAL },
    era: 'legacy',
    version: '2025-11-25',
    gone,
    deadline: Date.now() - 60_000,
  }
  const { call } = callOf({ ...identity, reply })
  const plan = { rules: [], gateway: { id: 'g', slug: 'g' } }
  const released = await response({ ...call, plan } as unknown as Answered)
  assert.equal([released.result, seen], [{ content: [] }, [{ content: [] }]])
})

test.run()
