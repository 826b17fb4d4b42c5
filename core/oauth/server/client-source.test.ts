import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClientRows } from '../../db/repositories/oauth-clients.js'
import { createClientSource } from './client-source.js'

test('a client that is removed while it is being read is not remembered', async () => {
  let epoch = 1
  let isThere = true
  const row = { clientId: 'a', origin: 'admin', name: 'A', metadata: '{"client_id":"a"}', createdAt: '' } as const
  const rows = {
    async find() {
      const found = isThere ? row : null
      if (isThere) {
        isThere = false
        epoch += 1
      }
      return found
    },
  } as unknown as ClientRows
  const source = createClientSource({ rows, epoch: () => epoch })
  assert.is((await source.find('a'))?.client_id, 'a')
  assert.is(await source.find('a'), undefined)
})

test.run()
