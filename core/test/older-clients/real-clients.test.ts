// time-limit: 300
import { join } from 'node:path'
import { Client as SecondClient, SSEClientTransport } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startHouse, type House } from '../first-call/house.js'
import { asUnderTest } from '../first-call/sdk-client.js'
import { walkThrough } from '../first-call/walk.js'
import { node24 } from '../node24.js'
import { olderClient } from './older-client.js'

let house: House
test.before(async () => {
  house = await startHouse({ legacySse: true })
})
test.after(() => house.stop())

for (const version of ['2024-11-05', '2025-11-25'])
  test(`the first official client walks through five servers over the older transport, as of ${version}`, async () => {
    const access = await house.gateway.mintToken({ gateway: 'house', host: `sdk-1-${version}` })
    await walkThrough(house, access, asUnderTest(await olderClient(access, { version })))
    const recorded = await house.gateway.recorded(access)
    const calls = recorded.filter(({ method }) => method === 'tools/call')
    assert.equal([...new Set(calls.flatMap(({ legs }) => legs.map((leg) => leg.protocol_version)))], [version])
    assert.ok(calls.every(({ legs }) => legs[0]?.client_name === 'older'))
  })

test('the second official client walks through five servers over the older transport', async () => {
  const access = await house.gateway.mintToken({ gateway: 'house', host: 'sdk-2' })
  const client = new SecondClient({ name: 'sdk-2', version: '2.0.0' })
  const headers = { authorization: `Bearer ${access.token}` }
  await client.connect(new SSEClientTransport(new URL(access.url), { requestInit: { headers } }))
  await walkThrough(house, access, asUnderTest(client))
})

test('mcp-remote walks through five servers over the older transport alone', async () => {
  const access = await house.gateway.mintToken({ gateway: 'house', host: 'remote' })
  const { node, mcpRemote } = node24()
  const client = new Client({ name: 'stdio-client', version: '1.0.0' })
  await client.connect(
    new StdioClientTransport({
      command: node,
      args: [mcpRemote, access.url, '--transport', 'sse-only', '--header', `Authorization: Bearer ${access.token}`],
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: house.gateway.home,
        MCP_REMOTE_CONFIG_DIR: join(house.gateway.home, 'mcp-remote'),
      },
      stderr: 'ignore',
    }),
  )
  await walkThrough(house, access, asUnderTest(client))
})

test.run()
