import { connect } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, post } from '../door.js'
import { answerJson, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'

let server: FakeServer
let gateway: RunningGateway
let agent: Access
test.before(async () => {
  server = await fakeUpstream((seen) => answerJson(seen, { result: { content: [] } }))
  gateway = await startGateway({ yaml: yamlOf({ one: server }) })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

for (const [what, body] of [
  [
    'arguments',
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act","arguments":{"a":${nested(200_000)}}}}`,
  ],
  ['an id', `{"jsonrpc":"2.0","id":${nested(200_000)},"method":"ping"}`],
  ['a batch', `[${nested(200_000)}]`],
] as const)
  test(`${what} nested 200,000 deep is the client’s fault`, async () => {
    const { status, json, text } = await post(agent, body)
    assert.ok(status < 500, text)
    assert.ok([-32600, -32602].includes(json?.error?.code ?? 0), text)
    assert.is((await legacy(agent, call('act'))).status, 200, 'the next one is served')
  })

test('one of several that is nested too deeply is refused in its place, and the others are served', async () => {
  const deep = `{"jsonrpc":"2.0","id":2,"method":"ping","params":{"a":${nested(200_000)}}}`
  const { status, json } = await post(agent, `[{"jsonrpc":"2.0","id":1,"method":"ping"},${deep}]`)
  assert.is(status, 200)
  assert.equal([json[0].id, json[0].result], [1, {}])
  assert.equal([json[1].id, json[1].error?.code], [2, -32602])
})

test('capabilities of any length are not kept', async () => {
  const params = { protocolVersion: '2025-11-25', capabilities: { experimental: { a: 'x'.repeat(20_000) } } }
  const { json } = await post(agent, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }))
  assert.is(json?.error?.code, -32602)
})

test('a client that goes away in the middle of its body is no failure of the gateway', async () => {
  const { port } = new URL(agent.url)
  const socket = connect(Number(port), '127.0.0.1')
  const head =
    'POST /mcp/house HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{'
  await new Promise<void>((resolve) => socket.write(head, () => resolve()))
  socket.destroy()
  await post(agent, '{"jsonrpc":"2.0","id":1,"method":"broken on purpose"')
  assert.is((await legacy(agent, call('act'))).status, 200)
  assert.not.match(gateway.logs(), 'a request broke')
})

test('what no database can look for is a bad request to the admin API', async () => {
  await gateway.api('GET', '/logs?feature=%00').then(
    () => assert.unreachable(),
    (thrown: Error) => assert.match(thrown.message, 'cannot be stored'),
  )
})

test.run()
