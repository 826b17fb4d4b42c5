import type { CredentialAnswer, CredentialRequest, Principal } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Bearer } from '../domain/bearer.js'
import type { Identity } from '../domain/nouns.js'
import type { AssignmentPlan } from '../domain/snapshot.js'
import type { SecretRepository } from '../domain/store.js'
import { busWith, PRINCIPAL } from '../rooms/testing.js'
import { plan } from './catalog-testing.js'
import { createCredentials } from './credentials.js'
import { failure } from './testing.js'
import { NO_ABILITY, slotKey } from './ability.js'
import type { Target } from './types.js'

const MIA: Principal = {
  ...PRINCIPAL,
  user: { id: 'mia', email: 'mia@example.com', name: 'Mia', teams: [], role: 'member', capabilities: new Set() },
}
const MAX: Principal = { ...MIA, user: { ...MIA.user!, id: 'max' } }
const SECRETS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'server/server-crm': { 'headers.X-Site': 'own', 'headers.X-Key': 'weak', 'env.HOME_KEY': 'e', other: 'no' },
  'identity/pool': { 'headers.X-Key': 'pooled' },
  'identity/mias': { 'headers.X-Key': 'mia' },
}
const secrets = {
  fields: async ({ kind, id }: { kind: string; id: string }) => SECRETS[`${kind}/${id}`] ?? {},
} as unknown as SecretRepository

const identity = (id: string, changes: Partial<Identity> = {}): Identity =>
  ({
    id,
    slug: id,
    serverId: 'server-crm',
    shared: true,
    ownerId: null,
    enabled: true,
    status: 'ok',
    ...changes,
  }) as Identity

const bearers = new Map<string, Bearer>()
const bearerOf = (id: string): Bearer => {
  const made = bearers.get(id) ?? ({ token: id } as Bearer)
  bearers.set(id, made)
  return made
}

type Plugin = (request: CredentialRequest) => CredentialAnswer | Promise<CredentialAnswer>
function credentials({ personal = null as Identity | null, plugin = null as Plugin | null } = {}) {
  const bus = busWith((registry) => {
    if (plugin !== null) registry.add('p-test', 'upstream.credentials', plugin, 'normal')
  })
  const identityOf = (serverId: string, userId: string) =>
    personal !== null && personal.ownerId === userId && personal.serverId === serverId ? personal : null
  const bearer = (identity: Identity) => bearerOf(identity.id)
  return createCredentials({ secrets, identityOf, bus, bearer })
}

function assigned(kind: 'open' | 'shared' | 'per-user', changes: Partial<AssignmentPlan> = {}): AssignmentPlan {
  const [one] = plan(['crm']).assignments
  if (one === undefined) throw new Error('no assignment')
  const scheme = kind === 'shared' ? ({ kind, identityId: 'pool' } as const) : { kind }
  return { ...one, assignment: { ...one.assignment, scheme }, ...changes }
}
const MIAS = identity('mias', { shared: false, ownerId: 'mia' })
const targetOf = (answer: ReturnType<ReturnType<ReturnType<typeof credentials>['access']>['target']>): Target => {
  if ('state' in answer) throw new Error(`no access: ${answer.state} ${answer.reason}`)
  return answer
}

test('an open server is called by all alike, with what the server itself wants', async () => {
  const access = credentials().access(MIA, NO_ABILITY)
  const target = targetOf(access.target(assigned('open')))
  assert.is(target.key, 'public')
  assert.equal(await target.secrets(), { headers: { 'X-Site': 'own', 'X-Key': 'weak' }, env: { HOME_KEY: 'e' } })
})

test('a shared identity stands above the server’s own headers', async () => {
  const one = assigned('shared', { identity: identity('pool') })
  const target = targetOf(credentials().access(MIA, NO_ABILITY).target(one))
  assert.equal([target.key, (await target.secrets()).headers], ['pool', { 'X-Site': 'own', 'X-Key': 'pooled' }])
})

test('a personal identity is its owner’s alone', async () => {
  const one = assigned('per-user')
  const own = credentials({ personal: MIAS })
  assert.is((await targetOf(own.access(MIA, NO_ABILITY).target(one)).secrets()).headers['X-Key'], 'mia')
  assert.equal(own.access(MAX, NO_ABILITY).target(one), {
    state: 'connect_required',
    reason: 'no identity has been given yet',
  })
  assert.is(
    (own.access(PRINCIPAL, NO_ABILITY).target(one) as { state: string }).state,
    'connect_required',
    'nobody is no person',
  )
})

