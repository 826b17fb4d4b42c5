import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CAPABILITIES } from '../domain/capabilities.js'
import { configurationBench, refusalOf } from '../test/configuration.js'
import { createConnection } from './nouns/connections.js'
import { createExporter, updateExporter } from './nouns/exporters.js'
import { createGateway, removeGateway, updateGateway } from './nouns/gateways.js'
import { createIdentity, removeIdentity, updateIdentity } from './nouns/identities.js'
import { addAssignment, addRule, removeRule, updateRule } from './nouns/parts.js'
import { createRole, createTeam, createUser, removeRole, removeUser, updateRole, updateUser } from './nouns/people.js'
import { createServer, removeServer, updateServer } from './nouns/servers.js'
import { updateSettings } from './nouns/settings.js'
import { createToken, revokeToken } from './nouns/tokens.js'
import type { Work } from './work.js'

const URL_A = 'https://a.example.com/mcp'
const keyed = (value: string) => ({ url: URL_A, auth: { headers: { 'X-Key': value } } })
const regex = (name: string) => ({
  name,
  engine: 'regex',
  hook: 'both' as const,
  action: 'mask' as const,
  patterns: ['x'],
})

async function bench(capabilities = ['*'], email = 'root@example.com') {
  const it = await configurationBench()
  const actor = await it.as(capabilities, email)
  const role = await it.store.roles.insert({ slug: 'bench', title: 'bench', capabilities, managedBy: 'system' })
  if (email !== 'root@example.com') await it.store.users.update(actor.userId ?? '', { role: role.slug })
  const change = <T>(work: (work: Work) => Promise<T>) => it.mutations.change(actor, work)
  const setUp = <T>(work: (work: Work) => Promise<T>) => it.mutations.change(it.admin, work)
  return { ...it, change, setUp, refused: (work: (work: Work) => Promise<unknown>) => refusalOf(change(work)) }
}

test('a change that waited while its actor was disabled or demoted does not happen', async () => {
  const { change, setUp, as, mutations, store } = await bench()
  await setUp((work) => createUser(work, 'eve@example.com', { role: 'super-admin' }))
  const eve = await as(['*'], 'eve@example.com')
  const byEve = (slug: string) => mutations.change(eve, (work) => createTeam(work, slug, {}))
  await byEve('before')
  for (const patch of [{ enabled: false }, { enabled: true, role: 'member' }]) {
    await change((work) => updateUser(work, 'eve@example.com', patch))
    assert.is((await refusalOf(byEve('after'))).code, 'GH_API_FORBIDDEN')
  }
  await change((work) => removeUser(work, 'eve@example.com'))
  assert.is((await refusalOf(byEve('after'))).code, 'GH_API_FORBIDDEN')
  assert.equal(
    (await store.teams.all()).map(({ slug }) => slug),
    ['before'],
  )
})

test('a change is told of after it stands and raises the epoch', async () => {
  const { change, told } = await bench()
  await change((work) => createTeam(work, 'a', {}))
  await change((work) => createTeam(work, 'b', {}))
  assert.equal(told, [1, 2])
})

test('a refused change changes nothing and tells nobody', async () => {
  const { refused, store, told } = await bench()
  await refused(async (work) => {
    await createTeam(work, 'a', {})
    await createTeam(work, 'b', { members: ['nobody@example.com'] })
  })
  assert.equal(await store.teams.all(), [])
  assert.equal(told, [])
})

test('a taken name conflicts and names the field', async () => {
  const { change, refused } = await bench()
  await change((work) => createTeam(work, 'a', {}))
  const error = await refused((work) => createTeam(work, 'a', {}))
  assert.is(error.code, 'GH_API_CONFLICT')
  assert.is(error.data?.['field'], 'slug')
})

test('a reference to nothing names the field', async () => {
  const { refused } = await bench()
  const error = await refused((work) => createGateway(work, 'eng', { servers: [{ server: 'nowhere' }] }))
  assert.is(error.code, 'GH_API_INVALID')
  assert.is(error.data?.['field'], 'servers[0].server')
})

