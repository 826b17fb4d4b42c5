// time-limit: 180
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MODERN_VERSION } from '../../mcp/versions.js'
import type { Access } from '../gateway.js'
import { startHouse, type House } from './house.js'
import { asUnderTest } from './sdk-client.js'
import { walkThrough } from './walk.js'

let house: House
test.before(async () => {
  house = await startHouse()
})
test.after(() => house.stop())

const wire = ({ url, token }: Access) =>
  [new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}` } } }] as const

test('the first official client walks through five servers', async () => {
  const access = await house.gateway.mintToken({ gateway: 'house', host: 'sdk-1' })
  const client = new Client({ name: 'sdk-1', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(...wire(access)) as Transport)
  await walkThrough(house, access, asUnderTest(client))
  const recorded = await house.gateway.recorded(access)
  const spoken = new Set(recorded.flatMap(({ legs }) => legs.map((leg) => leg.protocol_version)))
  assert.equal([...spoken], ['2025-11-25'])
  assert.ok(recorded.every(({ legs }) => legs[0]?.client_name === 'sdk-1' || legs[0]?.method === 'initialize'))
})

for (const [era, mode, version] of [
  ['legacy', 'legacy', '2025-11-25'],
  ['modern', { pin: MODERN_VERSION }, MODERN_VERSION],
] as const)
  test(`the second official client, pinned to the ${era} era, walks through five servers`, async () => {
    const access = await house.gateway.mintToken({ gateway: 'house', host: `sdk-2-${era}` })
    const client = new ModernClient({ name: 'sdk-2', version: '2.0.0' }, { versionNegotiation: { mode } })
    await client.connect(new ModernTransport(...wire(access)))
    await walkThrough(house, access, asUnderTest(client))
    const calls = (await house.gateway.recorded(access)).filter(({ method }) => method === 'tools/call')
    for (const { legs } of calls) {
      assert.is(legs[0]?.protocol_version, version)
      assert.is(legs[0]?.client_name, 'sdk-2')
    }
  })

test.run()
