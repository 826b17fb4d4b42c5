import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import type { QuestionAnswer } from '../mcp/questions.js'
import type { UpstreamReply } from '../upstream/types.js'
import { makeTarget } from '../upstream/testing.js'
import { until } from '../test/until.js'
import { masterKey } from '../vault/keys.js'
import { createTokenSealer } from '../vault/seal-token.js'
import { createCompletions } from './completions.js'
import { createModernClient } from './modern-client.js'
import { createParkedCalls } from './parked-calls.js'
import { createRequestStates, REQUEST_STATE } from './request-state.js'
import { ABLE, chance, elicit, heldCall, legacyReply, legOf, ROOTS, sample, SUBJECT, trailOf } from './testing.js'

/**
 * Any order of {question, answer, cancel, close, time over, the server gives up, the server takes back} on a parked call
 * ends in one of three: answered, cancelled, lost; no answer crosses over, and nothing is left.
 */
const RUNS = 300
const STEPS = 12
const states = createRequestStates(createTokenSealer([masterKey(Buffer.alloc(32, 1))], REQUEST_STATE))
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

type End = 'answered' | 'cancelled' | 'lost'

async function run(seed: number): Promise<End> {
  const next = chance(seed)
  const limits = { person: 5 + next(60), machine: 5 + next(60) }
  const parked = createParkedCalls(() => limits)
  const send = createModernClient({ parked, states, completions: createCompletions(), replica: 'r1r1' })
  const call = heldCall()
  const asked: { readonly text: string; readonly back: Cancel; readonly answer: Promise<QuestionAnswer> }[] = []
  const used = new Set<string>()
  let leg = legOf()
  let pending: Promise<UpstreamReply> | null = null
  let latest: JsonObject | null = null
  let end: End | null = null

  const request = (params: JsonObject) => {
    leg = legOf()
    const { gone, onNote } = leg
    const target = { ...makeTarget(), ability: ABLE }
    const reply = send({
      target,
      subject: SUBJECT,
      params: { name: 'act', arguments: { a: 1 }, ...params },
      progressToken: undefined,
      wantsLog: false,
      onNote,
      gone,
      trail: trailOf(),
      send: (request) => call.send(request),
    })
    pending = reply
    reply.then(
      (given) => {
        if (pending === reply) pending = null
        if (given.result?.resultType === 'input_required') latest = given.result
        else end = 'answered'
      },
      (error: unknown) => {
        if (pending === reply) pending = null
        assert.instance(error, GatehouseError)
        const { code } = error as GatehouseError
        if (code === 'GH_UPSTREAM_CANCELLED' || code === 'GH_FORWARD_ROUNDS') end ??= 'cancelled'
        else if (code === 'GH_FORWARD_STATE') end ??= call.isCancelled || isOver ? 'lost' : null
        else assert.unreachable(code)
      },
    )
  }
  let isOver = false
  let counter = 0
  const question = () => {
    const text = `s${seed}n${(counter += 1)}`
    const back = new Cancel()
    const kind = next(3)
    const put = kind === 0 ? elicit(text) : kind === 1 ? sample(text) : ROOTS
    asked.push({ text, back, answer: call.ask(put, back) })
  }
  /** Answers with the text of what was asked, so that one that strays is known. */
  const answersTo = (result: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(result.inputRequests as Record<string, JsonObject>).flatMap(([name, entry]) =>
        next(4) === 0 ? [] : [[name, { action: 'accept', echo: JSON.stringify(entry) }]],
      ),
    )
  const retry = (from: JsonObject) => {
    const requestState = from.requestState as string
    used.add(requestState)
    request({ requestState, inputResponses: answersTo(from) })
  }

  request({})
  await turn()
  const steps: (() => unknown)[] = [
    question,
    question,
    () => asked[next(Math.max(1, asked.length))]?.back.tell(),
    () => latest !== null && pending === null && retry(latest),
    () => latest !== null && retry(latest),
    () => leg.close(),
    () => new Promise((resolve) => setTimeout(resolve, 16)),
    () => {
      isOver = true
      call.reply(legacyReply({ content: [] }))
    },
    turn,
    turn,
  ]
  for (let step = 0; step < STEPS && end === null; step += 1) {
    await (steps[next(steps.length)] as () => unknown)()
    if (next(2) === 0) await turn()
  }

  // Whatever happened: a client that comes back learns one of three things. Every third one comes too late.
  if (seed % 3 === 0 && pending === null) await until('nothing sleeps', () => parked.size === 0 || undefined)
  isOver = true
  call.reply(legacyReply({ content: [] }))
  const comesBack = () => {
    if (end === null && pending === null && latest !== null) retry(latest)
    return end ?? undefined
  }
  await until('it has ended', comesBack, { seconds: 2 })
  for (const { text, answer } of asked) {
    const given = await Promise.race([answer, turn().then(() => null)])
    if (given === null || 'error' in given || given.result.action === 'cancel') continue
    const echo = String((given.result as { echo?: string }).echo)
    assert.ok(echo.includes(text) || echo === JSON.stringify(ROOTS), `${text} was answered by ${echo}`)
  }
  await until('nothing sleeps', () => parked.size === 0 || undefined, { seconds: 2 })
  return end as unknown as End
}

test('any order of what may happen to a parked call ends it in one of three ways, and leaves nothing', async () => {
  const ends: Record<End, number> = { answered: 0, cancelled: 0, lost: 0 }
  for (let batch = 0; batch < RUNS; batch += 50) {
    const seeds = Array.from({ length: 50 }, (_, at) => batch + at + 1)
    const batchEnds = await Promise.all(
      seeds.map((seed) =>
        run(seed).catch((error: unknown) => {
          throw new Error(`seed ${seed}: ${String(error)}`, { cause: error })
        }),
      ),
    )
    for (const end of batchEnds) ends[end] += 1
  }
  for (const [end, times] of Object.entries(ends)) assert.ok(times > 3, `${end}: ${times}`)
})

test.run()
