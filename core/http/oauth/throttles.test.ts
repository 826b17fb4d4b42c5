import type { IncomingMessage } from 'node:http'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createThrottles } from './throttles.js'

const at = (address: string) => ({ address }) as unknown as IncomingMessage
const addressOf = (req: IncomingMessage) => (req as unknown as { address: string }).address

test('whoever has a network of IPv6 to themselves has one limit, not one for each of its addresses', async () => {
  const throttles = createThrottles({ addressOf, registrations: () => 2 })
  const tries = async (path: string, network: string) => {
    let passed = 0
    for (let n = 1; n <= 700; n += 1)
      await throttles.request(path, at(`${network}::${n.toString(16)}`)).then(
        () => (passed += 1),
        () => undefined,
      )
    return passed
  }
  assert.is(await tries('/oauth/register', '2001:db8:1:2'), 6)
  assert.is(await tries('/oauth/authorize', '2001:db8:1:2'), 120)
  assert.is(await tries('/oauth/token', '2001:db8:1:2'), 600)
  assert.is(await tries('/oauth/authorize', '2001:db8:1:3'), 120, 'a neighbour has their own')
})

test.run()
