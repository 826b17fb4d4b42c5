import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createStore } from '../../db/repositories/store.js'
import { fakeVault, migratedDatabase, serverDraft } from '../../db/testing.js'
import type { Identity, Server } from '../../domain/nouns.js'
import type { Store } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import { createGrants } from '../../oauth/client/grants.js'
import type { Grants } from '../../oauth/client/grants.js'
import type { Renewed } from '../../oauth/client/renewal.js'
import { createSignIn } from '../../oauth/client/sign-in.js'
import type { StoredTrip } from '../../oauth/client/sign-in.js'
import { writeTokens } from '../../oauth/client/tokens.js'
import { until } from '../until.js'
import { startGuardedServer } from './guarded-server.js'
import { stranger } from './person.js'
import { startSignInServer } from './sign-in-server.js'

const HOUR = 3_600_000
const signIn = await startSignInServer({ ttl: 3600 })
const guarded = await startGuardedServer({ signIn })
const database = await migratedDatabase()
const store = createStore({ dataSource: database.dataSource, vault: fakeVault })
const elsewhere = createStore({ dataSource: await database.open(), vault: fakeVault })
const server = await store.servers.insert({ ...serverDraft('crm'), url: guarded.url, auth: 'oauth' })
const clock = { offset: 0 }
const now = () => Date.now() + clock.offset
let count = 0

test.after(async () => {
  await Promise.all([guarded.stop(), signIn.stop()])
  await database.drop()
})
test.before.each(() => {
  signIn.broken = null
  signIn.onToken = () => undefined
})

/** What a person would get at the real sign-in, without a gateway around it. */
async function obtain(of: Server) {
  const kept: StoredTrip[] = []
  const flow = createSignIn({
    store,
    trips: { put: async (_, { payload }) => void kept.push(payload) },
    challengeOf: async () => null,
    fetch,
    base: () => 'http://localhost:1',
    onFault: (_, fault) => console.error(fault),
    now,
  })
  const address = await flow.begin({
    server: of,
    identityId: null,
    userId: 'u',
    sessionHash: 's',
    returnTo: '/',
    wanted: null,
  })
  const back = new URL(await stranger().follow(address, 'http://localhost:1/'))
  return flow.finish(kept[0]!, of, {
    code: back.searchParams.get('code') ?? '',
    iss: back.searchParams.get('iss') ?? undefined,
  })
}

/** An identity that somebody has just authorised. */
async function authorised(): Promise<Identity> {
  const { tokens, ...rest } = await obtain(server)
  const identity = await store.identities.insert({
    managedBy: 'api',
    slug: `i${++count}`,
    serverId: server.id,
    shared: true,
    ownerId: null,
    kind: 'oauth',
    headers: [],
    enabled: true,
    status: 'ok',
  })
  const grant = { ...rest, clientId: tokens.client.client_id, tokens: writeTokens(tokens) }
  await store.grants.put({ ...grant, identityId: identity.id })
  return identity
}

function replica(on: Store = store): { grants: Grants; ends: Renewed['kind'][] } {
  const ends: Renewed['kind'][] = []
  const grants = createGrants({
    grants: on.grants,
    fetch,
    clientOf: async (_, stored) => stored,
    onEnd: async (_, end) => void ends.push(end.kind),
    now,
    random: () => 0.5,
  })
  return { grants, ends }
}

const patience = (ms = 10_000) => ({ deadline: Date.now() + ms })
const refreshes = () => signIn.asked.filter(({ grantType }) => grantType === 'refresh_token').length

async function refusal(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'was not refused'
  } catch (error) {
    return error instanceof GatehouseError ? error.code : String(error)
  }
}

test('two replicas with five callers each renew a token once, round after round', async () => {
  const identity = await authorised()
  const bearers = [replica().grants.bearer(identity), replica(elsewhere).grants.bearer(identity)]
  for (let round = 0; round < 40; round++) {
    clock.offset += HOUR + 1
    const before = refreshes()
    const callers = bearers.flatMap((bearer) => Array.from({ length: 5 }, () => bearer))
    await Promise.all(callers.map((bearer) => bearer.ready(patience())))
    assert.is(refreshes() - before, 1, `round ${round}`)
    assert.is(bearers[0]?.token, bearers[1]?.token)
  }
  assert.ok(await signIn.introspect(bearers[0]?.token ?? ''), 'and the sign-in took none of it for theft')
})

test('a good token costs no question; ahead of its end it is renewed while nobody waits', async () => {
  const identity = await authorised()
  const bearer = replica().grants.bearer(identity)
  await bearer.ready(patience())
  const first = bearer.token
  const asked = refreshes()
  clock.offset += 0.79 * HOUR
  assert.is(bearer.ready(patience()), undefined)
  assert.is(bearer.token, first)
  clock.offset += 0.02 * HOUR
  let isHeld = true
  signIn.onToken = async () => until('the test lets go', () => (isHeld ? undefined : true))
  assert.is(bearer.ready(patience()), undefined, 'nobody waits')
  assert.is(bearer.token, first)
  isHeld = false
  await until('it is renewed', () => (bearer.token === first ? undefined : true))
  assert.is(refreshes(), asked + 1)
})

