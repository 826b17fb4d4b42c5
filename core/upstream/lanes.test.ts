import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import { parseJson } from '../mcp/json.js'
import type { QuestionAnswer } from '../mcp/questions.js'
import { PRINCIPAL } from '../rooms/testing.js'
import { until } from '../test/until.js'
import { abilityOf, NO_ABILITY, type Ability } from './ability.js'
import type { UpstreamsOptions } from './options.js'
import {
  answerJson,
  failure,
  legacyFake,
  makeRequest,
  makeTarget,
  makeUpstreams,
  sendEvent,
  startStream,
} from './testing.js'
import type { FakeServer, Seen } from './testing.js'
import type { Conversation, Party, UpstreamRequest } from './types.js'

const ABLE = abilityOf({ elicitation: {}, roots: { listChanged: true } }, '2025-11-25')
const FOLDERLESS = abilityOf({ elicitation: {} }, '2025-11-25')
const isCall = ({ body }: Seen) => body['method'] === 'tools/call'
const sessionOf = ({ headers }: Seen) => String(headers['mcp-session-id'])
const party = (sessionId: string): Party => ({ sessionId, gatewayId: 'g', principal: PRINCIPAL })

interface Server extends FakeServer {
  /** Calls that were neither answered nor taken back, by the text that they were made with. */
  readonly open: ReadonlyMap<string, Seen>
  /** Sends something on the stream of a session. */
  push(session: string, message: object): void
  answer(name: string): void
  /** The sessions that were opened and not ended. */
  sessions(): readonly string[]
}

/** A legacy server that holds its calls until it is told to answer, with a standing stream for each session. */
async function server(): Promise<Server> {
  const streams = new Map<string, Seen>()
  const open = new Map<string, Seen>()
  const fake = await legacyFake((seen) => {
    if (seen.verb === 'GET') {
      streams.set(sessionOf(seen), seen)
      startStream(seen)
    } else if (isCall(seen))
      open.set(((seen.body['params'] as JsonObject)['arguments'] as JsonObject)['text'] as string, seen)
    else if ('id' in seen.body && 'method' in seen.body) answerJson(seen, { result: {} })
    else seen.res.writeHead(202).end()
  })
  return {
    ...fake,
    open,
    push: (session, message) => sendEvent(streams.get(session) as Seen, message),
    answer(name) {
      const seen = open.get(name) as Seen
      open.delete(name)
      answerJson(seen, { result: { content: [{ type: 'text', text: name }] } })
    },
    sessions() {
      const opened = fake.seen.filter(({ body }) => body['method'] === 'initialize').map((_, at) => `s${at + 1}`)
      const ended = new Set(fake.seen.filter(({ verb }) => verb === 'DELETE').map(sessionOf))
      return opened.filter((session) => !ended.has(session))
    },
  }
}

async function bench(options: Partial<UpstreamsOptions> = {}) {
  const fake = await server()
  const upstreams = makeUpstreams(options)
  const target = (ability: Ability = ABLE, key = 'public') => ({
    ...makeTarget({ url: fake.url, protocol: 'legacy' }),
    ability,
    key,
  })
  const request = (
    text: string,
    conversation: Conversation,
    more: Partial<UpstreamRequest> & { ability?: Ability; key?: string } = {},
  ) => {
    const { ability, key, ...rest } = more
    const params = { name: 'act', arguments: { text } }
    return upstreams.request(
      target(ability, key),
      makeRequest({ params, deadline: Date.now() + 10_000, conversation, ...rest }),
    )
  }
  const begun = async (...names: string[]) => {
    await until(`${names.join()} are there`, () => names.every((name) => fake.open.has(name)) || undefined)
    return names.map((name) => sessionOf(fake.open.get(name) as Seen))
  }
  const stop = async () => {
    await upstreams.stop()
    await fake.stop()
  }
  return { fake, upstreams, request, begun, stop, target }
}

const talk = (
  whose: string,
  of: Party | null = null,
  answer: QuestionAnswer = { result: { by: whose } },
): Conversation => ({
  party: of,
  whose,
  onQuestion: async () => answer,
})