test('what the file manages is read-only for the API', async () => {
  const { files, fromFile, refused } = await bench()
  await files.apply(fromFile('version: 1\nservers: { s: { url: https://a.example.com } }\ngateways: { g: {} }\n'))
  for (const work of [
    (work: Work) => updateServer(work, 's', { title: 'x' }),
    (work: Work) => removeServer(work, 's'),
    (work: Work) => updateGateway(work, 'g', { title: 'x' }),
    (work: Work) => removeGateway(work, 'g'),
    (work: Work) => addRule(work, 'g', regex('a')),
    (work: Work) => addAssignment(work, 'g', { server: 's' }),
  ]) {
    const error = await refused(work)
    assert.is(error.code, 'GH_API_CONFLICT')
    assert.match(error.message, 'is managed by the file')
  }
})

test('the secrets of a server are sealed apart from it and follow its headers', async () => {
  const { change, store } = await bench()
  const { id } = await change((work) => createServer(work, 's', keyed('one')))
  assert.equal(await store.secrets.fields({ kind: 'server', id }), { 'headers.X-Key': 'one' })
  assert.equal((await store.servers.find(id))?.headers, ['X-Key'])
  await change((work) => updateServer(work, 's', { auth: { headers: { 'X-Other': 'two' } } }))
  assert.equal(await store.secrets.fields({ kind: 'server', id }), { 'headers.X-Other': 'two' })
  await change((work) => updateServer(work, 's', { auth: 'none' }))
  assert.equal(await store.secrets.fields({ kind: 'server', id }), {})
})

test('a command needs the capability to deploy besides the one to configure', async () => {
  const RUNS = ['basicServerManagement', 'createAndConfigureManagedAndWorkstationServers']
  for (const [capabilities, isRefused] of [
    [RUNS, true],
    [[...RUNS, 'deployNewServerInstances'], false],
  ] as const) {
    const it = await configurationBench({ checks: { stdio: true } })
    const actor = await it.as(capabilities)
    const made = it.mutations.change(actor, (work) => createServer(work, 's', { command: ['node'] }))
    if (isRefused) assert.match((await refusalOf(made)).message, 'deployNewServerInstances')
    else await made
  }
})

test('stored headers do not follow a server to another origin', async () => {
  const { change, refused, store } = await bench()
  const { id } = await change((work) => createServer(work, 's', keyed('one')))
  const error = await refused((work) => updateServer(work, 's', { url: 'https://evil.example.com/mcp' }))
  assert.is(error.data?.['field'], 'auth')
  await change((work) => updateServer(work, 's', { url: 'https://a.example.com/other' }))
  await change((work) =>
    updateServer(work, 's', { url: 'https://b.example.com/', auth: { headers: { 'X-Key': 'two' } } }),
  )
  assert.equal(await store.secrets.fields({ kind: 'server', id }), { 'headers.X-Key': 'two' })
})

test('identities of others do not follow a server to another origin', async () => {
  const { change, refused } = await bench()
  await change((work) => createServer(work, 's', { url: URL_A }))
  await change((work) => createIdentity(work, 'i', { server: 's', shared: true, headers: { A: 'b' } }))
  assert.is(
    (await refused((work) => updateServer(work, 's', { url: 'https://b.example.com' }))).code,
    'GH_API_CONFLICT',
  )
})

test('stored headers do not follow an exporter to another origin', async () => {
  const { change, refused } = await bench()
  await change((work) => createExporter(work, 'soc', { plugin: 'siem-otlp', url: URL_A, headers: { A: 'b' } }))
  const error = await refused((work) => updateExporter(work, 'soc', { url: 'https://evil.example.com' }))
  assert.is(error.data?.['field'], 'headers')
})

test('a secret that would not be sealed is refused', async () => {
  const { refused } = await bench()
  const input = { plugin: 'siem-otlp', url: URL_A, apiKey: 'k' }
  assert.is((await refused((work) => createExporter(work, 'soc', input))).data?.['field'], 'apiKey')
})

