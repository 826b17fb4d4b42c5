import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ConsoleSessionRows } from '../db/repositories/console-sessions.js'
import { GatehouseError } from '../errors.js'
import { createConsoleSessions } from './console-sessions.js'

test('a session ends with the way by which it came', async () => {
  const user = {
    id: 'u',
    email: 'ana@example.com',
    name: 'Ana',
    role: 'member',
    enabled: true,
    capabilities: [],
    teams: [],
  }
  const row = { idHash: 'h', method: 'password', idp: null, createdAt: 1_000, seenAt: 1_000, user } as const
  const rows = { find: async () => row } as unknown as ConsoleSessionRows
  let isClosed = false
  const mayOpen = () => {
    if (isClosed) throw new GatehouseError('GH_SSO_REQUIRED')
  }
  const sessions = createConsoleSessions(rows, { now: () => 2_000, mayOpen })
  assert.is((await sessions.of('secret'))?.user.id, 'u')
  isClosed = true
  assert.is(await sessions.of('secret'), null)
})

test.run()