test('each call of a modern client has a session of its own while it is under way, used again by its own kind', async () => {
  const { fake, request, begun, stop } = await bench()
  const first = [request('a', talk('me')), request('b', talk('me'))]
  const [a, b] = await begun('a', 'b')
  assert.is.not(a, b)
  fake.answer('a')
  await first[0]
  const third = request('c', talk('me'))
  assert.equal(await begun('c'), [a])
  fake.answer('b')
  fake.answer('c')
  await Promise.all([...first, third])
  await stop()
})

test('a session that served one principal never serves another, nor another credential or ability', async () => {
  const { fake, request, begun, stop } = await bench()
  const used = new Set<string>()
  for (const [name, whose, more] of [
    ['a', 'me', {}],
    ['b', 'you', {}],
    ['c', 'me', { key: 'identity-2' }],
    ['d', 'me', { ability: FOLDERLESS }],
  ] as const) {
    const call = request(name, talk(whose), more)
    const [session = ''] = await begun(name)
    assert.not(used.has(session), `${name} has a session of its own`)
    used.add(session)
    fake.answer(name)
    await call
  }
  await stop()
})

test('questions that name no call reach the client of their own call, whoever else calls', async () => {
  const { fake, request, begun, stop } = await bench()
  const names = Array.from({ length: 40 }, (_, at) => `call-${at}`)
  const calls = names.map((name) => request(name, talk(`user-${name}`)))
  const sessions = await begun(...names)
  assert.is(new Set(sessions).size, 40)
  names.forEach((name, at) =>
    fake.push(sessions[at] as string, { id: name, method: 'elicitation/create', params: { message: name } }),
  )
  for (const name of names) {
    const { body } = await fake.waitFor(({ body: sent }) => sent['id'] === name && 'result' in sent)
    assert.equal(body['result'], { by: `user-${name}` })
    fake.answer(name)
  }
  await Promise.all(calls)
  await stop()
})

test('a question behind the answer of its call reaches nobody', async () => {
  const asked: string[] = []
  const { fake, request, begun, stop } = await bench()
  const mine: Conversation = { party: null, whose: 'me', onQuestion: async () => (asked.push('me'), { result: {} }) }
  const call = request('a', mine)
  const [session = ''] = await begun('a')
  fake.answer('a')
  await call
  const other = request('b', talk('you'))
  await begun('b')
  fake.push(session, { id: 'late', method: 'elicitation/create', params: { message: 'late' } })
  const { body } = await fake.waitFor(({ body: sent }) => sent['id'] === 'late')
  assert.is((body['error'] as JsonObject)['code'], -32601)
  assert.equal(asked, [])
  fake.answer('b')
  await other
  await stop()
})

test('a log note on the stream of a session is heard by the call that has the session to itself', async () => {
  const heard: JsonObject[] = []
  const { fake, request, begun, stop } = await bench({ onSessionQuestion: async () => ({ result: {} }) })
  const onNotification = (note: JsonObject) => void heard.push(note)
  const calls = [request('a', talk('me'), { onNotification }), request('b', talk('s', party('s')), { onNotification })]
  const [a = '', b = ''] = await begun('a', 'b')
  const log = (data: string) => ({ method: 'notifications/message', params: { level: 'info', data } })
  fake.push(b, log('of a session, which has a stream of its own for it'))
  fake.push(a, log('of the call'))
  await until('it is heard', () => heard[0])
  fake.answer('a')
  fake.answer('b')
  await Promise.all(calls)
  assert.equal(heard, [{ jsonrpc: '2.0', ...log('of the call') }])
  await stop()
})