test('an address that the gateway may not call is refused, naming the field', async () => {
  const { refused } = await bench()
  const error = await refused((work) => createServer(work, 's', { url: 'https://refused.example.com' }))
  assert.is(error.code, 'GH_EGRESS_REFUSED')
  assert.is(error.data?.['field'], 'url')
})

test('the API adds no commands unless the operator says so; the operator’s file does', async () => {
  const { refused, files, fromFile, admin } = await bench()
  const error = await refused((work) => createServer(work, 's', { command: ['npx', 'x'] }))
  assert.is(error.code, 'GH_API_FORBIDDEN')
  assert.match(error.message, 'GATEHOUSE_STDIO=on')
  const text = 'version: 1\nservers: { s: { command: [npx, x] } }\n'
  assert.is((await refusalOf(files.apply(fromFile(text, { isOperator: false })))).code, 'GH_API_FORBIDDEN')
  assert.is((await files.apply(fromFile(text))).length, 1)
  const open = await configurationBench({ checks: { stdio: true } })
  await open.mutations.change(await open.as([...admin.capabilities]), (work) =>
    createServer(work, 's', { command: ['x'] }),
  )
})

test('a server is a url or a command, with what belongs to it', async () => {
  const { refused } = await bench()
  const field = async (input: Parameters<typeof createServer>[2]) =>
    (await refused((work) => createServer(work, 's', input))).data?.['field']
  assert.is(await field({}), undefined)
  assert.is(await field({ url: URL_A, command: ['x'] }), 'command')
  assert.is(await field({ url: URL_A, env: { A: 'b' } }), 'env')
  assert.is(await field({ command: ['x'], auth: { headers: { A: 'b' } } }), 'auth')
})

test('a server in use stays', async () => {
  const { change, refused } = await bench()
  await change((work) => createServer(work, 's', { url: URL_A }))
  await change((work) => createGateway(work, 'g', { servers: [{ server: 's' }] }))
  assert.match((await refused((work) => removeServer(work, 's'))).message, 'is used by the gateways g')
})

test('two servers of a gateway never go by one name', async () => {
  const { change, refused } = await bench()
  await change((work) => createServer(work, 's', { url: URL_A }))
  await change((work) => createServer(work, 't', { url: URL_A }))
  await change((work) => createGateway(work, 'g', { servers: [{ server: 's' }] }))
  assert.match((await refused((work) => addAssignment(work, 'g', { server: 's' }))).message, "two servers go by 's'")
  assert.match((await refused((work) => addAssignment(work, 'g', { server: 't', as: 's' }))).message, "go by 's'")
  await change((work) => addAssignment(work, 'g', { server: 's', as: 's-too' }))
  assert.is((await refused((work) => updateGateway(work, 'g', { prefix: 'never' }))).data?.['field'], 'prefix')
})

test('an assignment keeps its id while server and name stay', async () => {
  const { change } = await bench()
  await change((work) => createServer(work, 's', { url: URL_A }))
  await change((work) => createServer(work, 't', { url: URL_A }))
  const before = await change((work) => createGateway(work, 'g', { servers: [{ server: 's' }] }))
  const after = await change((work) => updateGateway(work, 'g', { servers: [{ server: 't' }, { server: 's' }] }))
  assert.is(after.assignments[1]?.id, before.assignments[0]?.id)
})

test('a shared scheme takes a shared identity of that very server', async () => {
  const { change, refused } = await bench()
  await change((work) => createServer(work, 's', { url: URL_A }))
  await change((work) => createServer(work, 't', { url: URL_A }))
  await change((work) => createIdentity(work, 'of-t', { server: 't', shared: true, headers: { A: 'b' } }))
  await change((work) => createIdentity(work, 'mine', { server: 's', headers: { A: 'b' } }))
  await change((work) => createGateway(work, 'g', {}))
  const take = (shared: string) => refused((work) => addAssignment(work, 'g', { server: 's', identity: { shared } }))
  assert.match((await take('of-t')).message, 'is for another server')
  assert.match((await take('mine')).message, 'is personal')
})

