import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEpochs } from '../cluster/epochs.js'
import type { Epochs } from '../cluster/epochs.js'
import { createStore } from '../db/repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase, serverDraft, userDraft } from '../db/testing.js'
import type { Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'
import { createIdentities } from './identities.js'
import { createOwnIdentities } from './own-identities.js'
import { mintSecret } from './tokens.js'

const database = await migratedDatabase()
const store = createStore({ dataSource: database.dataSource, vault: fakeVault })
const managedBy = 'api'
let count = 0
const nobodys = { learn: () => undefined }

/** A person with a token for a gateway of their team, and what resolves it. */
async function scene(clock: () => number = Date.now) {
  const n = ++count
  const user = await store.users.insert(userDraft(`user${n}@example.com`))
  const team = await store.teams.insert({ managedBy, slug: `t${n}`, title: '', enabled: true, memberIds: [user.id] })
  const gateway = await store.gateways.insert(gatewayDraft(`g${n}`, { teamIds: [team.id] }))
  const host = await store.hosts.insert({
    managedBy,
    slug: `h${n}`,
    title: 'Bot',
    kind: 'token',
    ownerId: null,
    enabled: true,
  })
  const link = { hostId: host.id, gatewayId: gateway.id, userId: user.id }
  const connection = await store.connections.insert({ managedBy, ...link, enabled: true })
  const { hash, lastFour } = mintSecret('API_')
  const token = await store.tokens.insert({
    managedBy,
    kind: 'access',
    label: '',
    lastFour,
    connectionId: connection.id,
    userId: null,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    enabled: true,
    hash,
  })
  const epochs = createEpochs({ store, intervalMs: 2 ** 30 })
  await epochs.check()
  const own = createOwnIdentities({ store, epochs })
  const identities = createIdentities({ store, epochs, own, clock })
  const resolve = (which = gateway) => identities.resolve({ kind: 'token', hash }, { gateway: which })
  return { user, team, gateway, host, connection, token, hash, epochs, identities, own, resolve }
}

type Scene = Awaited<ReturnType<typeof scene>>

async function refusal(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'was not refused'
  } catch (thrown) {
    if (thrown instanceof GatehouseError) return `${thrown.code}: ${thrown.detail}`
    throw thrown
  }
}

test('a token leads to user, host and connection; the second time at once', async () => {
  const { resolve, user, team, host, connection, gateway, identities, token } = await scene()
  const principal = await resolve()
  assert.equal(principal, {
    user: {
      id: user.id,
      email: user.email,
      name: user.name,
      role: 'member',
      teams: [team.id],
      capabilities: new Set(['authenticateViaOauth']),
    },
    host: { id: host.id, name: 'Bot', kind: 'token' },
    connection: { id: connection.id, gatewayId: gateway.id },
    attributes: {},
  })
  assert.is(resolve(), principal)
  await identities.flush()
  assert.ok((await store.connections.find(connection.id))?.lastUsedAt)
  assert.ok((await store.tokens.find(token.id))?.lastUsedAt)
})

const now = new Date().toISOString()
const laws: readonly [string, (scene: Scene) => Promise<unknown>, string][] = [
  [
    'revoked',
    ({ token }) => store.tokens.update(token.id, { revokedAt: now }),
    'GH_AUTHENTICATE_INVALID: the token is revoked',
  ],
  [
    'expired',
    ({ token }) => store.tokens.update(token.id, { expiresAt: now }),
    'GH_AUTHENTICATE_INVALID: the token has expired',
  ],
  ['deleted', ({ token }) => store.tokens.remove(token.id), 'GH_AUTHENTICATE_INVALID: no such token'],
  ['of a deleted user', ({ user }) => store.users.remove(user.id), 'GH_AUTHENTICATE_INVALID: no such token'],
  [
    'of a deleted connection',
    (s) => store.connections.remove(s.connection.id),
    'GH_AUTHENTICATE_INVALID: no such token',
  ],
  [
    'disabled',
    ({ token }) => store.tokens.update(token.id, { enabled: false }),
    'GH_AUTHENTICATE_DISABLED: the token is disabled',
  ],
  [
    'of a disabled user',
    ({ user }) => store.users.update(user.id, { enabled: false }),
    'GH_AUTHENTICATE_DISABLED: the user is disabled',
  ],
  [
    'of a disabled host',
    ({ host }) => store.hosts.update(host.id, { enabled: false }),
    'GH_AUTHENTICATE_DISABLED: the host is disabled',
  ],
  [
    'of a disabled connection',
    (s) => store.connections.update(s.connection.id, { enabled: false }),
    'GH_AUTHENTICATE_DISABLED: the connection is disabled',
  ],
  [
    'of a user without the team',
    ({ team }) => store.teams.update(team.id, { memberIds: [] }),
    'GH_PERMIT_REFUSED: no team, no capability',
  ],
  [
    'of a user of a disabled team',
    ({ team }) => store.teams.update(team.id, { enabled: false }),
    'GH_PERMIT_REFUSED: no team, no capability',
  ],
]
for (const [what, change, expected] of laws)
  test(`a token ${what} is refused on the very next request here and, once it asks, at the other replica`, async () => {
    const here = await scene()
    const epochs = createEpochs({ store, intervalMs: 2 ** 30 })
    await epochs.check()
    const there = createIdentities({ store, epochs, own: nobodys })
    const resolveThere = () => there.resolve({ kind: 'token', hash: here.hash }, here)
    await here.resolve()
    await resolveThere()
    await change(here)
    await here.epochs.bump()
    assert.is(await refusal(() => here.resolve()), expected)
    await epochs.check()
    assert.is(await refusal(resolveThere), expected)
  })

