import type { Context } from 'koa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serverDraft } from '../../db/testing.js'
import { GatehouseError } from '../../errors.js'
import type { SignedIn } from '../../identity/console-sessions.js'
import type { StoredTrip } from '../../oauth/client/sign-in.js'
import { createMemoryStore } from '../../test/memory-store.js'
import { createCallback } from './callback.js'

test('a server that was switched off while somebody was at its sign-in is asked for no token', async () => {
  const store = createMemoryStore()
  const server = await store.servers.insert({ ...serverDraft('crm'), auth: 'oauth', enabled: false })
  const asked: unknown[] = []
  const trip = { serverId: server.id, userId: 'mia', sessionHash: 'here', returnTo: '/auth/account' } as StoredTrip
  const never = async () => {
    throw new Error('not to be reached')
  }
  const callback = createCallback({
    store,
    trips: { peek: async () => trip, take: async () => trip },
    browser: { session: async () => ({ user: { id: 'mia' }, sessionHash: 'here' }) as SignedIn },
    signIn: { finish: async (...given) => (asked.push(given), never()) },
    mutations: { change: never },
    refused: never,
    addressOf: () => null,
    onAuthorised: () => undefined,
  })
  const ctx = {
    path: '/oauth/upstream/callback',
    method: 'GET',
    query: { state: 's', code: 'c' },
  } as unknown as Context
  const thrown = await callback(ctx, never).catch((error: unknown) => error)
  assert.equal(asked, [])
  assert.instance(thrown, GatehouseError)
  assert.is((thrown as GatehouseError).code, 'GH_PERMIT_DISABLED')
})

test.run()