test('a rule’s engine is known, and checks what is its own', async () => {
  const { change, refused } = await bench()
  await change((work) => createGateway(work, 'g', {}))
  const refusal = async (rule: object) =>
    (await refused((work) => addRule(work, 'g', { ...regex('r'), ...rule }))).message
  assert.match(await refusal({ engine: 'regx' }), "there is no engine 'regx'; did you mean regex?")
  assert.match(await refusal({ engine: 'presidio' }), 'known are regex, acme')
  assert.match(await refusal({ patterns: ['('] }), 'patterns[0]: is not a pattern (at character 1)')
  assert.match(await refusal({ onFailure: 'allow' }), 'onFailure: the engine regex cannot fail')
  assert.match(await refusal({ action: 'replace' }), 'replacement: the action replace needs a replacement')
  assert.match(await refusal({ action: undefined }), 'action: the engine regex needs an action')
  assert.match(await refusal({ version: 3 }), 'version: is set by the gateway')
})

test('a rule keeps its id when it changes; order is what is said', async () => {
  const { change, store, refused } = await bench()
  const g = await change((work) => createGateway(work, 'g', { rules: [regex('one'), regex('two')] }))
  const two = await change((work) => updateRule(work, 'g', g.rules[1]?.id ?? '', { alerts: true, position: 0 }))
  assert.is(two.version, 2)
  assert.equal(two.config, { patterns: ['x'] })
  assert.equal(
    (await store.gateways.find(g.id))?.rules.map(({ name }) => name),
    ['two', 'one'],
  )
  assert.is((await refused((work) => updateRule(work, 'g', two.id, { name: 'one' }))).code, 'GH_API_CONFLICT')
  await change((work) => removeRule(work, 'g', two.id))
  assert.is((await refused((work) => removeRule(work, 'g', two.id))).code, 'GH_API_NOT_FOUND')
})

test('a former slug of a gateway stays its own', async () => {
  const { change, refused } = await bench()
  await change((work) => createGateway(work, 'old', {}))
  const renamed = await change((work) => updateGateway(work, 'old', { slug: 'new' }))
  assert.equal(renamed.formerSlugs, ['old'])
  assert.match((await refused((work) => createGateway(work, 'old', {}))).message, "former name of the gateway 'new'")
  assert.equal((await change((work) => updateGateway(work, 'new', { slug: 'old' }))).formerSlugs, ['new'])
})

test('nobody grants what they do not hold', async () => {
  const { refused, change } = await bench(['managePeople'])
  const escalations: ((work: Work) => Promise<unknown>)[] = [
    (work) => createUser(work, 'eve@example.com', { role: 'super-admin' }),
    (work) => updateUser(work, 'mia@example.com', { role: 'administrator' }),
    (work) => createRole(work, 'mine', { capabilities: ['deleteServers'] }),
    (work) => updateRole(work, 'administrator', { capabilities: ['managePeople'] }),
    (work) => updateRole(work, 'member', { capabilities: ['deleteServers'] }),
    (work) => updateSettings(work, { defaultRole: 'administrator' }),
  ]
  for (const work of escalations) assert.is((await refused(work)).code, 'GH_API_FORBIDDEN')
  await change((work) => createRole(work, 'inviter', { capabilities: ['managePeople'] }))
})

test('nobody reaches a person who holds more', async () => {
  const { refused } = await bench(['managePeople'])
  assert.is(
    (await refused((work) => updateUser(work, 'root@example.com', { enabled: false }))).code,
    'GH_API_FORBIDDEN',
  )
  assert.is((await refused((work) => removeUser(work, 'root@example.com'))).code, 'GH_API_FORBIDDEN')
})

test('the last enabled super admin stays', async () => {
  const { refused, change } = await bench()
  for (const work of [
    (work: Work) => updateUser(work, 'root@example.com', { enabled: false }),
    (work: Work) => updateUser(work, 'root@example.com', { role: 'member' }),
    (work: Work) => removeUser(work, 'root@example.com'),
  ])
    assert.match((await refused(work)).message, 'is the last enabled super admin')
  await change((work) => createUser(work, 'second@example.com', { role: 'super-admin' }))
  await change((work) => updateUser(work, 'root@example.com', { enabled: false }))
})

