import { randomUUID } from 'node:crypto'
import { test } from 'uvu'
import { EVERYTHING } from '../domain/provisioning.js'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { masterKey } from '../vault/keys.js'
import { rotate } from '../vault/rotate.js'
import { createVault } from '../vault/vault.js'
import { migrate } from './data-source.js'
import { createSealedSource } from './repositories/sealed.js'
import { createStore } from './repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase, ruleDraft, serverDraft, userDraft } from './testing.js'

const database = await migratedDatabase()
const store = createStore({ dataSource: database.dataSource, vault: fakeVault })

async function refusal(work: Promise<unknown>): Promise<GatehouseError> {
  try {
    await work
  } catch (thrown) {
    if (thrown instanceof GatehouseError) return thrown
    throw thrown
  }
  throw new Error('was not refused')
}

test('migrations run once, whoever comes second or at the same time', async () => {
  const other = await database.open()
  assert.equal(await Promise.all([migrate(database.dataSource), migrate(other)]), [0, 0])
})

test('the entities and the schema agree on every column', async () => {
  for (const { tableName, columns } of database.dataSource.entityMetadatas) {
    const rows: { name: string; nullable: boolean; type: string }[] = await database.dataSource.query(
      `select column_name as name, is_nullable = 'YES' as nullable,
         case data_type when 'ARRAY' then substr(udt_name, 2) || '[]' when 'timestamp with time zone' then 'timestamptz' else data_type end as type
       from information_schema.columns where table_name = $1 order by 1`,
      [tableName],
    )
    const mapped = columns.map((column) => ({
      name: column.databaseName,
      nullable: column.isNullable,
      type: column.isArray ? `${String(column.type)}[]` : String(column.type),
    }))
    assert.equal(
      mapped.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      rows,
    )
  }
})

test('a server comes back as it was put, changes and goes', async () => {
  const draft = { ...serverDraft('crm'), url: null, command: ['npx', '-y', 'crm'], env: ['TOKEN'] }
  const made = await store.servers.insert(draft)
  assert.equal({ ...made, ...draft }, made)
  assert.equal(await store.servers.find(made.id), made)
  assert.equal(await store.servers.byKey('crm'), made)
  const changed = await store.servers.update(made.id, { title: 'CRM', enabled: false })
  assert.equal(changed, { ...made, title: 'CRM', enabled: false, updatedAt: changed.updatedAt })
  assert.ok(changed.updatedAt >= made.updatedAt)
  await store.servers.remove(made.id)
  assert.is(await store.servers.find(made.id), null)
})

test('all come oldest first', async () => {
  const made = []
  for (const slug of ['z', 'a', 'm']) made.push(await store.servers.insert(serverDraft(slug)))
  assert.equal(
    (await store.servers.all()).map((server) => server.slug),
    ['z', 'a', 'm'],
  )
  for (const { id } of made) await store.servers.remove(id)
})

test('what is not there is not found, whatever stands for its id', async () => {
  for (const id of [randomUUID(), 'no-uuid']) {
    assert.is(await store.servers.find(id), null)
    assert.is((await refusal(store.servers.update(id, { title: 'x' }))).code, 'GH_API_NOT_FOUND')
    assert.is((await refusal(store.servers.remove(id))).code, 'GH_API_NOT_FOUND')
    assert.is((await refusal(store.gateways.update(id, { title: 'x' }))).code, 'GH_API_NOT_FOUND')
    assert.is((await refusal(store.gateways.setRules(id, []))).code, 'GH_API_NOT_FOUND')
    assert.is((await refusal(store.teams.update(id, { memberIds: [] }))).code, 'GH_API_NOT_FOUND')
  }
})

test('a taken key is a conflict that names the field and leaks nothing of the row', async () => {
  const { id } = await store.servers.insert(serverDraft('taken'))
  const error = await refusal(store.servers.insert(serverDraft('taken')))
  assert.is(error.code, 'GH_API_CONFLICT')
  assert.is(error.message, 'the slug of this server is taken already')
  assert.is(error.cause, undefined)
  await store.servers.remove(id)
})

test('a server needs a URL or a command, not both', async () => {
  const error = await refusal(store.servers.insert({ ...serverDraft('both'), command: ['x'] }))
  assert.is(error.code, 'GH_API_INVALID')
  assert.match(error.message, 'url and command')
})

