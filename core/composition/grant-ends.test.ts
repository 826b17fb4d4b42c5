import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { serverDraft } from '../db/testing.js'
import { createMemoryStore } from '../test/memory-store.js'
import { createGrantEnds } from './grant-ends.js'
import { PARTS } from './house.js'
import { emptyHouse } from './testing.js'

test('an access that was given while it was found missing is not taken for missing', async () => {
  const store = createMemoryStore()
  const server = await store.servers.insert({ ...serverDraft('crm'), auth: 'oauth' })
  const identity = await store.identities.insert({
    ...{ managedBy: 'api', slug: 'pool', serverId: server.id, shared: true, ownerId: null },
    ...{ kind: 'oauth', headers: [], enabled: true, status: 'ok' },
  })
  const house = emptyHouse()
  house.put(PARTS.store, store)
  house.put(PARTS.configuration, {
    mutations: { change: (_: unknown, work: (given: object) => unknown) => work({ store }) },
  } as never)
  const alerting = { raise: async () => undefined, resolve: async () => undefined } as never
  const ends = createGrantEnds(house, alerting, { warn: () => undefined } as never)
  await ends.ended(identity, { kind: 'gone' }, true)
  assert.is((await store.identities.find(identity.id))?.status, 'needs_reauth')
  await store.identities.update(identity.id, { status: 'ok' })
  const grant = { issuer: 'https://as.example.com', clientId: 'c', scope: null, tokens: '{}', expiresAt: null }
  await store.grants.put({ ...grant, identityId: identity.id })
  await ends.ended(identity, { kind: 'gone' }, true)
  assert.is((await store.identities.find(identity.id))?.status, 'ok')
})

test.run()