test('the account of the command line is no person: it stays, and does not count', async () => {
  const { refused, setUp } = await bench()
  await setUp(({ store }) =>
    store.users.insert({
      ...{ email: 'operator@localhost', name: '', role: 'super-admin', enabled: true, managedBy: 'system' },
    }),
  )
  assert.match(
    (await refused((work) => updateUser(work, 'root@example.com', { role: 'member' }))).message,
    'is the last enabled super admin',
  )
  for (const work of [
    (work: Work) => updateUser(work, 'operator@localhost', { enabled: false }),
    (work: Work) => updateUser(work, 'operator@localhost', { role: 'member' }),
    (work: Work) => removeUser(work, 'operator@localhost'),
  ])
    assert.match((await refused(work)).message, 'belongs to the command line')
})

test('a role is copied with what it holds, unless it holds more than whoever copies it', async () => {
  const { change, refused } = await bench()
  const copy = await change((work) => createRole(work, 'copy', { from: 'member' }))
  assert.equal([copy.capabilities, copy.title], [['authenticateViaOauth'], 'copy'])
  assert.equal((await change((work) => createRole(work, 'all', { from: 'super-admin' }))).capabilities, [
    ...CAPABILITIES,
  ])
  assert.is((await refused((work) => createRole(work, 'x', { from: 'nowhere' }))).data?.['field'], 'from')
  const { refused: refusedHere } = await bench(['managePeople'])
  assert.is((await refusedHere((work) => createRole(work, 'mine', { from: 'administrator' }))).code, 'GH_API_FORBIDDEN')
})

test('with a person goes what is theirs, and nothing else', async () => {
  const { change, store } = await bench()
  await change((work) => createUser(work, 'eve@example.com', {}))
  await change((work) => createTeam(work, 'both', { members: ['eve@example.com', 'mia@example.com'] }))
  await change((work) => createGateway(work, 'g', {}))
  for (const user of ['eve@example.com', 'mia@example.com'])
    await change((work) => createToken(work, { kind: 'access', gateway: 'g', host: 'bot', user }))
  await change((work) => removeUser(work, 'eve@example.com'))
  assert.is((await store.tokens.all()).length, 1)
  assert.is((await store.connections.all()).length, 1)
  assert.is((await store.teams.byKey('both'))?.memberIds.length, 1)
})

test('built-in roles and roles in use stay', async () => {
  const { change, refused } = await bench()
  assert.match((await refused((work) => removeRole(work, 'member'))).message, 'is built in')
  assert.match((await refused((work) => updateRole(work, 'super-admin', { title: 'x' }))).message, 'every capability')
  assert.match((await refused((work) => updateRole(work, 'member', { title: 'x' }))).message, 'keeps its name')
  await change((work) => createRole(work, 'auditor', { capabilities: ['viewAndExportLogs'] }))
  await change((work) => updateUser(work, 'mia@example.com', { role: 'auditor' }))
  assert.match((await refused((work) => removeRole(work, 'auditor'))).message, 'is held by mia@example.com')
})

test('one’s own identity is one’s own to manage, that of another is not', async () => {
  const { change, setUp, refused } = await bench([], 'mia@example.com')
  await setUp((work) => createServer(work, 's', { url: URL_A }))
  await setUp((work) => createIdentity(work, 'shared', { server: 's', shared: true, headers: { A: 'b' } }))
  await change((work) => createIdentity(work, 'mine', { server: 's', headers: { A: 'b' } }))
  await change((work) => updateIdentity(work, 'mine', { headers: { A: 'c' } }))
  for (const work of [
    (work: Work) => updateIdentity(work, 'shared', { headers: { A: 'c' } }),
    (work: Work) => removeIdentity(work, 'shared'),
    (work: Work) => updateIdentity(work, 'mine', { shared: true }),
    (work: Work) => createIdentity(work, 'root-s', { server: 's', owner: 'root@example.com', headers: { A: 'b' } }),
  ])
    assert.is((await refused(work)).message, "Capability 'identityManagement' is required.")
})

