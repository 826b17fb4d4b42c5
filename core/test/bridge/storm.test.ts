// time-limit: 120
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createCompletions } from '../../bridge/completions.js'
import { createModernClient } from '../../bridge/modern-client.js'
import { createParkedCalls, PARKED_LIMITS } from '../../bridge/parked-calls.js'
import { createRequestStates, REQUEST_STATE } from '../../bridge/request-state.js'
import { ABLE, chance, legOf, SUBJECT, trailOf } from '../../bridge/testing.js'
import { GatehouseError } from '../../errors.js'
import { makeTarget, makeUpstreams } from '../../upstream/testing.js'
import type { UpstreamReply } from '../../upstream/types.js'
import { masterKey } from '../../vault/keys.js'
import { createTokenSealer } from '../../vault/seal-token.js'
import { until } from '../until.js'
import { FORM, heldServer, text, type HeldServer } from './held-server.js'

/**
 * A storm over one legacy server: double retries, declines, clients that hang up, that walk away, servers that give up. No
 * answer crosses, one of two retries wins, and when the time of the sleepers is over nothing is left: no call asleep, no
 * session at the server, no connection.
 */
const CALLS = 120
const TTL_MS = 400
const IDLE_MS = 300

async function house(server: HeldServer) {
  const upstreams = makeUpstreams({ timing: { idle: IDLE_MS } })
  const limits = { ...PARKED_LIMITS, perUser: CALLS, perServer: CALLS, person: TTL_MS, machine: TTL_MS }
  const parked = createParkedCalls(() => limits)
  const states = createRequestStates(createTokenSealer([masterKey(Buffer.alloc(32, 1))], REQUEST_STATE))
  const send = createModernClient({ parked, states, completions: createCompletions(), replica: 'r1r1' })
  const target = { ...makeTarget({ url: server.url, protocol: 'legacy' }), ability: ABLE }
  const request = (user: string, name: string, more: JsonObject, leg = legOf()) =>
    send({
      target,
      subject: { ...SUBJECT, user, arguments: { text: name } },
      params: { name: 'act', arguments: { text: name }, ...more },
      progressToken: undefined,
      wantsLog: false,
      onNote: leg.onNote,
      gone: leg.gone,
      trail: trailOf(),
      send: (started) => {
        const deadline = Date.now() + 20_000
        return upstreams.request(target, { method: 'tools/call', deadline, hardDeadline: deadline, ...started })
      },
    })
  return { upstreams, parked, request }
}

type Request = Awaited<ReturnType<typeof house>>['request']
const codeOf = (error: unknown) => (error instanceof GatehouseError ? error.code : String(error))
const answers = (name: string, by: string): JsonObject => ({ [name]: { action: 'accept', content: { name: by } } })
const REFUSED = new Set(['GH_FORWARD_STATE', 'GH_UPSTREAM_CANCELLED'])

async function one(seed: number, server: HeldServer, request: Request): Promise<string> {
  const next = chance(seed)
  const name = `call-${seed}`
  const user = `user-${seed % 7}`
  const leg = legOf()
  const pending = request(user, name, {}, leg).catch(codeOf)
  const held = await server.call(name)
  if (next(8) === 0) {
    leg.close()
    assert.is(await pending, 'GH_UPSTREAM_CANCELLED')
    return 'hung up'
  }
  held.ask(`q-${name}`, 'elicitation/create', { ...FORM, message: name })
  const asked = (await pending) as UpstreamReply
  const [[key = '', question]] = Object.entries(asked.result?.inputRequests as JsonObject) as [
    [string, { params: JsonObject }],
  ]
  assert.is(question.params.message, name, 'its own question')
  const retry = () =>
    request(user, name, {
      inputResponses: answers(key, name),
      requestState: asked.result?.requestState as string,
    }).catch(codeOf)
  switch (next(5)) {
    case 0:
      return 'walked away'
    case 1: {
      held.answer({ ...text('gave up'), isError: true })
      const end = await retry()
      if (typeof end === 'string') assert.ok(REFUSED.has(end), end)
      return 'server gave up'
    }
    case 2: {
      const both = [retry(), retry()]
      const taken = await server.answered(`q-${name}`)
      assert.equal((taken['result'] as JsonObject | undefined)?.['content'], { name })
      held.answer(text(name))
      const ends = await Promise.all(both)
      assert.is(ends.filter((end) => typeof end !== 'string').length, 1, 'one winner')
      return 'twice'
    }
    default: {
      const end = retry()
      const taken = await server.answered(`q-${name}`)
      assert.equal((taken['result'] as JsonObject | undefined)?.['content'], { name })
      held.answer(text(name))
      assert.equal(((await end) as UpstreamReply).result, text(name))
      return 'answered'
    }
  }
}

test('a storm of calls leaves nothing behind, and crosses nothing', async () => {
  const server = await heldServer({ stands: true })
  const { upstreams, parked, request } = await house(server)
  const ends = await Promise.all(Array.from({ length: CALLS }, (_, at) => one(at + 1, server, request)))
  assert.ok(new Set(ends).size === 5, `${[...new Set(ends)]}`)
  await until('nobody sleeps', () => parked.size === 0 || undefined)
  const walked = ends.filter((end) => end === 'walked away').length
  const cancelled = () => server.seen.filter(({ body }) => body['method'] === 'notifications/cancelled').length
  await until('those who walked away are taken back', () => cancelled() >= walked || undefined)
  // Idle sessions are ended one by one, without anybody calling.
  await until('no session is left', () => server.sessions().length === 0 || undefined)
  await upstreams.stop()
  await server.stop()
  const held = () =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap' || kind === 'TCPServerWrap')
  await until('no connection is left', () => held().length === 0 || undefined)
})

test('a stop of the house ends what sleeps, at once', async () => {
  const server = await heldServer()
  const { upstreams, parked, request } = await house(server)
  const pending = request('me', 'asleep', {})
  const held = await server.call('asleep')
  held.ask('q', 'elicitation/create', FORM)
  await pending
  assert.is(parked.size, 1)
  parked.stop()
  await server.cancelled(held)
  await upstreams.stop()
  assert.equal(server.sessions(), [])
  await server.stop()
})

test.run()