for (const [what, broken] of [
  ['fails', { status: 503, body: {} }],
  ['is busy', { status: 429, body: { error: 'temporarily_unavailable' } }],
  ['dislikes a scope', { status: 400, body: { error: 'invalid_scope' } }],
] as const)
  test(`a sign-in that ${what} costs nobody their access: the token is used as long as it is good`, async () => {
    const identity = await authorised()
    const { grants, ends } = replica()
    const bearer = grants.bearer(identity)
    await bearer.ready(patience())
    const first = bearer.token
    signIn.broken = broken
    clock.offset += 0.9 * HOUR
    assert.is(bearer.ready(patience()), undefined)
    await until('the renewal has failed', () => ends[0])
    assert.is(bearer.ready(patience()), undefined)
    assert.is(bearer.token, first)
    clock.offset += HOUR
    assert.is(await refusal(() => bearer.ready(patience())), 'GH_UPSTREAM_SIGN_IN')
    const asked = refreshes()
    assert.is(await refusal(() => bearer.ready(patience())), 'GH_UPSTREAM_SIGN_IN', 'it is left in peace for a while')
    assert.is(refreshes(), asked)
    signIn.broken = null
    clock.offset += 60_000
    await bearer.ready(patience())
    assert.is.not(bearer.token, first)
    assert.equal(ends, ['later', 'later', 'grant'])
  })

test('a refresh token that is no longer good needs a person, and says so without asking again', async () => {
  const identity = await authorised()
  const { grants, ends } = replica()
  const bearer = grants.bearer(identity)
  await bearer.ready(patience())
  signIn.broken = { status: 400, body: { error: 'invalid_grant' } }
  clock.offset += HOUR + 1
  const asked = refreshes()
  for (let times = 0; times < 3; times++) assert.is(await refusal(() => bearer.ready(patience())), 'GH_FORWARD_CONNECT')
  assert.is(refreshes(), asked + 1)
  assert.equal(ends, ['dead'])
})

test('a sign-in that does not know us any more is told apart', async () => {
  const { grants, ends } = replica()
  const bearer = grants.bearer(await authorised())
  await bearer.ready(patience())
  signIn.broken = { status: 401, body: { error: 'invalid_client' } }
  clock.offset += HOUR + 1
  assert.is(await refusal(() => bearer.ready(patience())), 'GH_FORWARD_CONNECT')
  assert.equal(ends, ['unknown'])
})

test('an answer without a refresh token keeps the one that we have', async () => {
  const identity = await authorised()
  const bearer = replica().grants.bearer(identity)
  await bearer.ready(patience())
  const before = JSON.parse((await store.grants.find(identity.id))!.tokens).refresh
  signIn.broken = { status: 200, body: { access_token: 'other', token_type: 'Bearer', expires_in: 60 } }
  clock.offset += HOUR + 1
  await bearer.ready(patience())
  const stored = await store.grants.find(identity.id)
  assert.is(bearer.token, 'other')
  assert.is(JSON.parse(stored!.tokens).refresh, before)
  assert.is(stored!.scope, 'read offline_access', 'a scope that is left out is unchanged')
})

test('a token that would be more than one header is taken for no answer at all', async () => {
  const bearer = replica().grants.bearer(await authorised())
  await bearer.ready(patience())
  signIn.broken = { status: 200, body: { access_token: 'a\r\nx: y', token_type: 'Bearer' } }
  clock.offset += HOUR + 1
  assert.is.not(await refusal(() => bearer.ready(patience())), 'was not refused')
  assert.not.match(bearer.token ?? '', '\r')
})

test('a caller waits no longer than its own deadline, and the renewal goes on for the others', async () => {
  const bearer = replica().grants.bearer(await authorised())
  await bearer.ready(patience())
  const first = bearer.token
  let isHeld = true
  signIn.onToken = async () => until('the test lets go', () => (isHeld ? undefined : true))
  clock.offset += HOUR + 1
  const patient = bearer.ready(patience())
  assert.is(await refusal(() => bearer.ready(patience(30))), 'GH_UPSTREAM_SIGN_IN')
  isHeld = false
  await patient
  assert.is.not(bearer.token, first)
})

test('a gateway that stops waits for renewals under way', async () => {
  const identity = await authorised()
  const { grants } = replica()
  const bearer = grants.bearer(identity)
  await bearer.ready(patience())
  let isHeld = true
  signIn.onToken = async () => until('the test lets go', () => (isHeld ? undefined : true))
  clock.offset += 0.9 * HOUR
  bearer.ready(patience())
  const stopped = grants.stop()
  isHeld = false
  await stopped
  assert.is((await store.grants.find(identity.id))?.version, 2)
})