for (const [what, answer] of [
  ['server', (one: AssignmentPlan) => ({ ...one, server: { ...one.server, enabled: false } })],
  ['assignment', (one: AssignmentPlan) => ({ ...one, assignment: { ...one.assignment, enabled: false } })],
  ['identity', (one: AssignmentPlan) => ({ ...one, identity: identity('pool', { enabled: false }) })],
] as const)
  test(`a disabled ${what} lends nothing`, () => {
    const given = credentials()
      .access(MIA, NO_ABILITY)
      .target(answer(assigned('shared', { identity: identity('pool') })))
    assert.is((given as { state: string }).state, 'disabled')
  })

test('a shared identity that is gone lends nothing, least of all the bare server', () => {
  const given = credentials()
    .access(MIA, NO_ABILITY)
    .target(assigned('shared', { identity: null }))
  assert.is((given as { state: string }).state, 'connect_required')
})

test('an identity that has expired is named, so that its last list can be shown', () => {
  const expired = identity('pool', { status: 'needs_reauth' })
  const given = credentials()
    .access(MIA, NO_ABILITY)
    .target(assigned('shared', { identity: expired }))
  assert.is((given as { lastSeenAs?: string }).lastSeenAs, 'pool')
  const able = { key: 'able', capabilities: {} }
  const other = credentials()
    .access(MIA, able)
    .target(assigned('shared', { identity: expired }))
  assert.is((other as { lastSeenAs?: string }).lastSeenAs, slotKey({ key: 'pool', ability: able }), 'by sort of client')
})

test('the same credential is the same target for as long as its configuration lives', () => {
  const made = credentials()
  const one = assigned('open')
  assert.is(made.access(MIA, NO_ABILITY).target(one), made.access(MAX, NO_ABILITY).target(one))
  assert.is.not(made.access(MIA, NO_ABILITY).target(one), made.access(MIA, NO_ABILITY).target({ ...one }))
})

test('a plugin lends to each person, when core has nothing', async () => {
  const asked: CredentialRequest[] = []
  const plugin: Plugin = (request) => {
    asked.push(request)
    return { kind: 'headers', headers: { Authorization: request.principal.user?.id ?? '' }, expiresAt: null }
  }
  const made = credentials({ plugin, personal: MIAS })
  const one = assigned('per-user')
  assert.is(targetOf(made.access(MIA, NO_ABILITY).target(one)).key, 'mias', 'a stored identity goes first')
  const target = targetOf(made.access(MAX, NO_ABILITY).target(one))
  assert.is(target.key, 'user:max')
  assert.equal(await target.secrets(), { headers: { Authorization: 'max' }, env: {} })
  assert.equal(
    asked.map(({ server, assignmentId }) => [server.slug, assignmentId]),
    [['crm', 'assignment-crm']],
  )
})

for (const [what, answer] of [
  ['refuses', () => ({ kind: 'refused', reason: 'swordfish' })],
  ['does not know', () => ({ kind: 'notMine' })],
  [
    'throws',
    () => {
      throw new Error('swordfish')
    },
  ],
  ['answers rubbish', () => ({ kind: 'headers', headers: { a: 1 } })],
] as const)
  test(`a plugin that ${what} lends nothing, and says nothing to the client`, async () => {
    const made = credentials({ plugin: answer as Plugin })
    const error = await failure(targetOf(made.access(MIA, NO_ABILITY).target(assigned('per-user'))).secrets())
    assert.is(error.code, 'GH_FORWARD_CONNECT')
    assert.not.match(`${error.message}${JSON.stringify(error.data)}`, /swordfish/)
  })

test('an identity that is a grant lends its token, and no other identity does', () => {
  const granted = credentials({ personal: { ...MIAS, kind: 'oauth' } })
  assert.is(targetOf(granted.access(MIA, NO_ABILITY).target(assigned('per-user'))).bearer, bearerOf('mias'))
  const keyed = credentials({ personal: { ...MIAS, kind: 'headers' } })
  assert.is(targetOf(keyed.access(MIA, NO_ABILITY).target(assigned('per-user'))).bearer, undefined)
})

test.run()