test('a replica that has not heard of the epoch for 750 ms asks before it believes its cache', async () => {
  const { hash, gateway, token } = await scene()
  let time = 0
  const epochs = createEpochs({ store, intervalMs: 2 ** 30, clock: () => time })
  await epochs.check()
  const identities = createIdentities({ store, epochs, own: nobodys })
  const resolve = () => identities.resolve({ kind: 'token', hash }, { gateway })
  await resolve()
  await store.tokens.update(token.id, { revokedAt: now })
  await store.bumpEpoch()
  time = 750
  assert.not(resolve() instanceof Promise)
  time = 751
  assert.match(await refusal(resolve), 'revoked')
})

test('a token expires between two requests without any change', async () => {
  let time = Date.now()
  const { resolve, token, epochs } = await scene(() => time)
  await store.tokens.update(token.id, { expiresAt: new Date(time + 1_000).toISOString() })
  await epochs.bump()
  await resolve()
  time += 999
  resolve()
  time += 1
  assert.match(await refusal(resolve), 'expired')
})

test('a token opens its own gateway only, and that only while it is enabled', async () => {
  const { resolve, gateway } = await scene()
  const another = await store.gateways.insert(gatewayDraft(`another`, { teamIds: gateway.teamIds }))
  await resolve()
  assert.match(await refusal(() => resolve(another)), 'GH_AUTHENTICATE_INVALID: the token is for another gateway')
  assert.match(await refusal(() => resolve({ ...gateway, enabled: false })), 'GH_AUTHENTICATE_DISABLED: the gateway')
  assert.match(await refusal(() => resolve({ ...gateway, teamIds: [] })), 'GH_PERMIT_REFUSED')
})

test('a token host without a person is let in by its connection', async () => {
  const { resolve, connection, gateway } = await scene()
  await store.connections.update(connection.id, { userId: null })
  assert.is((await resolve({ ...gateway, teamIds: [] })).user, null)
})

test('admin tokens administer and open no gateway; access tokens the other way round', async () => {
  const { user, gateway, identities, hash } = await scene()
  const admin = mintSecret('gpat_')
  const draft = {
    managedBy,
    label: '',
    connectionId: null,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
  } as const
  const token = { ...draft, kind: 'admin' as const, userId: user.id, lastFour: admin.lastFour, enabled: true }
  await store.tokens.insert({ ...token, hash: admin.hash })
  assert.is((await identities.resolveAdmin(admin.hash)).email, user.email)
  assert.match(
    await refusal(() => identities.resolve({ kind: 'token', hash: admin.hash }, { gateway })),
    'GH_AUTHENTICATE_INVALID: an admin token',
  )
  assert.match(await refusal(() => identities.resolveAdmin(hash)), 'GH_AUTHENTICATE_INVALID')
})

test('what is no token is refused, with a reason for the log', async () => {
  const { identities, gateway } = await scene()
  for (const identification of [
    { kind: 'subject', issuer: 'i', subject: 's', claims: {} },
    { kind: 'refused', reason: 'r' },
    { kind: 'notMine' },
    { kind: 'token', hash: 'ff'.repeat(32) },
  ] as const)
    assert.match(await refusal(() => identities.resolve(identification, { gateway })), /^GH_AUTHENTICATE_INVALID: ./)
})

const connections = { touch: async () => undefined }

test('while the database is away those who are known go on for five minutes, strangers do not', async () => {
  const { hash, gateway } = await scene()
  let time = 0
  let isAway = false
  const reach = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isAway) throw new GatehouseError('GH_DB_UNAVAILABLE')
    return work()
  }
  const tokens: Pick<Store['tokens'], 'holderOf' | 'touch'> = {
    holderOf: (asked) => reach(() => store.tokens.holderOf(asked)),
    touch: async () => undefined,
  }
  const epochs: Epochs = createEpochs({
    store: { epoch: () => reach(() => store.epoch()), bumpEpoch: () => reach(() => store.bumpEpoch()) },
    intervalMs: 2 ** 30,
    clock: () => time,
  })
  await epochs.check()
  const identities = createIdentities({ store: { tokens, connections }, epochs, own: nobodys })
  const resolve = (asked = hash) => identities.resolve({ kind: 'token', hash: asked }, { gateway })
  const principal = await resolve()
  isAway = true
  time = 300_000
  assert.is(await resolve(), principal)
  assert.match(await refusal(() => resolve('ff'.repeat(32))), 'GH_DB_UNAVAILABLE')
  time = 300_001
  assert.match(await refusal(resolve), 'GH_DB_UNAVAILABLE')
  isAway = false
  assert.is(await resolve(), principal)
})