test('progress of a call that is over, or was never made, reaches nobody: its token could be another’s', async () => {
  const told: JsonObject[] = []
  const heard: JsonObject[] = []
  const { fake, request, begun, stop } = await bench({ onServerNote: (_target, note) => void told.push(note) })
  const onNotification = (note: JsonObject) => void heard.push(note)
  const call = request('a', talk('s', party('s')), { onNotification, progressToken: 'mine' })
  const [session = ''] = await begun('a')
  const progress = (progressToken: unknown) => ({
    method: 'notifications/progress',
    params: { progressToken, progress: 1 },
  })
  const own = fake.open.get('a')?.body['id'] as number
  fake.push(session, progress(own))
  fake.push(session, progress(own + 1))
  await until('its own is heard', () => heard[0])
  fake.answer('a')
  await call
  fake.push(session, progress(own))
  fake.push(session, { method: 'notifications/other' })
  await until('what came after it is told', () => told.find(({ method }) => method === 'notifications/other'))
  assert.equal(told.length, 1)
  assert.equal(
    heard.map(({ params }) => (params as JsonObject)['progressToken']),
    ['mine'],
  )
  await stop()
})

test('a call that is given up takes its session with it, whatever it would still ask', async () => {
  const { fake, request, begun, stop } = await bench()
  const gone = new Cancel()
  const call = failure(request('a', talk('me'), { signal: gone }))
  const [session = ''] = await begun('a')
  gone.tell()
  assert.is((await call).code, 'GH_UPSTREAM_CANCELLED')
  const { body } = await fake.waitFor(({ body: sent }) => sent['method'] === 'notifications/cancelled')
  assert.is((body['params'] as JsonObject)['requestId'], fake.open.get('a')?.body['id'])
  await until('its session is ended', () => !fake.sessions().includes(session) || undefined)
  await stop()
})

test('no more than eight sessions of a kind stay for the next call', async () => {
  const { fake, request, begun, stop } = await bench()
  const names = Array.from({ length: 20 }, (_, at) => `call-${at}`)
  const calls = names.map((name) => request(name, talk('me')))
  await begun(...names)
  for (const name of names) fake.answer(name)
  await Promise.all(calls)
  // The shared one, and those.
  await until('the others are ended', () => fake.sessions().length === 9 || undefined)
  await stop()
  assert.equal(fake.sessions(), [])
})

test('what is idle for long is closed and forgotten, a session of a client too', async () => {
  const { fake, upstreams, request, begun, stop } = await bench({ timing: { idle: 60, pairedIdle: 60 } })
  const calls = [request('a', talk('me')), request('b', talk('s', party('s')))]
  await begun('a', 'b')
  fake.answer('a')
  fake.answer('b')
  await Promise.all(calls)
  await until('all are ended', () => fake.sessions().length === 0 || undefined)
  upstreams.toldBySession('s', { jsonrpc: '2.0', method: 'notifications/roots/list_changed' })
  upstreams.endSession('s')
  const again = request('c', talk('me'))
  await begun('c')
  fake.answer('c')
  await again
  await stop()
})

test('a client session has one session at the server, for all its calls, until it ends', async () => {
  const { fake, upstreams, request, begun, stop } = await bench()
  const calls = [request('a', talk('s', party('s'))), request('b', talk('s', party('s')))]
  const other = request('c', talk('t', party('t')))
  const [a = '', b, c = ''] = await begun('a', 'b', 'c')
  assert.is(a, b)
  assert.is.not(a, c)
  fake.answer('a')
  await calls[0]
  upstreams.endSession('s')
  fake.answer('b')
  await calls[1]
  await until('it is ended', () => !fake.sessions().includes(a) || undefined)
  assert.ok(fake.sessions().includes(c))
  fake.answer('c')
  await other
  await stop()
})

test('all sessions that a client session has at a server end with it, whatever they were told that it can', async () => {
  const { fake, upstreams, request, begun, stop } = await bench()
  const calls = [ABLE, NO_ABILITY].map((ability, at) => request(`${at}`, talk('s', party('s')), { ability }))
  const sessions = await begun('0', '1')
  assert.is(new Set(sessions).size, 2)
  fake.answer('0')
  fake.answer('1')
  await Promise.all(calls)
  upstreams.endSession('s')
  await until('they are ended', () => !fake.sessions().some((session) => sessions.includes(session)) || undefined)
  await stop()
})

