import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '@gatehouse/sdk'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LegacySession } from '../call.js'
import { until } from '../test/until.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'
import { failure } from '../upstream/testing.js'
import { CallGone } from './gone.js'
import type { Flight } from './flights.js'
import { createSessionLines, type Lines } from './session-lines.js'

interface Context {
  lines: Lines
  server: Server
  url: string
}
const test = suite<Context>('session lines')
test.before.each(async (context) => {
  context.lines = createSessionLines({ replica: 'r1r1' })
  context.server = createServer((req, res) => {
    const [, session = '', gateway = ''] = (req.url ?? '').split('/')
    context.lines.open({ id: session, gatewayId: gateway, version: '2025-06-18' } as LegacySession, res, undefined)
  })
  await new Promise<void>((resolve) => context.server.listen(0, '127.0.0.1', resolve))
  context.url = `http://127.0.0.1:${(context.server.address() as AddressInfo).port}`
})
test.after.each(async ({ server, lines }) => {
  lines.stop()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function listen({ url }: Context, session: string, gateway: string) {
  const abort = new AbortController()
  const response = await fetch(`${url}/${session}/${gateway}`, { signal: abort.signal })
  const heard = { text: '', ended: false, headers: response.headers, leave: () => abort.abort() }
  const read = async () => {
    for await (const chunk of response.body ?? []) heard.text += Buffer.from(chunk as Uint8Array).toString('utf8')
  }
  void read()
    .catch(() => undefined)
    .then(() => (heard.ended = true))
  await until('it is open', () => (heard.text.includes(': open') ? true : undefined))
  return heard
}
const ended = (heard: { ended: boolean }) => until('it has ended', () => (heard.ended ? true : undefined))
const CHANGED = { jsonrpc: '2.0', method: 'notifications/prompts/list_changed' }
const NOTE = 'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}\n\n'

test('a stream is never buffered or kept on its way', async (context) => {
  const { headers } = await listen(context, 's', 'g')
  assert.match(headers.get('cache-control') ?? '', /no-cache, no-transform/)
  assert.is(headers.get('x-accel-buffering'), 'no')
})

test('a note goes to the standing stream of its session alone', async (context) => {
  const [mine, theirs] = [await listen(context, 'a', 'g'), await listen(context, 'b', 'h')]
  context.lines.note('a', CHANGED)
  await until('it is told', () => (mine.text.includes(NOTE) ? true : undefined))
  context.lines.note('b', { ...CHANGED, method: 'notifications/tools/list_changed' })
  await until('it is told', () => (theirs.text.includes('tools/list_changed') ? true : undefined))
  assert.not.match(theirs.text, /prompts/)
  assert.not.match(mine.text, /tools/)
})

test('it is told when a session gets its standing stream, and when it has none any more', async (context) => {
  const told: [string, boolean][] = []
  context.lines.onStanding((...change) => told.push(change))
  const older = await listen(context, 's', 'g')
  const newer = await listen(context, 's', 'g')
  await ended(older)
  assert.equal(told, [
    ['s', true],
    ['s', true],
  ])
  newer.leave()
  await until('it is told', () => (told.length === 3 ? true : undefined))
  assert.equal(told[2], ['s', false])
})

test('a newer stream takes the place of the older, whose end does not end it', async (context) => {
  const older = await listen(context, 's', 'g')
  const newer = await listen(context, 's', 'g')
  await ended(older)
  context.lines.note('s', CHANGED)
  await until('it is told', () => (newer.text.includes(NOTE) ? true : undefined))
})

test('a stream ends with its session, and all end at the end', async (context) => {
  const [one, other] = [await listen(context, 'a', 'g'), await listen(context, 'b', 'g')]
  context.lines.close('a')
  await ended(one)
  assert.not(other.ended)
  context.lines.close('unknown')
  context.lines.stop()
  await ended(other)
})

test('whoever has left is told nothing, and breaks nothing', async (context) => {
  const [gone, here] = [await listen(context, 'a', 'g'), await listen(context, 'b', 'g')]
  gone.leave()
  await ended(gone)
  for (const id of ['a', 'b']) context.lines.note(id, CHANGED)
  await until('it is told', () => (here.text.includes(NOTE) ? true : undefined))
})

const QUESTION: Question = { method: 'elicitation/create', params: { message: 'Name?' } }
const ANSWER: QuestionAnswer = { result: { action: 'accept' } }
const soon = () => Date.now() + 10_000

/** A call of a session that can be asked, and what was put on its stream. */
function flight(sessionId: string, id: string | number = 1) {
  const said: JsonObject[] = []
  const closed = new Set<() => void>()
  const stream = {
    must: (message: JsonObject) => void said.push(message),
    onClosed: (listener: () => void) => (closed.add(listener), () => closed.delete(listener)),
  }
  const made: Flight = {
    session: { id: sessionId } as LegacySession,
    id,
    correlationId: `of ${id}`,
    since: 0,
    gone: new CallGone(),
    line: () => stream,
    dueAt: Infinity,
    cancelled: false,
    place: -1,
  }
  return { flight: made, said, closed, hangUp: () => [...closed].forEach((listener) => listener()) }
}

test('a question gets the answer that carries its id, once', async ({ lines }) => {
  const call = flight('s')
  const [first, second] = [1, 2].map(() => lines.askOn(call.flight, QUESTION, { deadline: soon() }))
  assert.equal(call.said, [
    { jsonrpc: '2.0', id: 'r1r1.1', ...QUESTION },
    { jsonrpc: '2.0', id: 'r1r1.2', ...QUESTION },
  ])
  assert.ok(lines.answered('s', 'r1r1.2', ANSWER))
  assert.ok(lines.answered('s', 'r1r1.1', { error: { code: -1, message: 'no' } }))
  assert.equal(await second, ANSWER)
  assert.equal(await first, { error: { code: -1, message: 'no' } })
  assert.not(lines.answered('s', 'r1r1.2', ANSWER), 'again')
  assert.is(call.closed.size, 0)
})

test('another session answers nothing, nor does another id', async ({ lines }) => {
  const call = flight('s')
  const asked = lines.askOn(call.flight, QUESTION, { deadline: soon() })
  assert.not(lines.answered('t', 'r1r1.1', ANSWER))
  for (const id of ['r1r1.2', '1', 1, '__proto__']) assert.not(lines.answered('s', id, ANSWER), String(id))
  assert.ok(lines.answered('s', 'r1r1.1', ANSWER))
  await asked
})

test('a question that came without params goes out without them', ({ lines }) => {
  const call = flight('s')
  lines.askOn(call.flight, { method: 'roots/list' }, { deadline: soon() }).catch(() => undefined)
  assert.equal(call.said, [{ jsonrpc: '2.0', id: 'r1r1.1', method: 'roots/list' }])
})

test('a question that is taken back is withdrawn at the client', async ({ lines }) => {
  const call = flight('s')
  const signal = new CallGone()
  const asked = failure(lines.askOn(call.flight, QUESTION, { deadline: soon(), signal }))
  signal.tell()
  assert.is((await asked).code, 'GH_FORWARD_UNANSWERED')
  assert.equal(call.said[1], {
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId: 'r1r1.1' },
  })
  assert.not(lines.answered('s', 'r1r1.1', ANSWER))
})

test('a question waits until its deadline, and no longer', async ({ lines }) => {
  const asked = failure(lines.askOn(flight('s').flight, QUESTION, { deadline: Date.now() + 20 }))
  assert.is((await asked).code, 'GH_FORWARD_UNANSWERED')
})

test('nobody waits for the answer of a client that has gone, or of a session that has ended', async ({ lines }) => {
  const [gone, over, back] = [flight('s'), flight('t'), flight('s')]
  const asked = [gone, over, back].map((call) => failure(lines.askOn(call.flight, QUESTION, { deadline: soon() })))
  gone.hangUp()
  lines.close('t')
  back.flight.gone.tell()
  for (const one of asked) assert.is((await one).code, 'GH_FORWARD_UNANSWERED')
  assert.is(gone.said.length, 1)
  assert.is((await failure(lines.askOn(back.flight, QUESTION, { deadline: soon() }))).code, 'GH_FORWARD_UNANSWERED')
})

test('at most 32 questions wait in a session', async ({ lines }) => {
  const call = flight('s')
  const asked = Array.from({ length: 32 }, () => lines.askOn(call.flight, QUESTION, { deadline: soon() }))
  const refused = await failure(lines.askOn(call.flight, QUESTION, { deadline: soon() }))
  assert.equal([refused.code, call.said.length], ['GH_FORWARD_UNANSWERED', 32])
  lines.answered('s', 'r1r1.1', ANSWER)
  await asked[0]
  const after = lines.askOn(call.flight, QUESTION, { deadline: soon() })
  assert.is(call.said.length, 33)
  lines.close('s')
  await Promise.allSettled([...asked, after])
})

test('outside of a call the standing stream is asked, else the newest call, else nobody', async (context) => {
  const { lines } = context
  const ask = () => lines.ask('s', QUESTION, { deadline: soon() })
  assert.is((await failure(ask())).code, 'GH_FORWARD_UNANSWERED')
  const [older, newer, other] = [flight('s', 1), flight('s', 2), flight('t')]
  for (const call of [older, newer, other]) lines.enter(call.flight)
  const onCall = ask()
  assert.equal([older.said.length, newer.said.length, other.said.length], [0, 1, 0])
  const heard = await listen(context, 's', 'g')
  const onStanding = ask()
  await until('it is asked', () => (heard.text.includes('"r1r1.2"') ? true : undefined))
  for (const id of ['r1r1.1', 'r1r1.2']) lines.answered('s', id, ANSWER)
  assert.equal([await onCall, await onStanding], [ANSWER, ANSWER])
  const unheard = failure(ask())
  heard.leave()
  assert.is((await unheard).code, 'GH_FORWARD_UNANSWERED')
})

test('a question outside of a call outlives the call on whose stream it was put, but not its client', async ({
  lines,
}) => {
  const [ended, gone] = [flight('s', 1), flight('t', 1)]
  for (const call of [ended, gone]) lines.enter(call.flight)
  const [asked, lost] = [
    lines.ask('s', QUESTION, { deadline: soon() }),
    failure(lines.ask('t', QUESTION, { deadline: soon() })),
  ]
  ended.hangUp()
  assert.ok(lines.answered('s', 'r1r1.1', ANSWER))
  assert.equal(await asked, ANSWER)
  gone.flight.gone.tell()
  assert.is((await lost).code, 'GH_FORWARD_UNANSWERED')
})

test('a call ends when its session takes it back by its very id', ({ lines }) => {
  const [number, text] = [flight('s', 1), flight('s', '1')]
  for (const call of [number, text]) lines.enter(call.flight)
  assert.not(lines.cancel('t', 1))
  assert.not(lines.cancel('s', 2))
  assert.ok(lines.cancel('s', '1'))
  assert.equal([text.flight.cancelled, text.flight.gone.aborted], [true, true])
  assert.equal([number.flight.cancelled, number.flight.gone.aborted], [false, false])
  lines.leave(number.flight)
  assert.not(lines.cancel('s', 1))
})

test('a note goes to the standing stream of its session, or to nobody', async (context) => {
  context.lines.note('s', { method: 'x' })
  const [mine, theirs] = [await listen(context, 's', 'g'), await listen(context, 't', 'g')]
  context.lines.note('s', { method: 'y' })
  await until('it is told', () => (mine.text.includes('{"method":"y"}') ? true : undefined))
  assert.not.match(mine.text + theirs.text, /"x"/)
})

test.run()
