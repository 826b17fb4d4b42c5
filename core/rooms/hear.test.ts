import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Inbound, LegacySession } from '../call.js'
import { plan } from '../upstream/catalog-testing.js'
import { createHear } from './hear.js'
import { inSession } from './testing.js'

const HOUSE = plan(['crm'])

/** What was done about one message of a session's client. */
function heard(facts: Partial<Inbound>, session: Partial<LegacySession> | null = { id: 's' }): unknown[] {
  const done: unknown[] = []
  const hear = createHear({
    lines: {
      answered: (...told) => (done.push(['answered', ...told]), true),
      progressed: (...told) => (done.push(['progressed', ...told]), true),
    },
    cancel: (...told) => void done.push(['cancel', ...told]),
    upstreams: { toldBySession: (...told) => void done.push(['told', ...told]) },
  })
  const call = { ...inSession(HOUSE, { id: null, ...facts }), session: session as LegacySession | null }
  try {
    hear(call)
  } catch (thrown) {
    done.push((thrown as { code: string }).code)
  }
  return done
}
const answer = (body: JsonObject) => heard({ answer: { id: 'r.1', body: { jsonrpc: '2.0', id: 'r.1', ...body } } })

test('an answer reaches whoever waits in that session, with nothing beside it', () => {
  assert.equal(answer({ result: { action: 'accept' }, more: 1 }), [
    ['answered', 's', 'r.1', { result: { action: 'accept' } }],
  ])
  const error = { code: -1, message: 'declined', data: { why: 1 } }
  assert.equal(answer({ error: { ...error, more: 1 } }), [['answered', 's', 'r.1', { error }]])
})

for (const body of [
  { result: 'x' },
  { result: null },
  { result: [] },
  { error: {} },
  { error: { code: '1', message: 'x' } },
  { error: { code: 1.5, message: 'x' } },
  { error: { code: 1 } },
  { error: 'x' },
] as JsonObject[])
  test(`${JSON.stringify(body)} is no answer: it is refused, and whoever waits is told`, () => {
    const [told, code] = answer(body) as [[string, string, string, { error: { code: number } }], string]
    assert.equal([told[3].error.code, code], [-32603, 'GH_DOOR_NOT_RPC'])
  })

test('a call is taken back by the id that the client gave it', () => {
  const method = 'notifications/cancelled'
  assert.equal(heard({ method, params: { requestId: 7, reason: 'x' } }), [['cancel', 's', 7]])
  assert.equal(heard({ method, params: { requestId: '7' } }), [['cancel', 's', '7']])
  for (const requestId of [null, {}, undefined, true])
    assert.equal(heard({ method, params: { requestId } as never }), [])
})

test('changed roots are told to the servers of the session', () => {
  assert.equal(heard({ method: 'notifications/roots/list_changed', params: { x: 1 } }), [
    ['told', 's', { jsonrpc: '2.0', method: 'notifications/roots/list_changed' }],
  ])
})

test('anything else is dropped, and everything of whoever has no session', () => {
  assert.equal(heard({ method: 'notifications/initialized' }), [])
  assert.equal(heard({ method: 'notifications/cancelled', params: { requestId: 1 } }, null), [])
  assert.equal(heard({ answer: { id: 'r.1', body: { result: {} } } }, null), [])
})

test.run()
