// time-limit: 120
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startSdkSseServer, type SdkSseServer } from '../sse-servers.js'
import { call, legacy, modern } from '../door.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { assertFourLegs } from './walk.js'

let server: SdkSseServer
let gateway: RunningGateway
test.before(async () => {
  server = await startSdkSseServer()
  gateway = await startGateway({
    yaml: `version: 1
servers:
  old: { url: ${JSON.stringify(server.url)}, protocol: auto }
gateways:
  house: { servers: [{ server: old }] }
`,
  })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const agentOf = (host: string): Promise<Access> => gateway.mintToken({ gateway: 'house', host })
const counted = (n: number) => [{ type: 'text', text: `counted {"n":${n}}` }]

test('a server of 2024-11-05 that nobody named so is listed and called, by clients of both eras', async () => {
  const access = await agentOf('both')
  for (const [n, ask] of [legacy, modern].entries()) {
    const list = await ask(access, { method: 'tools/list' })
    const names = (list.json.result.tools as { name: string }[]).map(({ name }) => name)
    assert.equal(names, ['count', 'wait'])
    const message = call('count', { n })
    const params = { ...(message.params as object), _meta: { progressToken: `token-${n}` } }
    const { json, notes } = await ask(access, { ...message, params })
    assert.equal(json.result.content, counted(n))
    assert.equal(
      notes.map((note) => [note.params.progressToken, note.params.progress]),
      [1, 2, 3].map((progress) => [`token-${n}`, progress]),
    )
  }
  assert.is(server.seen.streams, 1)
  const calls = (await gateway.recorded(access)).filter(({ method }) => method === 'tools/call')
  assert.is(calls.length, 2)
  for (const message of calls)
    assertFourLegs(message, { method: 'tools/call', own: 'count', server: 'old', host: 'both', gateway: 'house' })
})

test('a stream that is cut fails the call under way, which runs once, and the next call is well', async () => {
  const access = await agentOf('cut')
  const waiting = legacy(access, call('wait', {}))
  await until('the call has reached the server', () => (server.seen.waits === 1 ? true : undefined))
  const streams = server.seen.streams
  server.cut()
  const { json } = await waiting
  assert.is(json.error.code, -32603)
  assert.is(json.error.data.reason, 'server_unreachable')
  assert.is(json.error.data.server, 'old')
  assert.equal((await legacy(access, call('count', { n: 7 }))).json.result.content, counted(7))
  assert.equal([server.seen.waits, server.seen.streams], [1, streams + 1])
})

test.run()