test('what others use stays, and the refusal names them', async () => {
  const server = await store.servers.insert(serverDraft('used'))
  const assignment = {
    serverId: server.id,
    as: null,
    scheme: { kind: 'open' as const },
    provisioning: EVERYTHING,
    enabled: true,
  }
  const gateway = await store.gateways.insert(gatewayDraft('user-of-it'))
  await store.gateways.setAssignments(gateway.id, [assignment])
  const error = await refusal(store.servers.remove(server.id))
  assert.is(error.code, 'GH_API_CONFLICT')
  assert.is(error.message, 'this server is still used by gateways: user-of-it')
  await store.gateways.remove(gateway.id)
  await store.servers.remove(server.id)
})

test('a reference to nothing is a conflict that names the field', async () => {
  const error = await refusal(store.gateways.insert(gatewayDraft('g', { teamIds: [randomUUID()] })))
  assert.is(error.code, 'GH_API_CONFLICT')
  assert.match(error.message, 'the team that it refers to does not exist')
  assert.is(await store.gateways.byKey('g'), null)
})

test('a gateway comes with its parts, in order', async () => {
  const [crm, search] = [
    await store.servers.insert(serverDraft('crm')),
    await store.servers.insert(serverDraft('find')),
  ]
  const team = await store.teams.insert({ managedBy: 'api', slug: 't', title: 't', enabled: true, memberIds: [] })
  const shared = await store.identities.insert({
    managedBy: 'api',
    slug: 'reader',
    serverId: crm.id,
    shared: true,
    ownerId: null,
    headers: ['authorization'],
    enabled: true,
    kind: 'headers',
    status: 'ok',
  })
  const made = await store.gateways.insert(gatewayDraft('eng', { teamIds: [team.id], formerSlugs: ['old'] }))
  await store.gateways.setAssignments(made.id, [
    { serverId: search.id, as: null, scheme: { kind: 'per-user' }, provisioning: EVERYTHING, enabled: true },
    {
      serverId: crm.id,
      as: 'crm-shared',
      scheme: { kind: 'shared', identityId: shared.id },
      provisioning: EVERYTHING,
      enabled: false,
    },
  ])
  await store.gateways.setRules(made.id, [ruleDraft('first'), ruleDraft('second', { config: { a: [1, { b: null }] } })])

  const gateway = await store.gateways.find(made.id)
  assert.equal(await store.gateways.all(), [gateway])
  assert.equal(await store.gateways.byKey('eng'), gateway)
  assert.equal(gateway?.formerSlugs, ['old'])
  assert.equal(gateway?.teamIds, [team.id])
  assert.equal(
    gateway?.assignments.map(({ id: _id, ...rest }) => rest),
    [
      {
        gatewayId: made.id,
        serverId: search.id,
        as: null,
        position: 0,
        scheme: { kind: 'per-user' },
        provisioning: EVERYTHING,
        enabled: true,
      },
      {
        gatewayId: made.id,
        serverId: crm.id,
        as: 'crm-shared',
        position: 1,
        scheme: { kind: 'shared', identityId: shared.id },
        provisioning: EVERYTHING,
        enabled: false,
      },
    ],
  )
  const [first, second] = gateway?.rules ?? []
  assert.equal({ ...first, ...ruleDraft('first') }, first)
  assert.equal(second?.config, { a: [1, { b: null }] })
  assert.match(first?.createdAt ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.is((await refusal(store.identities.remove(shared.id))).code, 'GH_API_CONFLICT')
  await store.gateways.remove(made.id)
  await store.identities.remove(shared.id)
  for (const { id } of [crm, search]) await store.servers.remove(id)
})

test('an assignment that is taken off and put back is the same one', async () => {
  const server = await store.servers.insert(serverDraft('back'))
  const { id } = await store.gateways.insert(gatewayDraft('back'))
  const draft = {
    serverId: server.id,
    as: null,
    scheme: { kind: 'open' as const },
    provisioning: EVERYTHING,
    enabled: true,
  }
  await store.gateways.setAssignments(id, [draft])
  const before = (await store.gateways.find(id))?.assignments[0]
  await store.gateways.setAssignments(id, [])
  await store.gateways.setAssignments(id, [{ ...draft, enabled: false }])
  const after = (await store.gateways.find(id))?.assignments[0]
  assert.equal(after, { ...before, enabled: false })

  await store.gateways.setAssignments(id, [{ ...after!, as: 'renamed' }, draft])
  const [renamed, fresh] = (await store.gateways.find(id))?.assignments ?? []
  assert.is(renamed?.id, before?.id)
  assert.is.not(fresh?.id, before?.id)
  const twice = await refusal(store.gateways.setAssignments(id, [draft, draft]))
  assert.is(twice.message, 'the `as` of an assignment is taken already')
  await store.gateways.remove(id)
  await store.servers.remove(server.id)
})

test('a rule keeps its id by name, and its version rises only when its content changes', async () => {
  const { id } = await store.gateways.insert(gatewayDraft('versions'))
  const versions = async (): Promise<unknown[]> =>
    (await store.gateways.find(id))?.rules.map(({ name, version, position }) => [name, version, position]) ?? []
  await store.gateways.setRules(id, [ruleDraft('a'), ruleDraft('b')])
  const before = (await store.gateways.find(id))?.rules
  await store.gateways.setRules(id, [ruleDraft('b'), ruleDraft('a', { config: { patterns: ['x'] } })])
  assert.equal(await versions(), [
    ['b', 1, 0],
    ['a', 2, 1],
  ])
  const after = (await store.gateways.find(id))?.rules
  assert.is(after?.[0]?.id, before?.[1]?.id)
  assert.is(after?.[1]?.createdAt, before?.[0]?.createdAt)
  await store.gateways.setRules(id, [ruleDraft('a', { id: after?.[1]?.id ?? '', name: 'renamed' })])
  assert.equal(await versions(), [['renamed', 3, 0]])
  await store.gateways.remove(id)
})

test('a former slug leads to its gateway and can be nobody else’s', async () => {
  const { id } = await store.gateways.insert(gatewayDraft('first'))
  const renamed = await store.gateways.update(id, { slug: 'second' })
  assert.equal(renamed.formerSlugs, ['first'])
  const error = await refusal(store.gateways.insert(gatewayDraft('first')))
  assert.is(error.code, 'GH_API_CONFLICT')
  assert.match(error.message, 'the slug first is taken')
  assert.equal((await store.gateways.update(id, { slug: 'first' })).formerSlugs, ['second'])
  await store.gateways.remove(id)
})

test('people: e-mail ignores case, a role in use stays, a user takes own identities and secrets along', async () => {
  const user = await store.users.insert(userDraft('Ana@Example.com'))
  assert.is(user.email, 'ana@example.com')
  assert.equal(await store.users.byKey('ANA@example.COM'), user)
  assert.is((await refusal(store.users.insert(userDraft('ANA@EXAMPLE.COM')))).code, 'GH_API_CONFLICT')
  assert.is((await refusal(store.users.insert(userDraft('b@x.io', { role: 'none' })))).code, 'GH_API_CONFLICT')
  const member = await store.roles.byKey('member')
  assert.match((await refusal(store.roles.remove(member?.id ?? ''))).message, 'used by users: ana@example.com')
  assert.equal((await store.roles.byKey('super-admin'))?.capabilities, ['*'])

  const team = await store.teams.insert({
    managedBy: 'api',
    slug: 'eng',
    title: 'Eng',
    enabled: true,
    memberIds: [user.id],
  })
  assert.equal(team.memberIds, [user.id])
  const server = await store.servers.insert(serverDraft('own'))
  const draft = {
    managedBy: 'api' as const,
    serverId: server.id,
    headers: [],
    enabled: true,
    kind: 'headers' as const,
    status: 'ok' as const,
  }
  const own = await store.identities.insert({ ...draft, slug: 'own', shared: false, ownerId: user.id })
  const common = await store.identities.insert({ ...draft, slug: 'common', shared: true, ownerId: user.id })
  for (const { id } of [own, common]) await store.secrets.put({ kind: 'identity', id }, 'token', 's3cret')
  await store.users.remove(user.id)
  assert.is(await store.identities.find(own.id), null)
  assert.is(await store.secrets.get({ kind: 'identity', id: own.id }, 'token'), null)
  assert.is((await store.identities.find(common.id))?.ownerId, null)
  assert.is(await store.secrets.get({ kind: 'identity', id: common.id }, 'token'), 's3cret')
  assert.equal((await store.teams.find(team.id))?.memberIds, [])
  await store.identities.remove(common.id)
  await store.servers.remove(server.id)
})

test('a token is found by its hash, and the hash is never read out', async () => {
  const user = await store.users.insert(userDraft('holder@example.com'))
  const host = await store.hosts.insert({
    managedBy: 'api',
    slug: 'bot',
    title: 'Bot',
    kind: 'token',
    ownerId: user.id,
    enabled: true,
  })
  const gateway = await store.gateways.insert(gatewayDraft('tokens'))
  const link = { hostId: host.id, gatewayId: gateway.id, userId: user.id }
  const connection = await store.connections.insert({ managedBy: 'api', ...link, enabled: true })
  assert.equal(await store.connections.byKey(`${host.id}/${gateway.id}/${user.id}`), connection)
  assert.is(await store.connections.byKey(`${host.id}/${gateway.id}/`), null)
  assert.is(
    (await refusal(store.connections.insert({ managedBy: 'api', ...link, enabled: true }))).code,
    'GH_API_CONFLICT',
  )
  const hash = 'ab'.repeat(32)
  const draft = {
    managedBy: 'api' as const,
    kind: 'access' as const,
    label: 'first',
    lastFour: 'wxyz',
    connectionId: connection.id,
    userId: null,
    expiresAt: '2030-01-01T00:00:00.000Z',
    revokedAt: null,
    lastUsedAt: null,
    enabled: true,
  }
  const token = await store.tokens.insert({ ...draft, hash })
  for (const shown of [token, await store.tokens.find(token.id), await store.tokens.byHash(hash)]) {
    assert.is(JSON.stringify(shown).includes(hash), false)
    assert.equal(shown, token)
  }
  assert.is(await store.tokens.byHash('cd'.repeat(32)), null)
  assert.is((await refusal(store.tokens.insert({ ...draft, hash }))).code, 'GH_API_CONFLICT')
  assert.is((await refusal(store.tokens.insert({ ...draft, hash: 'the secret itself' }))).code, 'GH_API_INVALID')

  const late = new Date('2027-01-01T00:00:00Z')
  await store.tokens.touch([token.id], late)
  await store.tokens.touch([token.id], new Date('2026-01-01T00:00:00Z'))
  assert.is((await store.tokens.find(token.id))?.lastUsedAt, late.toISOString())

  const holder = await store.tokens.holderOf(hash)
  assert.is(holder?.expiresAt, Date.parse(draft.expiresAt))
  assert.equal(
    [holder?.connectionId, holder?.gatewayId, holder?.hostName, holder?.email, holder?.capabilities, holder?.teams],
    [connection.id, gateway.id, 'Bot', 'holder@example.com', ['authenticateViaOauth'], []],
  )
  await store.users.remove(user.id)
  assert.is(await store.tokens.byHash(hash), null, 'the token went with the user')
  await store.hosts.remove(host.id)
  await store.gateways.remove(gateway.id)
})

test('secrets open only in their place and go with their owner', async () => {
  const server = await store.servers.insert(serverDraft('secret'))
  const owner = { kind: 'server', id: server.id }
  await store.secrets.put(owner, 'header:x-key', 'one')
  await store.secrets.put(owner, 'header:x-key', 'two')
  await store.secrets.put(owner, 'env:A', '')
  assert.is(await store.secrets.get(owner, 'header:x-key'), 'two')
  assert.equal(await store.secrets.fields(owner), { 'env:A': '', 'header:x-key': 'two' })
  await database.dataSource.query(`update secrets set field = 'env:B' where field = 'env:A'`)
  assert.is(await store.secrets.get(owner, 'env:B').catch((error: Error) => error.message), 'sealed for another place')
  await store.secrets.remove(owner, 'env:B')
  assert.equal(Object.keys(await store.secrets.fields(owner)), ['header:x-key'])
  await store.servers.remove(server.id)
  assert.equal(await store.secrets.fields(owner), {})
})

test('the rotation walks every secret once and swaps only what it has seen', async () => {
  const source = createSealedSource(database.dataSource.manager)
  for (const field of ['a', 'b', 'c']) await store.secrets.put({ kind: 'x', id: '1' }, field, field)
  const seen = []
  for await (const page of source.pages(undefined, 2)) seen.push(...page)
  assert.equal(
    seen.map((record) => record.context),
    ['a', 'b', 'c'].map((field) => ({ table: 'secrets', id: 'x/1', field })),
  )
  const [first] = seen
  assert.is(await source.replace(first!, 'another', 'renewed'), false)
  assert.is(await source.replace(first!, first!.sealed, 'renewed'), true)
  const rest = []
  for await (const page of source.pages(first!.cursor, 10)) rest.push(...page)
  assert.is(rest.length, 2)
  await store.secrets.remove({ kind: 'x', id: '1' })
})

test('master keys rotate: every secret is sealed anew and still opens, in its place only', async () => {
  const [old, fresh] = [masterKey(Buffer.alloc(32, 1)), masterKey(Buffer.alloc(32, 2))]
  const { dataSource } = database
  const owner = { kind: 'server', id: 'rotating' }
  await createStore({ dataSource, vault: createVault([old]) }).secrets.put(owner, 'headers.x-key', 's3cret')
  const report = await rotate({ vault: createVault([fresh, old]), source: createSealedSource(dataSource.manager) })
  assert.is(report.rotated, 1)
  const rotated = createStore({ dataSource, vault: createVault([fresh]) })
  assert.is(await rotated.secrets.get(owner, 'headers.x-key'), 's3cret')
  await dataSource.query(`update secrets set owner_id = 'another' where owner_id = 'rotating'`)
  const moved = await refusal(rotated.secrets.get({ kind: 'server', id: 'another' }, 'headers.x-key'))
  assert.is(moved.code, 'GH_VAULT_OPEN')
  await rotated.secrets.remove({ kind: 'server', id: 'another' })
})

test('settings are the defaults until set; limits that are new keep their default', async () => {
  const before = await store.settings.get()
  assert.is(before.limits.call, 300_000)
  await store.settings.set({ ...before, audit: 'strict', limits: { ...before.limits, call: 1_000 } })
  await database.dataSource.query(`update settings set value = value #- '{limits,list}'`)
  assert.equal(await store.settings.get(), { ...before, audit: 'strict', limits: { ...before.limits, call: 1_000 } })
})

test('a transaction lands whole or not at all, the epoch with it', async () => {
  const before = await store.epoch()
  const failed = store.transaction(async (inside) => {
    await inside.servers.insert(serverDraft('half'))
    await inside.bumpEpoch()
    throw new Error('no')
  })
  assert.is(await failed.catch((error: Error) => error.message), 'no')
  assert.is(await store.servers.byKey('half'), null)
  assert.is(await store.epoch(), before)
  const raised = await store.transaction(async (inside) => {
    await inside.servers.insert(serverDraft('whole'))
    return inside.bumpEpoch()
  })
  assert.is(raised, before + 1)
  assert.is(await store.epoch(), before + 1)
  assert.ok(await store.servers.byKey('whole'))
})

test('a list comes back to the letter, keys in order and zero characters kept', async () => {
  const server = await store.servers.insert(serverDraft('lists'))
  const entries = [{ name: 'b\u0000', a: 1, _meta: { z: 1, y: 2 } }]
  assert.is(await store.lists.load(server.id, 'public', 'tools'), null)
  await store.lists.save(server.id, 'public', 'tools', [], 1)
  await store.lists.save(server.id, 'public', 'tools', entries, 1_700_000_000_123)
  const back = await store.lists.load(server.id, 'public', 'tools')
  assert.is(JSON.stringify(back), JSON.stringify({ entries, at: 1_700_000_000_123 }))
  await store.servers.remove(server.id)
})

test('what a server said is kept for each credential until it says something else', async () => {
  const server = await store.servers.insert(serverDraft('infos'))
  assert.is(await store.infos.load(server.id, 'public'), null)
  await store.infos.save(server.id, 'public', { instructions: 'a' }, 1)
  await store.infos.save(server.id, 'public', { instructions: '\0' }, 1_700_000_000_123)
  assert.equal(await store.infos.load(server.id, 'public'), { info: { instructions: '\0' }, at: 1_700_000_000_123 })
  assert.is(await store.infos.load(server.id, 'mine'), null)
  await store.servers.remove(server.id)
  assert.is(await store.infos.load(server.id, 'public'), null)
})

test.after(() => database.drop())
test.run()
