import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cancel } from '../domain/cancel-signal.js'
import type { GatehouseError } from '../errors.js'
import type { Question } from '../mcp/questions.js'
import { until } from '../test/until.js'
import { failure } from '../upstream/testing.js'
import { Asked, type Line } from './asked.js'

const ELICIT: Question = { method: 'elicitation/create', params: { message: 'Name?' } }
const YES = { result: { action: 'accept' } }

function line(): Line & { readonly sent: JsonObject[]; close(): void; readonly listening: number } {
  const sent: JsonObject[] = []
  const listeners = new Set<() => void>()
  let closed = false
  return {
    sent,
    must: (message) => void (closed || sent.push(message)),
    onClosed(listener) {
      if (closed) listener()
      else listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      closed = true
      for (const listener of [...listeners]) listener()
    },
    get listening() {
      return listeners.size
    },
  }
}
const soon = () => Date.now() + 60_000
const withdrawal = (id: string) => ({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
const messageOf = (promise: Promise<unknown>) =>
  failure(promise).then(({ code, message }: GatehouseError) => [code, message])

test('a question is put under its id and settles with the first answer alone', async () => {
  const asked = new Asked()
  const to = line()
  const answer = asked.ask('r.1', to, ELICIT, { deadline: soon(), signals: [] })
  assert.equal(to.sent, [{ jsonrpc: '2.0', id: 'r.1', ...ELICIT }])
  assert.ok(asked.answered('r.1', YES))
  assert.not(asked.answered('r.1', { result: { action: 'decline' } }))
  assert.equal(await answer, YES)
  assert.equal([asked.size, to.listening], [0, 0])
})

test('progress is passed on one by one, the newest of what came meanwhile, and all of it before the answer', async () => {
  const asked = new Asked()
  const to = line()
  const seen: unknown[] = []
  let release: () => void = () => undefined
  const onProgress = async (params: JsonObject) => {
    seen.push(params)
    await new Promise<void>((resolve) => (release = resolve))
  }
  const answer = asked.ask('r.1', to, ELICIT, { deadline: soon(), signals: [], onProgress })
  const meta = { progressToken: 'r.1' }
  assert.equal(to.sent, [
    { jsonrpc: '2.0', id: 'r.1', method: ELICIT.method, params: { message: 'Name?', _meta: meta } },
  ])
  for (const progress of [1, 2, 3]) assert.ok(asked.progressed({ progressToken: 'r.1', progress, message: 'm' }))
  assert.ok(asked.answered('r.1', YES))
  assert.not(asked.progressed({ progressToken: 'r.1', progress: 4 }), 'it is answered')
  release()
  await until('the newest is passed on', () => (seen.length === 2 ? true : undefined))
  release()
  assert.equal(await answer, YES)
  assert.equal(seen, [
    { progress: 1, message: 'm' },
    { progress: 3, message: 'm' },
  ])
})

test('progress that cannot be passed on costs nobody the answer', async () => {
  for (const onProgress of [
    () => Promise.reject(new Error('no')),
    () => {
      throw new Error('no')
    },
  ]) {
    const asked = new Asked()
    const answer = asked.ask('r.1', line(), ELICIT, { deadline: soon(), signals: [], onProgress })
    assert.ok(asked.progressed({ progressToken: 'r.1', progress: 1 }))
    assert.ok(asked.answered('r.1', YES))
    assert.equal(await answer, YES)
  }
})

test('a token of a server does not reach the client, which could take it for that of another question', async () => {
  const asked = new Asked()
  const to = line()
  const params = { message: 'Name?', _meta: { progressToken: 'r.1', 'x-own': 1 } }
  const answer = asked.ask('r.2', to, { ...ELICIT, params }, { deadline: soon(), signals: [] })
  assert.equal(to.sent.at(-1)?.['params'], { message: 'Name?', _meta: { 'x-own': 1 } })
  for (const progressToken of ['r.1', 'r.2', 2, null, undefined] as (string | null)[])
    assert.not(asked.progressed({ progressToken, progress: 1 }))
  asked.answered('r.2', YES)
  await answer
})

test('an id that was not given, or is a number, is the answer to nothing', async () => {
  const asked = new Asked()
  const answer = asked.ask('1', line(), ELICIT, { deadline: soon(), signals: [] })
  for (const id of [1, 0, '', 'r.1', '1 ']) assert.not(asked.answered(id, YES))
  assert.ok(asked.answered('1', YES))
  await answer
})

test('one that is not answered in time is taken back at the client', async () => {
  const asked = new Asked()
  const to = line()
  const given = messageOf(asked.ask('r.1', to, ELICIT, { deadline: Date.now() + 10, signals: [] }))
  await until('it is given up', () => (asked.size === 0 ? true : undefined))
  assert.equal(await given, ['GH_FORWARD_UNANSWERED', 'The client did not answer in time'])
  assert.equal(to.sent.slice(1), [withdrawal('r.1')])
  assert.not(asked.answered('r.1', YES))
  assert.is(asked.size, 0)
})

test('any of its signals takes it back, once, and leaves nothing to listen to', async () => {
  for (const at of [0, 1]) {
    const asked = new Asked()
    const to = line()
    const signals = [new Cancel(), new Cancel()]
    const end = failure(asked.ask('r.1', to, ELICIT, { deadline: soon(), signals }))
    signals[at]?.tell()
    signals[1 - at]?.tell()
    assert.is((await end).code, 'GH_FORWARD_UNANSWERED')
    assert.equal(to.sent.slice(1), [withdrawal('r.1')])
    assert.is(to.listening, 0)
  }
})

test('what is taken back before it was put is not put', async () => {
  const to = line()
  const gone = new Cancel()
  gone.tell()
  await failure(new Asked().ask('r.1', to, ELICIT, { deadline: soon(), signals: [gone] }))
  assert.equal(to.sent, [])
})

test('one whose line closes, or is closed already, fails', async () => {
  const asked = new Asked()
  const to = line()
  const end = failure(asked.ask('r.1', to, ELICIT, { deadline: soon(), signals: [] }))
  to.close()
  assert.is((await end).code, 'GH_FORWARD_UNANSWERED')
  assert.is(
    (await failure(asked.ask('r.2', to, ELICIT, { deadline: soon(), signals: [] }))).code,
    'GH_FORWARD_UNANSWERED',
  )
  assert.is(asked.size, 0)
})

test('thirty-two wait and no more, all end together when their session does', async () => {
  const asked = new Asked()
  const to = line()
  const ends = Array.from({ length: 32 }, (_, at) =>
    failure(asked.ask(`r.${at}`, to, ELICIT, { deadline: soon(), signals: [] })),
  )
  await failure(asked.ask('r.32', to, ELICIT, { deadline: soon(), signals: [] }))
  assert.is(to.sent.length, 32)
  asked.giveUp('has ended its session')
  for (const end of await Promise.all(ends)) assert.is(end.message, 'The client has ended its session')
  assert.is(asked.size, 0)
})

test.run()