test('an access token makes the host and the connection it needs, and only its hash is kept', async () => {
  const { change, store, rootId } = await bench()
  await change((work) => createGateway(work, 'g', {}))
  const first = await change((work) => createToken(work, { kind: 'access', gateway: 'g', host: 'bot' }))
  const second = await change((work) => createToken(work, { kind: 'access', gateway: 'g', host: 'bot' }))
  assert.match(first.secret, /^API_[A-Za-z0-9_-]{43}$/)
  assert.is.not(first.secret, second.secret)
  assert.is((await store.hosts.all()).length, 1)
  assert.equal(
    (await store.connections.all()).map(({ userId }) => userId),
    [rootId],
  )
  assert.not.match(JSON.stringify(await store.tokens.all()), first.secret.slice(4, 40))
  assert.is(first.token.lastFour, first.secret.slice(-4))
})

test('nobody takes a token in the name of another without managing people, nor of one who holds more', async () => {
  const { setUp, change, refused } = await bench(['createAndManageApiTokens'], 'mia@example.com')
  await setUp((work) => createGateway(work, 'g', {}))
  await setUp((work) => createUser(work, 'max@example.com', {}))
  const forUser = (user: string) => (work: Work) =>
    createToken(work, { kind: 'access', gateway: 'g', host: 'bot', user })
  assert.match((await refused(forUser('max@example.com'))).message, 'managePeople')
  assert.match(
    (await refused((work) => createConnection(work, { host: 'bot', gateway: 'g', user: 'max@example.com' }))).message,
    'bot',
  )
  await change(forUser('mia@example.com'))
  const manager = await bench(['createAndManageApiTokens', 'managePeople', 'authenticateViaOauth'], 'mia@example.com')
  await manager.setUp((work) => createGateway(work, 'g', {}))
  assert.match((await manager.refused(forUser('root@example.com'))).message, 'holds more than you')
})

test('an admin token is the caller’s own and ends after 90 days unless told', async () => {
  const { change, rootId } = await bench()
  const { token, secret } = await change((work) => createToken(work, { kind: 'admin', label: 'ci' }))
  assert.match(secret, /^gpat_[A-Za-z0-9_-]{43}$/)
  assert.is(token.userId, rootId)
  const days = (Date.parse(token.expiresAt ?? '') - Date.parse(token.createdAt)) / 86_400_000
  assert.ok(Math.abs(days - 90) < 0.01)
  const forEver = await change((work) => createToken(work, { kind: 'admin', label: 'ci', expiresAt: null }))
  assert.is(forEver.token.expiresAt, null)
})

test('a member revokes their own admin token, not that of another', async () => {
  const { change, setUp, refused } = await bench([], 'mia@example.com')
  const own = await change((work) => createToken(work, { kind: 'admin', label: 'mine' }))
  const other = await setUp((work) => createToken(work, { kind: 'admin', label: 'root' }))
  assert.ok((await change((work) => revokeToken(work, own.token.id))).revokedAt)
  assert.is((await refused((work) => revokeToken(work, other.token.id))).code, 'GH_API_FORBIDDEN')
})

test('with a person go their connections, tokens, memberships and identities', async () => {
  const { change, store } = await bench()
  await change((work) => createServer(work, 's', { url: URL_A }))
  await change((work) => createGateway(work, 'g', {}))
  await change((work) => createTeam(work, 't', { members: ['mia@example.com'] }))
  await change((work) => createToken(work, { kind: 'access', gateway: 'g', host: 'bot', user: 'mia@example.com' }))
  await change((work) => createIdentity(work, 'i', { server: 's', owner: 'mia@example.com', headers: { A: 'b' } }))
  await change((work) => removeUser(work, 'mia@example.com'))
  assert.equal((await store.teams.byKey('t'))?.memberIds, [])
  for (const table of ['connections', 'tokens', 'identities'] as const) assert.equal(await store[table].all(), [])
})

test.run()
