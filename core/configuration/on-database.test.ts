import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withAdvisoryLock } from '../cluster/locks.js'
import { createStore } from '../db/repositories/store.js'
import { fakeVault, migratedDatabase } from '../db/testing.js'
import { configurationBench, FULL_FILE, FULL_SECRETS, refusalOf } from '../test/configuration.js'
import { exportFile } from './export.js'
import { createGateway, updateGateway } from './nouns/gateways.js'
import { createIdentity } from './nouns/identities.js'
import { addAssignment, updateRule } from './nouns/parts.js'
import { createTeam, createUser, removeUser, updateUser } from './nouns/people.js'
import { createServer, removeServer, updateServer } from './nouns/servers.js'
import { updateSettings } from './nouns/settings.js'
import { createToken } from './nouns/tokens.js'

/** The laws that the store in memory only stands in for, on PostgreSQL. */

type Database = Awaited<ReturnType<typeof migratedDatabase>>
let database: Database
test.before(async () => {
  database = await migratedDatabase()
})
test.after(() => database.drop())

async function bench() {
  const { dataSource } = database
  const store = createStore({ dataSource, vault: fakeVault })
  return configurationBench({ store, lock: (work) => withAdvisoryLock(dataSource, 'configuration', work) })
}

test('a file is applied, planned again to nothing, exported, and pruned', async () => {
  const { files, fromFile, store } = await bench()
  const first = await files.plan(fromFile(FULL_FILE, { secrets: FULL_SECRETS }))
  assert.equal(await store.servers.byKey('search'), null)
  assert.equal(await files.apply(fromFile(FULL_FILE, { secrets: FULL_SECRETS })), first)
  assert.equal(await files.apply(fromFile(FULL_FILE, { secrets: FULL_SECRETS })), [])
  const { id = '' } = (await store.servers.byKey('search')) ?? {}
  assert.equal(await store.secrets.fields({ kind: 'server', id }), { 'headers.X-Key': 'se' })
  const secrets = {
    'env:EVERYTHING_DEBUG': '0',
    'env:EVERYTHING_API_KEY': 'ev',
    'env:SEARCH_X_KEY': 'se',
    'env:READER_AUTHORIZATION': 'Bearer re',
    'env:SOC_X_KEY': 'so',
    'env:OKTA_CLIENTSECRET': 'ok',
    'env:OPS_SECRET': 'op',
    'env:OPS_X_KEY': 'ke',
    'env:DLP_AUTHORIZATION': 'Bearer dl',
    'env:DLP_TOKEN': 'dt',
  }
  assert.equal(await files.plan(fromFile(await exportFile(store), { secrets })), [])
  const bad = FULL_FILE.replace('owner: bob@example.com', 'owner: nobody@example.com').replace('legacy', 'auto')
  await refusalOf(files.apply(fromFile(bad, { secrets: FULL_SECRETS })))
  assert.is((await store.servers.byKey('search'))?.protocol, 'legacy')
  const removed = await files.apply(fromFile('version: 1\n', { prune: true }))
  assert.is(removed.length, 13)
  assert.is((await store.servers.all()).length, 0)
})

test('what the API makes, changes and removes stands, and a rule counts its versions', async () => {
  const { mutations, admin, store } = await bench()
  const rule = { name: 'r', engine: 'regex', hook: 'both' as const, action: 'mask' as const, patterns: ['x'] }
  await mutations.change(admin, (work) => createServer(work, 's', { url: 'https://a.example.com' }))
  await mutations.change(admin, (work) => updateServer(work, 's', { auth: { headers: { A: 'b' } } }))
  await mutations.change(admin, (work) => createTeam(work, 't', { members: ['mia@example.com'] }))
  const gateway = await mutations.change(admin, (work) =>
    createGateway(work, 'g', { teams: ['t'], servers: [{ server: 's' }], rules: [rule] }),
  )
  await mutations.change(admin, (work) => addAssignment(work, 'g', { server: 's', as: 'again', identity: 'per-user' }))
  const id = gateway.rules[0]?.id ?? ''
  assert.is((await mutations.change(admin, (work) => updateRule(work, 'g', id, { alerts: true }))).version, 2)
  assert.is((await mutations.change(admin, (work) => updateRule(work, 'g', id, { alerts: true }))).version, 2)
  const renamed = await mutations.change(admin, (work) => updateGateway(work, 'g', { slug: 'h' }))
  assert.equal([renamed.id, renamed.formerSlugs, renamed.assignments.length], [gateway.id, ['g'], 2])
  assert.is((await refusalOf(mutations.change(admin, (work) => removeServer(work, 's')))).code, 'GH_API_CONFLICT')
  await mutations.change(admin, (work) => updateSettings(work, { limits: { call: 90_000 } }))
  assert.is((await store.settings.get()).limits.call, 90_000)
  await mutations.change(admin, (work) => updateSettings(work, { limits: { parkedCalls: { perUser: 7 } } }))
  await mutations.change(admin, (work) => updateSettings(work, { limits: { parkedCalls: { perServer: 3 } } }))
  const { call, parkedCalls } = (await store.settings.get()).limits
  assert.equal([call, parkedCalls], [90_000, { perReplica: 1_000, perUser: 7, perServer: 3 }])
})

test('a token opens what it was made for, and goes with its person', async () => {
  const { mutations, admin, store } = await bench()
  await mutations.change(admin, (work) => createUser(work, 'eve@example.com', {}))
  await mutations.change(admin, (work) =>
    createIdentity(work, 'eves', { server: 's', owner: 'eve@example.com', headers: { A: 'b' } }),
  )
  const { token } = await mutations.change(admin, (work) =>
    createToken(work, { kind: 'access', gateway: 'h', host: 'bot', user: 'eve@example.com' }),
  )
  assert.is((await store.tokens.find(token.id))?.connectionId, token.connectionId)
  await mutations.change(admin, (work) => removeUser(work, 'eve@example.com'))
  assert.is(await store.tokens.find(token.id), null)
  assert.is(await store.identities.byKey('eves'), null)
})

test('two super admins who demote each other at once do not both succeed', async () => {
  const { mutations, admin, store } = await bench()
  for (const user of await store.users.all())
    if (user.role === 'super-admin' && user.email !== 'root@example.com') await store.users.remove(user.id)
  await mutations.change(admin, (work) => createUser(work, 'second@example.com', { role: 'super-admin' }))
  const ends = await Promise.allSettled(
    ['root@example.com', 'second@example.com'].map((email) =>
      mutations.change(admin, (work) => updateUser(work, email, { enabled: false })),
    ),
  )
  assert.equal(ends.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
})

test.run()