test('a change of folders is told to the sessions of that client which know of folders, and to no others', async () => {
  const { fake, upstreams, request, begun, stop } = await bench()
  const calls = [
    request('a', talk('s', party('s'))),
    request('b', talk('s', party('s')), { ability: FOLDERLESS }),
    request('c', talk('t', party('t'))),
    request('d', talk('me')),
  ]
  const [a] = await begun('a', 'b', 'c', 'd')
  upstreams.toldBySession('s', { jsonrpc: '2.0', method: 'notifications/roots/list_changed' })
  const isNote = ({ body }: Seen) => body['method'] === 'notifications/roots/list_changed'
  await fake.waitFor(isNote)
  for (const name of ['a', 'b', 'c', 'd']) fake.answer(name)
  await Promise.all(calls)
  assert.equal(fake.seen.filter(isNote).map(sessionOf), [a])
  await stop()
})

test('what a session asks outside of its calls is asked of its client, with the calls held until it is answered', async () => {
  const asked: string[] = []
  let settle: (answer: QuestionAnswer) => void = () => undefined
  const { fake, request, begun, stop } = await bench({
    onSessionQuestion: (of, _, { method }) => {
      asked.push(`${of.sessionId} ${method}`)
      return new Promise((resolve) => (settle = resolve))
    },
  })
  const deadline = Date.now() + 400
  const calls = [
    request('a', talk('s', party('s')), { deadline, hardDeadline: deadline + 5_000 }),
    request('b', talk('s', party('s'))),
  ]
  const [session = ''] = await begun('a', 'b')
  fake.push(session, { id: 0, method: 'elicitation/create', params: { message: 'Whose?' } })
  await until('it is asked', () => asked[0])
  await until('the deadline is over', () => (Date.now() > deadline + 50 ? true : undefined))
  settle({ result: { action: 'accept' } })
  const { body } = await fake.waitFor(({ body: sent }) => sent['id'] === 0 && 'result' in sent)
  assert.equal(body['result'], { action: 'accept' })
  assert.equal(asked, ['s elicitation/create'])
  fake.answer('a')
  fake.answer('b')
  assert.equal((await calls[0])?.result, { content: [{ type: 'text', text: 'a' }] })
  await calls[1]
  await stop()
})

test('a question outside of calls is taken back when its session is', async () => {
  let signal: { readonly aborted: boolean } | undefined
  const { fake, upstreams, request, begun, stop } = await bench({
    onSessionQuestion: (_of, _target, _question, taken) => {
      signal = taken
      return new Promise((resolve) =>
        taken.addEventListener('abort', () => resolve({ error: { code: 1, message: '' } })),
      )
    },
  })
  const call = request('a', talk('s', party('s')))
  const [session = ''] = await begun('a')
  fake.push(session, { id: 'r', method: 'roots/list' })
  await until('it is asked', () => signal)
  fake.answer('a')
  await call
  assert.not(signal?.aborted)
  upstreams.endSession('s')
  await until('it is taken back', () => signal?.aborted || undefined)
  await stop()
})

test('a changed server is called in a new session, what is under way ends in the old one, and neither is kept for good', async () => {
  const { fake, upstreams, request, begun, stop } = await bench()
  const first = request('a', talk('me'))
  const [old = ''] = await begun('a')
  upstreams.replace(makeTarget().server.id)
  const second = request('b', talk('me'))
  const [fresh = ''] = await begun('b')
  assert.is.not(fresh, old)
  fake.answer('a')
  await first
  await until('the old one is ended', () => !fake.sessions().includes(old) || undefined)
  fake.answer('b')
  await second
  const third = request('c', talk('me'))
  assert.equal(await begun('c'), [fresh])
  fake.answer('c')
  await third
  await stop()
})

test('an answer with a number that no double holds reaches the server as the digits that came', async () => {
  const content = parseJson('{"n":12345678901234567890}') as JsonObject
  const { fake, request, begun, stop } = await bench()
  const call = request('a', talk('me', null, { result: { action: 'accept', content } }))
  const [session = ''] = await begun('a')
  fake.push(session, { id: 1, method: 'elicitation/create', params: { message: 'n?' } })
  await until('it is answered', () => fake.seen.find(({ text }) => /"n":12345678901234567890[,}]/.test(text)))
  fake.answer('a')
  await call
  await stop()
})

test.run()