test('killed between the rotation and the save, the next one needs a person: the spent token is not kept in use', async () => {
  const identity = await authorised()
  const dying = createGrants({
    grants: { ...store.grants, renew: () => new Promise(() => undefined) },
    fetch,
    clientOf: async (_, stored) => stored,
    onEnd: async () => undefined,
    now,
  }).bearer(identity)
  await dying.ready(patience())
  clock.offset += HOUR + 1
  const asked = refreshes()
  void Promise.resolve(dying.ready(patience(100))).catch(() => undefined)
  await until('the sign-in has rotated', () => (refreshes() > asked ? true : undefined))
  // The lease of the dead runs out.
  await store.grants.release(identity.id, 1, 'died')
  const { grants, ends } = replica(elsewhere)
  assert.is(await refusal(() => grants.bearer(identity).ready(patience())), 'GH_FORWARD_CONNECT')
  assert.equal(ends, ['dead'])
})

test('a lease that nobody gives back holds the others up no longer than it runs', async () => {
  const identity = await authorised()
  const bearer = replica().grants.bearer(identity)
  await bearer.ready(patience())
  clock.offset += HOUR + 1
  assert.ok(await elsewhere.grants.lease(identity.id, 1, 400))
  const asked = refreshes()
  await bearer.ready(patience())
  assert.is(refreshes(), asked + 1)
})

test('without a lifetime a token is used until it is refused, and renewed once for each version', async () => {
  const identity = await authorised()
  await store.grants.renew(1, { ...(await store.grants.find(identity.id))!, expiresAt: null })
  const bearer = replica().grants.bearer(identity)
  await bearer.ready(patience())
  clock.offset += 1_000 * HOUR
  assert.is(bearer.ready(patience()), undefined)
  const { version } = bearer
  const asked = refreshes()
  assert.ok(await bearer.renew(version, patience()))
  assert.ok(await bearer.renew(version, patience()), 'whoever was refused with the old one finds the new one')
  assert.is(refreshes(), asked + 1)
  signIn.broken = { status: 503, body: {} }
  assert.not(await bearer.renew(bearer.version, patience()))
  const again = refreshes()
  assert.not(await bearer.renew(bearer.version, patience()))
  assert.is(refreshes(), again, 'once for each version')
})

test('an identity that was authorised anew is used at once, whatever was held of it', async () => {
  const identity = await authorised()
  const { grants } = replica()
  const bearer = grants.bearer(identity)
  await bearer.ready(patience())
  signIn.broken = { status: 400, body: { error: 'invalid_grant' } }
  clock.offset += HOUR + 1
  assert.is(await refusal(() => bearer.ready(patience())), 'GH_FORWARD_CONNECT')
  signIn.broken = null
  const { tokens, ...rest } = await obtain(server)
  const grant = { ...rest, clientId: tokens.client.client_id, tokens: writeTokens(tokens) }
  await store.grants.put({ ...grant, identityId: identity.id })
  const changed = await store.identities.update(identity.id, { status: 'ok' })
  const renewed = grants.bearer(changed)
  await renewed.ready(patience())
  assert.is(renewed.token, tokens.access)
})

test('more scope is asked for twice, then no more; something new is asked for again', async () => {
  const identity = await authorised()
  const bearer = replica().grants.bearer(identity)
  await bearer.ready(patience())
  const again = async () => store.grants.put((await store.grants.find(identity.id))!)
  assert.is(await refusal(() => bearer.stepUp('write')), 'GH_FORWARD_CONNECT')
  assert.is((await store.grants.find(identity.id))?.wantedScope, 'read offline_access write')
  assert.is(await refusal(() => bearer.stepUp('write')), 'GH_FORWARD_CONNECT', 'nobody has given it yet')
  await again()
  assert.is(await refusal(() => bearer.stepUp('write')), 'GH_FORWARD_CONNECT')
  await again()
  assert.is(await refusal(() => bearer.stepUp('write')), 'GH_UPSTREAM_AUTH')
  assert.is(await refusal(() => bearer.stepUp('admin')), 'GH_FORWARD_CONNECT')
})

test('a server that asks for something else each time is believed up to a length, and no further', async () => {
  const identity = await authorised()
  const bearer = replica().grants.bearer(identity)
  await bearer.ready(patience())
  const codes = new Set<string>()
  for (let n = 0; n < 12; n += 1) codes.add(await refusal(() => bearer.stepUp(`${n}`.repeat(900))))
  assert.equal([...codes], ['GH_FORWARD_CONNECT', 'GH_UPSTREAM_AUTH'])
  assert.ok(((await store.grants.find(identity.id))?.wantedScope?.length ?? 0) < 5_000)
})

test.run()
