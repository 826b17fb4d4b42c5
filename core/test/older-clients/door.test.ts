// time-limit: 120
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open, type Reading } from '../../http/testing.js'
import { answering, callsOf, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

let server: FakeServer
let gateway: RunningGateway
let agents = 0
test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }), { era: 'legacy' })
  gateway = await startGateway({ yaml: yamlOf({ one: server }, { gateway: 'legacySse: true' }) })
  await gateway.api('POST', '/gateways', { slug: 'plain', servers: [{ server: 'one' }] })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const newAgent = (at = 'house'): Promise<Access> => gateway.mintToken({ gateway: at, host: `agent-${(agents += 1)}` })
const bearer = ({ token }: Access) => ({ authorization: `Bearer ${token}` })
const request = (method: string, id: string | number, params: JsonObject = {}) => ({
  ...{ jsonrpc: '2.0', id, method, params },
})
const get = (access: Access) =>
  open(access.url, null, {
    method: 'GET',
    headers: { ...bearer(access), accept: 'text/event-stream', 'mcp-protocol-version': '' },
  })
const endpointOf = async (access: Access, stream: Reading) =>
  new URL(
    await until('its endpoint is named', () => /^event: endpoint\ndata: (.*)\n\n/m.exec(stream.text)?.[1]),
    access.url,
  ).href
const say = (endpoint: string, access: Access, message: unknown) =>
  open(endpoint, message, { headers: { ...bearer(access), 'mcp-protocol-version': '' } })
const ended = (reading: Reading) => until('it has ended', () => (reading.ended ? true : undefined))
const bodyOf = async (reading: Reading): Promise<JsonObject> => {
  await ended(reading)
  return JSON.parse(reading.text) as JsonObject
}

test('the bytes on the wire are those of 2024-11-05', async () => {
  const access = await newAgent()
  const stream = await get(access)
  assert.equal(
    ['content-type', 'cache-control'].map((name) => stream.headers.get(name)),
    ['text/event-stream', 'no-cache, no-transform'],
  )
  const endpoint = await endpointOf(access, stream)
  assert.match(stream.text, /^: open\n\nevent: endpoint\ndata: \/mcp\/house\?older=[a-z0-9]{4}\.[\w-]{43}\n\n$/)
  const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'raw', version: '1' } }
  const taken = await say(endpoint, access, request('initialize', 'i', params))
  await ended(taken)
  assert.equal([taken.status, taken.text, taken.headers.get('mcp-session-id')], [202, '', null])
  const answer = await until('it is answered', () => stream.messages()[0])
  assert.equal([answer['id'], (answer['result'] as JsonObject)['protocolVersion']], ['i', '2024-11-05'])
  assert.match(stream.text, /\n\nevent: message\ndata: \{"jsonrpc":"2.0","id":"i",[^\n]*\}\n\n$/)
  await say(endpoint, access, { jsonrpc: '2.0', method: 'notifications/initialized' })
  await say(endpoint, access, request('tools/call', 7, { name: 'act', arguments: {} }))
  const called = await until('the call is answered', () => stream.messages()[1])
  assert.equal(called, { jsonrpc: '2.0', id: 7, result: { content: [] } })
  // A refusal of the call is an answer, too.
  await say(endpoint, access, request('tools/call', 8, { name: 'unknown', arguments: {} }))
  const refused = await until('it is refused', () => stream.messages()[2])
  assert.equal([refused['id'], (refused['error'] as JsonObject)['code']], [8, -32602])
  stream.leave()
})

test('the endpoint takes messages of its own connection at its own gateway, and of nobody else', async () => {
  const access = await newAgent()
  const stream = await get(access)
  const endpoint = await endpointOf(access, stream)
  const calls = callsOf(server).length
  const message = request('tools/call', 1, { name: 'act', arguments: {} })
  const foreign = await say(endpoint, await newAgent(), message)
  assert.is(foreign.status, 404)
  assert.match(JSON.stringify(await bodyOf(foreign)), 'The stream of this endpoint is not open; open a new one')
  await gateway.api('PATCH', '/gateways/plain', { legacySse: true })
  const elsewhere = await newAgent('plain')
  assert.is((await say(endpoint.replace('/house', '/plain'), elsewhere, message)).status, 404)
  const stranger = await say(endpoint, { ...access, token: 'API_0000000000000000000000000000000000000000000' }, message)
  assert.is(stranger.status, 401)
  assert.match(stranger.headers.get('www-authenticate') ?? '', /resource_metadata="/)
  assert.is((await open(endpoint, message)).status, 401, 'the id alone opens nothing')
  assert.is(callsOf(server).length, calls)
  assert.is((await say(endpoint, access, message)).status, 202)
  await until('it is answered', () => stream.messages()[0])
  stream.leave()
})

test('it is off unless a gateway has it on, by file or API, and ends when it is taken away', async () => {
  await gateway.api('POST', '/gateways', { slug: 'later', servers: [{ server: 'one' }] })
  const access = await newAgent('later')
  const off = await get(access)
  assert.equal([off.status, off.headers.get('allow')], [405, 'POST'])
  await gateway.api('PATCH', '/gateways/later', { legacySse: true })
  assert.is((await gateway.api('GET', '/gateways/later'))['legacySse'], true)
  const stream = await get(access)
  assert.is(stream.status, 200)
  const endpoint = await endpointOf(access, stream)
  await gateway.api('PATCH', '/gateways/later', { legacySse: false })
  await ended(stream)
  assert.is((await say(endpoint, access, request('ping', 1))).status, 404)
  assert.is((await get(access)).status, 405)
})

test('a token that is revoked ends its stream, and the session with it', async () => {
  const access = await newAgent()
  const stream = await get(access)
  const endpoint = await endpointOf(access, stream)
  await say(endpoint, access, request('initialize', 1, { protocolVersion: '2024-11-05', capabilities: {} }))
  await until('it is answered', () => stream.messages()[0])
  await gateway.api('DELETE', `/tokens/${access.tokenId}`)
  await ended(stream)
  assert.is((await say(endpoint, access, request('ping', 2))).status, 401)
})

test.run()
