// time-limit: 120
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../http/testing.js'
import { call } from '../door.js'
import { sendEvent, yamlOf, type Seen } from '../fake-upstream.js'
import { startGateway, type RunningGateway } from '../gateway.js'
import { ended, lastIdOf, log, resumingClient, says, waitingServer, type WaitingServer } from '../resuming.js'
import { until } from '../until.js'

let server: WaitingServer
let gateway: RunningGateway
test.before(async () => {
  server = await waitingServer()
  gateway = await startGateway({ yaml: yamlOf({ one: server }) })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

let clients = 0
const connect = async (version = '2025-11-25', capabilities: JsonObject = {}) =>
  resumingClient(await gateway.mintToken({ gateway: 'house', host: `client-${(clients += 1)}` }), {
    version,
    capabilities,
  })
const atServer = (as: string) => server.call(as)
const cancelled = (seen: Seen) =>
  server.seen.find(
    ({ body }) =>
      body['method'] === 'notifications/cancelled' && (body['params'] as JsonObject)['requestId'] === seen.body['id'],
  )

test('a call whose stream breaks is worked on, and its client gets the rest when it comes back', async () => {
  const client = await connect()
  const first = client.send({ id: 'mine', ...call('act', { as: 'broken' }) })
  const seen = await atServer('broken')
  sendEvent(seen, log('one'))
  await says(await first, '"one"')
  ;(await first).leave()
  sendEvent(seen, log('two'))
  const second = await client.resume(await lastIdOf(await first))
  await says(second, '"two"')
  sendEvent(seen, { id: seen.body['id'], result: { content: [], done: true } })
  seen.res.end()
  await ended(second)
  assert.equal(second.messages().at(-1), { jsonrpc: '2.0', id: 'mine', result: { content: [], done: true } })
  assert.not.match(second.text, /"one"/)
  assert.is(cancelled(seen), undefined)
  const recorded = (await gateway.recorded(client.access)).filter(({ method }) => method === 'tools/call')
  assert.equal(
    recorded.map(({ legs }) => legs.map(({ log_type }) => log_type)),
    [['proxy_request_success', 'mcp_request_success', 'mcp_response_success', 'proxy_response_success']],
  )
})

test('a server that says nothing for two seconds makes a stream to come back to', async () => {
  const client = await connect()
  const first = await client.send({ id: 1, ...call('act', { as: 'silent' }) })
  assert.is(first.headers.get('content-type'), 'text/event-stream')
  assert.equal(
    ['cache-control', 'x-accel-buffering'].map((name) => first.headers.get(name)),
    ['no-cache, no-transform', 'no'],
  )
  await says(first, 'retry: 1000\nid: ')
  first.leave()
  const seen = await atServer('silent')
  sendEvent(seen, { id: seen.body['id'], result: { content: [] } })
  seen.res.end()
  const second = await client.resume(await lastIdOf(first))
  await ended(second)
  assert.equal(second.messages(), [{ jsonrpc: '2.0', id: 1, result: { content: [] } }])
})

test('a session of an older version takes its call back by leaving', async () => {
  const client = await connect('2025-06-18')
  const first = client.send({ id: 1, ...call('act', { as: 'older' }) })
  const seen = await atServer('older')
  sendEvent(seen, log('one'))
  await says(await first, '"one"')
  assert.not.match((await first).text, /^id:/m)
  ;(await first).leave()
  await until('its server is told', () => cancelled(seen))
})

test('nobody takes up the stream of another', async () => {
  const [mine, theirs] = [await connect(), await connect()]
  const first = mine.send({ id: 1, ...call('act', { as: 'stolen' }) })
  const seen = await atServer('stolen')
  sendEvent(seen, log('secret'))
  await says(await first, '"secret"')
  const id = await lastIdOf(await first).then((last) => last.replace(/\d+$/, '0'))
  assert.is((await theirs.resume(id)).status, 400)
  const headers = { authorization: `Bearer ${theirs.access.token}`, 'last-event-id': id }
  const foreign = await open(theirs.access.url, null, { method: 'GET', session: mine.session, headers })
  assert.is(foreign.status, 404)
  ;(await first).leave()
})

test('a call that its client takes back ends at its server and without a response', async () => {
  const client = await connect()
  const first = client.send({ id: 7, ...call('act', { as: 'taken back' }) })
  const seen = await atServer('taken back')
  sendEvent(seen, log('one'))
  await says(await first, '"one"')
  const note = { method: 'notifications/cancelled', params: { requestId: 7 } }
  assert.is((await client.send({ ...note, params: { requestId: '7' } })).status, 202, 'another id')
  assert.is((await client.send(note)).status, 202)
  await ended(await first)
  await until('its server is told', () => cancelled(seen))
  assert.equal(
    (await first).messages().map(({ id }) => id),
    [undefined],
  )
  const [recorded] = (await gateway.recorded(client.access)).filter(({ method }) => method === 'tools/call')
  assert.is(recorded?.legs.at(-1)?.error, 'GH_UPSTREAM_CANCELLED')
})

test('a question survives a broken stream, and is answered by its own id', async () => {
  const client = await connect('2025-11-25', { elicitation: {} })
  const first = client.send({ id: 1, ...call('act', { as: 'asking' }) })
  const seen = await atServer('asking')
  sendEvent(seen, { id: 'q', method: 'elicitation/create', params: { message: 'Name?', requestedSchema: {} } })
  await says(await first, 'elicitation/create')
  ;(await first).leave()
  const start = await lastIdOf(await first).then((last) => last.replace(/\d+$/, '0'))
  const second = await client.resume(start)
  await says(second, 'elicitation/create')
  const question = second.messages().find(({ method }) => method === 'elicitation/create')
  const answer = { id: question?.['id'] as string, result: { action: 'accept', content: { name: 'Ada' } } }
  assert.is((await client.send(answer)).status, 202)
  const told = await until('its server has the answer', () => server.seen.find(({ body }) => body['id'] === 'q'))
  assert.equal(told.body['result'], answer.result)
  sendEvent(seen, { id: seen.body['id'], result: { content: [] } })
  seen.res.end()
  await ended(second)
})

test('a call that nobody reads ends when the right to it is taken away', async () => {
  const client = await connect()
  const first = await client.send({ id: 1, ...call('act', { as: 'revoked' }) })
  first.leave()
  const seen = await atServer('revoked')
  await gateway.api('DELETE', `/tokens/${client.access.tokenId}`)
  await until('its server is told', () => cancelled(seen))
})

test('a session ends once', async () => {
  const client = await connect()
  const end = () => client.send({}, { method: 'DELETE' })
  assert.is((await end()).status, 200)
  assert.is((await end()).status, 404)
  assert.is((await client.send({ id: 1, method: 'ping' })).status, 404)
  assert.is((await client.resume('x')).status, 404)
})

test.run()
