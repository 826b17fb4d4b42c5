import { createHash, randomUUID } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createGrantRows } from './repositories/oauth-grants.js'
import { createStore } from './repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase, userDraft } from './testing.js'

const database = await migratedDatabase()
test.after(() => database.drop())
const store = createStore({ dataSource: database.dataSource, vault: fakeVault })
const grants = createGrantRows(database.dataSource.manager)
const user = await store.users.insert(userDraft('mia@example.com'))
const gateway = await store.gateways.insert(gatewayDraft('eng'))

const sha = (text: string) => createHash('sha256').update(text).digest('hex')
const consent = (clientKey: string, slug: string) =>
  grants.connect({
    clientKey,
    slug,
    title: slug,
    grantHash: sha(randomUUID()),
    clientId: 'c',
    gatewayId: gateway.id,
    userId: user.id,
    picker: false,
  })

test('clients of one name that come at the same moment all get in, each as a host of its own', async () => {
  const hosts = await Promise.all(Array.from({ length: 4 }, (_, n) => consent(sha(`claude ${n}`), 'claude')))
  assert.is(new Set(hosts.map(({ hostId }) => hostId)).size, 4)
})

test('a client that has the name which another one would be given keeps nobody out', async () => {
  const own = sha('the real one')
  await consent(sha('squatter'), 'cursor')
  await consent(sha('second squatter'), `cursor-${own.slice(0, 8)}`)
  const { hostId } = await consent(own, 'cursor')
  assert.is((await consent(own, 'cursor')).hostId, hostId)
  assert.is((await grants.hostOf(own))?.id, hostId)
})

test.run()