test('when a change was heard of but cannot be read, even the known are refused', async () => {
  const { hash, gateway } = await scene()
  let isAway = false
  let epoch = 1
  const holderOf = async (asked: string) => {
    if (isAway) throw new GatehouseError('GH_DB_UNAVAILABLE')
    return store.tokens.holderOf(asked)
  }
  const epochs = { current: () => epoch, freshWithin: () => true, check: async () => epoch }
  const identities = createIdentities({
    store: { tokens: { holderOf, touch: async () => undefined }, connections },
    epochs,
    own: nobodys,
  })
  await identities.resolve({ kind: 'token', hash }, { gateway })
  isAway = true
  epoch = 2
  assert.match(await refusal(() => identities.resolve({ kind: 'token', hash }, { gateway })), 'GH_DB_UNAVAILABLE')
})

test('who asks after a change never shares a question that was asked before it', async () => {
  const { hash, gateway } = await scene()
  const holder = await store.tokens.holderOf(hash)
  const answers: (() => void)[] = []
  let epoch = 1
  let revoked = false
  const holderOf = () => {
    const answer = { ...holder!, revoked }
    return new Promise<typeof answer>((resolve) => answers.push(() => resolve(answer)))
  }
  const epochs = { current: () => epoch, freshWithin: () => true, check: async () => epoch }
  const identities = createIdentities({
    store: { tokens: { holderOf, touch: async () => undefined }, connections },
    epochs,
    own: nobodys,
  })
  const resolve = async () => identities.resolve({ kind: 'token', hash }, { gateway })
  const before = [resolve(), resolve()]
  revoked = true
  epoch = 2
  const after = refusal(resolve)
  assert.is(answers.length, 2, 'the two before the change share one question')
  for (const answer of answers.toReversed()) answer()
  await Promise.all(before)
  assert.match(await after, 'revoked')
  const next = refusal(resolve)
  for (const answer of answers) answer()
  assert.match(await next, 'revoked')
})

test('secrets are 256 random bits, of which only the hash and four characters are kept', () => {
  const { secret, hash, lastFour } = mintSecret('API_')
  assert.match(secret, /^API_[A-Za-z0-9_-]{43}$/)
  assert.match(hash, /^[0-9a-f]{64}$/)
  assert.ok(secret.endsWith(lastFour) && lastFour.length === 4)
  assert.is.not(mintSecret('API_').secret, secret)
})

test.after(() => database.drop())
test('whoever comes in brings their own identities, as of this very request', async () => {
  const { user, own, epochs, resolve } = await scene()
  const server = await store.servers.insert(serverDraft(`s${++count}`))
  const changes: string[] = []
  own.onChanged((before, after) => changes.push(`${before.slug} ${after?.enabled ?? 'gone'}`))
  own.onGiven(() => changes.push('given'))
  await resolve()
  assert.is(own.of(server.id, user.id), null)
  const draft = { managedBy: 'api' as const, serverId: server.id, headers: ['X-Key'], enabled: true } as const
  const identity = await store.identities.insert({
    ...draft,
    slug: 'mine',
    shared: false,
    ownerId: user.id,
    kind: 'headers',
    status: 'ok',
  })
  await epochs.bump()
  await resolve()
  assert.equal(own.of(server.id, user.id), identity)
  await store.identities.update(identity.id, { enabled: false })
  await epochs.bump()
  await resolve()
  assert.is(own.of(server.id, user.id)?.enabled, false)
  await store.identities.remove(identity.id)
  await epochs.bump()
  await resolve()
  assert.is(own.of(server.id, user.id), null)
  assert.equal(changes, ['given', 'mine false', 'mine gone'])
})

test('of a person who only listens a change is known after the next look', async () => {
  const { user, own, epochs, resolve } = await scene()
  const server = await store.servers.insert(serverDraft(`s${++count}`))
  await resolve()
  await store.identities.insert({
    managedBy: 'api',
    serverId: server.id,
    headers: [],
    enabled: true,
    slug: 'later',
    shared: false,
    ownerId: user.id,
    kind: 'headers',
    status: 'ok',
  })
  await epochs.bump()
  const given = new Promise<void>((resolved) => own.onGiven(resolved))
  assert.is(own.of(server.id, user.id), null)
  await given
  assert.is(own.of(server.id, user.id)?.slug, 'later')
})

test.run()
