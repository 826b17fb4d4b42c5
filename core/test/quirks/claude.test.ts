import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { META, MODERN_VERSION } from '../../mcp/versions.js'
import { call, legacy, post } from '../door.js'
import { answering, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

let server: FakeServer
let gateway: RunningGateway
test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }))
  gateway = await startGateway({ yaml: yamlOf({ one: server }) })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

let agents = 0
const newAgent = () => gateway.mintToken({ gateway: 'house', host: `agent-${(agents += 1)}` })
const tolerated = (client: string, tolerance = 'legacy-header') =>
  gateway
    .logs()
    .split('\n')
    .filter((line) => line.includes(tolerance) && line.includes(`"client":"${client}"`))

/** As the connectors of Claude send it since the revision came: the body of 2026-07-28 under the header of 2025-11-25. */
function underOlderHeader(access: Access, message: JsonObject, name: string, headers: Record<string, string> = {}) {
  const { method, params = {} } = message as { method: string; params?: JsonObject }
  const _meta = {
    [META.version]: MODERN_VERSION,
    [META.clientInfo]: { name, version: '0.1.0' },
    [META.capabilities]: {},
  }
  const text = JSON.stringify({ jsonrpc: '2.0', id: 3, method, params: { ...params, _meta } })
  return post(access, text, { headers: { 'mcp-protocol-version': '2025-11-25', ...headers } })
}

test('Claude is served when its body is of the modern era and its header of the one before, and each connection is logged once', async () => {
  const access = await newAgent()
  for (const message of [{ method: 'server/discover' }, { method: 'tools/list' }, call('act')]) {
    const { status, json } = await underOlderHeader(access, message, 'claude-ai')
    assert.equal([status, json.id, json.result?.resultType], [200, 3, 'complete'], String(message.method))
  }
  const named = { 'mcp-method': 'tools/call', 'mcp-name': 'act' }
  assert.is((await underOlderHeader(access, call('act'), 'claude-ai', named)).status, 200)
  assert.is((await underOlderHeader(await newAgent(), call('act'), 'claude-ai')).status, 200)
  // The log comes through a pipe of its own.
  const [first = '', ...more] = await until('both are told', () => {
    const lines = tolerated('claude-ai')
    return lines.length > 1 ? lines : undefined
  })
  assert.equal([JSON.parse(first).level, JSON.parse(first).tolerance, more.length], [30, 'legacy-header', 1])
})

test('nobody else is, whatever it calls itself', async () => {
  const access = await newAgent()
  for (const name of ['vscode', 'my claude', '']) {
    const { status, json } = await underOlderHeader(access, call('act'), name, { 'mcp-method': 'tools/call' })
    assert.equal([status, json.error.code, json.id], [400, -32020, 3], name)
  }
})

test('Claude is not served when a header says something else than its body', async () => {
  const access = await newAgent()
  for (const headers of [
    { 'mcp-method': 'tools/list' },
    { 'mcp-name': 'other' },
    { 'mcp-protocol-version': '2026-01-01' },
  ]) {
    const { status, json } = await underOlderHeader(access, call('act'), 'claude-ai', headers as Record<string, string>)
    assert.equal([status, json.error.code], [400, -32020], JSON.stringify(headers))
  }
  const missing = await post(
    access,
    JSON.stringify({
      jsonrpc: '2.0',
      id: 3,
      method: 'tools/list',
      params: {
        _meta: { [META.version]: MODERN_VERSION, [META.capabilities]: {}, [META.clientInfo]: { name: 'claude-ai' } },
      },
    }),
  )
  assert.equal([missing.status, missing.json.error.code], [400, -32020])
})

const initialize = (protocolVersion: string, name = 'claude-ai'): JsonObject => ({
  method: 'initialize',
  params: { protocolVersion, capabilities: {}, clientInfo: { name, version: '0.1.0' } },
})

test('Claude is served when it sends its version with the first message, or with none of them', async () => {
  const access = await newAgent()
  const first = await legacy(access, initialize('2025-06-18'), { headers: { 'mcp-protocol-version': '2025-11-25' } })
  assert.equal([first.status, first.json.result.protocolVersion], [200, '2025-06-18'])
  const session = first.headers.get('mcp-session-id') ?? ''
  const without = await legacy(
    access,
    { method: 'tools/list' },
    { session, headers: { 'mcp-protocol-version': undefined } },
  )
  assert.is(without.json.result.tools.length, 1)
})

test('a version that is known but was not agreed on is served and logged, an unknown one is refused', async () => {
  const access = await newAgent()
  const opened = await legacy(access, initialize('2025-06-18', 'claude-other'))
  const session = opened.headers.get('mcp-session-id') ?? ''
  for (let n = 0; n < 2; n += 1)
    assert.is(
      (await legacy(access, call('act'), { session, headers: { 'mcp-protocol-version': '2025-11-25' } })).status,
      200,
    )
  const told = await until('it is told', () => tolerated('claude-other', 'other-version')[0])
  assert.match(told, /other-version/)
  const unknown = await legacy(access, call('act'), { session, headers: { 'mcp-protocol-version': '2025-01-01' } })
  assert.equal([unknown.status, unknown.json.error.code], [400, -32600])
})

for (const version of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])
  test(`a client that asks for ${version} gets it: some drop a server that answers an older one`, async () => {
    const { json } = await legacy(await newAgent(), initialize(version))
    assert.is(json.result.protocolVersion, version)
  })

test.run()
