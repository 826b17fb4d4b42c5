import { request } from 'node:http'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, modern, openSession, post, type Answer } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'

let server: FakeServer
let gateway: RunningGateway
let agent: Access
test.before(async () => {
  server = await fakeUpstream((seen) => answerJson(seen, { result: { content: [], saw: params(seen) } }))
  gateway = await startGateway({ yaml: yamlOf({ one: server }, { settings: '{ limits: { requestBody: 64KiB } }' }) })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const assertFault = ({ status, json, text }: Answer, http: number, code: number, id: unknown = null) => {
  assert.equal([status, json?.error?.code, json?.id], [http, code, id], text)
  assert.is(json.jsonrpc, '2.0')
  assert.type(json.error.message, 'string')
}
const CALL = { jsonrpc: '2.0', id: 1, ...call('act') }

test('a body over the limit is answered 413, whether its length is told or not', async () => {
  const before = callsOf(server).length
  const big = JSON.stringify({ ...CALL, params: { name: 'act', arguments: { text: 'x'.repeat(70_000) } } })
  assertFault(await post(agent, big), 413, -32600)
  const chunked = await fetch(agent.url, {
    method: 'POST',
    headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' },
    body: new Blob([big]).stream(),
    duplex: 'half',
  } as RequestInit)
  assert.is(chunked.status, 413)
  await chunked.text()
  assert.is(callsOf(server).length, before, 'no server heard of it')
  assert.is((await legacy(agent, call('act'))).status, 200, 'the next one is served')
})

for (const text of ['', '{', '{"jsonrpc":"2.0",}', 'null}', '<xml/>', '\u0000'])
  test(`${JSON.stringify(text)} is not JSON`, async () => assertFault(await post(agent, text), 400, -32700))

for (const value of [
  ...[null, 7, '"text"', {}, { jsonrpc: '1.0', id: 1, method: 'ping' }, { jsonrpc: '2.0', id: 1 }],
  ...[
    { jsonrpc: '2.0', id: null, method: 'ping' },
    { jsonrpc: '2.0', id: 1.5, method: 'ping' },
  ],
  ...[
    { jsonrpc: '2.0', id: 1, method: 'ping', params: [1] },
    { jsonrpc: '2.0', id: 2 ** 53, method: 'ping' },
  ],
  { jsonrpc: '2.0', id: 1, method: '' },
])
  test(`${JSON.stringify(value)} is no JSON-RPC`, async () => {
    const { status, json } = await post(agent, JSON.stringify(value))
    assert.equal([status, json.error.code], [400, -32600])
  })

test('JSON as another type is answered 415, and a client that takes no JSON 406', async () => {
  const text = JSON.stringify(CALL)
  assertFault(await post(agent, text, { headers: { 'content-type': 'text/plain' } }), 415, -32600)
  assertFault(await post(agent, text, { headers: { 'content-type': undefined } }), 415, -32600)
  assertFault(await post(agent, text, { headers: { accept: 'text/html' } }), 406, -32600)
})

test('several messages at once are for 2025-03-26 alone', async () => {
  const text = JSON.stringify([CALL, { ...CALL, id: 2 }, { jsonrpc: '2.0', method: 'notifications/initialized' }])
  const old = await post(agent, text, { headers: { 'mcp-protocol-version': '2025-03-26' } })
  assert.equal([old.status, old.json.map(({ id }: { id: number }) => id)], [200, [1, 2]])
  for (const version of ['2025-06-18', '2025-11-25', '2026-07-28'])
    assertFault(await post(agent, text, { headers: { 'mcp-protocol-version': version } }), 400, -32600)
  assertFault(await post(agent, '[]'), 400, -32600)
  const many = JSON.stringify(Array.from({ length: 101 }, () => CALL))
  assertFault(await post(agent, many), 400, -32600)
})

test('a session of a version without batches takes none, whatever the header says', async () => {
  const session = await openSession(agent)
  const before = callsOf(server).length
  const answer = await post(agent, JSON.stringify([CALL, { ...CALL, id: 2 }]), {
    headers: { 'mcp-session-id': session },
  })
  assert.equal([answer.status, answer.json.error?.code], [400, -32600], answer.text)
  assert.is(callsOf(server).length, before, 'no server heard of it')
  const unknown = await post(agent, JSON.stringify([CALL]), { headers: { 'mcp-session-id': 'none' } })
  assert.is(unknown.status, 404)
})

test('one wrong message among several is answered in its place, and the others are served', async () => {
  const text = JSON.stringify([CALL, { jsonrpc: '2.0', id: 2, method: 'ping', params: [] }])
  const { status, json } = await post(agent, text)
  assert.is(status, 200)
  assert.ok(json[0].result)
  assert.equal([json[1].id, json[1].error.code], [2, -32600])
})

test('a modern request without its headers, or with others than its body, is refused', async () => {
  const wrong: readonly (readonly [Record<string, string | undefined>, number])[] = [
    [{ 'mcp-protocol-version': undefined }, -32020],
    [{ 'mcp-protocol-version': '2025-11-25' }, -32020],
    [{ 'mcp-method': undefined }, -32020],
    [{ 'mcp-method': 'tools/list' }, -32020],
    [{ 'mcp-name': undefined }, -32020],
    [{ 'mcp-name': 'other' }, -32020],
  ]
  const before = callsOf(server).length
  for (const [headers, code] of wrong) assertFault(await modern(agent, call('act'), { headers }), 400, code, 1)
  assert.is(callsOf(server).length, before, 'no server heard of it')
})

test('a modern request without its envelope, or of a version that is not served, is refused', async () => {
  const bare = JSON.stringify(CALL)
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'act' }
  assertFault(await post(agent, bare, { headers }), 400, -32602, 1)
  const later = { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' }
  const answer = await modern(
    agent,
    { method: 'tools/list', params: { _meta: later } },
    { headers: { 'mcp-protocol-version': '2027-01-01' } },
  )
  assertFault(answer, 400, -32022, 1)
  assert.ok(answer.json.error.data.supported.includes('2026-07-28'))
  assertFault(await legacy(agent, CALL, { headers: { 'mcp-protocol-version': 'newest' } }), 400, -32600, 1)
})

test('an unknown session is answered 404', async () => {
  const answer = await legacy(agent, CALL, { session: '00000000-0000-4000-8000-000000000000' })
  assertFault(answer, 404, -32600, 1)
})

test('the session of another principal, or of this one elsewhere, is as unknown', async () => {
  const session = await openSession(agent)
  assert.is((await legacy(agent, CALL, { session })).status, 200)
  const stranger = await gateway.mintToken({ gateway: 'house', host: 'stranger' })
  assertFault(await legacy(stranger, CALL, { session }), 404, -32600, 1)
  const gone = await fetch(agent.url, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${stranger.token}`, 'mcp-session-id': session },
  })
  assert.is(gone.status, 404)
  assert.is(((await gone.json()) as { id: unknown }).id, null, 'nothing was asked that has an id')
  assert.is((await legacy(agent, CALL, { session })).status, 200, 'it lives on')
})

test('an ended session is unknown from then on', async () => {
  const session = await openSession(agent)
  const headers = { authorization: `Bearer ${agent.token}`, 'mcp-session-id': session }
  const ended = await fetch(agent.url, { method: 'DELETE', headers })
  assert.ok(ended.ok)
  await ended.text()
  assertFault(await legacy(agent, CALL, { session }), 404, -32600, 1)
})

/** `fetch` sets these itself. */
function postAs(headers: Record<string, string>): Promise<number> {
  const { hostname, port, pathname } = new URL(agent.url)
  return new Promise((resolve, reject) => {
    const own = { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json' }
    const options = { host: hostname, port, path: pathname, method: 'POST', headers: { ...own, ...headers } }
    const sent = request(options, (answer) => answer.resume().on('end', () => resolve(answer.statusCode ?? 0)))
    sent.on('error', reject).end(JSON.stringify(CALL))
  })
}

test('a Host or Origin that is not ours is refused, and our own is not', async () => {
  const before = callsOf(server).length
  for (const host of ['evil.example.com', 'localhost.evil.example.com', 'localhost@evil.example.com', '192.0.2.1'])
    assert.is(await postAs({ host }), 403, host)
  for (const origin of ['https://evil.example.com', 'null', 'http://localhost.evil.example.com', 'file://'])
    assert.is(await postAs({ origin }), 403, origin)
  assert.is(callsOf(server).length, before, 'no server heard of it')
  assert.is(await postAs({ host: new URL(gateway.url).host }), 200)
  assert.is(await postAs({ origin: gateway.url }), 200)
  assert.is(await postAs({ host: '127.0.0.1' }), 200)
})

test('another verb is answered 405 and says which there are', async () => {
  const answer = await fetch(agent.url, { method: 'PUT', headers: { authorization: `Bearer ${agent.token}` } })
  assert.equal([answer.status, answer.headers.get('allow')], [405, 'POST, GET, DELETE'])
  await answer.text()
})

test('every id comes back as it was sent, in both eras', async () => {
  for (const id of [0, -1, '', '0', 'é☃', Number.MAX_SAFE_INTEGER, 'x'.repeat(2_000)])
    for (const send of [legacy, modern]) {
      const { status, json } = await send(agent, { ...call('act'), id })
      assert.equal([status, json.id], [200, id])
    }
})

test('an unknown method is -32601, a foreign tool -32602, params of a wrong shape -32602', async () => {
  assertFault(await legacy(agent, { method: 'tools/guess' }, {}), 400, -32600, 1)
  const session = await openSession(agent)
  assertFault(await legacy(agent, { method: 'tools/guess' }, { session }), 200, -32601, 1)
  assertFault(await modern(agent, { method: 'tools/guess' }), 404, -32601, 1)
  assertFault(await legacy(agent, call('no-such-tool')), 200, -32602, 1)
  assertFault(await legacy(agent, { method: 'tools/call', params: {} }), 200, -32602, 1)
  assertFault(await legacy(agent, { method: 'tools/call', params: { name: 7 } }), 200, -32602, 1)
  assertFault(await legacy(agent, { method: 'tools/call', params: { name: 'act', arguments: [] } }), 200, -32602, 1)
})

test('what the door refused of somebody it knows is on record as such', async () => {
  const clumsy = await gateway.mintToken({ gateway: 'house', host: 'clumsy' })
  await post(clumsy, '{')
  await legacy(clumsy, CALL, { session: 'none' })
  const recorded = await gateway.recorded(clumsy)
  const told = recorded.map(({ legs }) => legs.map((leg) => [leg.log_type, leg.http_status_code, leg.error]))
  assert.equal(told, [
    [
      ['proxy_request_error', 400, 'GH_DOOR_NOT_JSON'],
      ['proxy_response_error', 400, 'GH_DOOR_NOT_JSON'],
    ],
    [
      ['proxy_request_success', null, null],
      ['proxy_response_error', 404, 'GH_SESSION_UNKNOWN'],
    ],
  ])
})

test.run()
