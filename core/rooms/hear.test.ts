import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Inbound, LegacySession } from '../call.js'
import type { About } from '../mcp/session-lines.js'
import { plan } from '../upstream/catalog-testing.js'
import { createHear } from './hear.js'
import { inbound, inSession } from './testing.js'

const HOUSE = plan(['crm'])
const ROOT = '01a20572-8e94-71c0-9575-e2e50448baa7'

/** What was done about one message of a session's client. */
function heard(
  facts: Partial<Inbound>,
  session: Partial<LegacySession> | null = { id: 's' },
  about: About | null = null,
): unknown[] {
  const done: unknown[] = []
  const hear = createHear({
    lines: {
      answered: (...told) => (done.push(['answered', ...told]), about),
      progressed: (...told) => (done.push(['progressed', ...told]), about),
    },
    cancel: (...told) => (done.push(['cancel', ...told]), about),
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

test('how far it is with a question goes to whoever asked', () => {
  const params = { progressToken: 'r.1', progress: 1 }
  assert.equal(heard({ method: 'notifications/progress', params }), [['progressed', 's', params]])
})

test('what is said about a call stands under its correlation id, and under its own when it is about none', () => {
  const saying: readonly Partial<Inbound>[] = [
    { answer: { id: 'r.1', body: { jsonrpc: '2.0', id: 'r.1', result: {} } } },
    { method: 'notifications/progress', params: { progressToken: 'r.1', progress: 1 } },
    { method: 'notifications/cancelled', params: { requestId: 7 } },
  ]
  for (const facts of saying) {
    for (const about of [null, { correlationId: undefined }, { correlationId: ROOT }]) {
      const { trail } = inbound()
      const own = trail.correlationId
      heard({ ...facts, trail }, { id: 's' }, about)
      const record = trail.close('proxy_response_success', 202, null)
      assert.equal([record.id, record.rootId], [own, about?.correlationId ?? null])
    }
  }
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
