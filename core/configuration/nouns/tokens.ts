import type { z } from 'zod'
import type { Token } from '../../domain/nouns.js'
import { GatehouseError } from '../../errors.js'
import { mintSecret } from '../../identity/tokens.js'
import { invalid } from '../problems.js'
import { slug as slugSchema } from '../schemas.js'
import type { TokenCreate, TokenPatch } from '../schemas.js'
import { conflict, given, lookUp, mustExist, mustHold, mustRefer } from '../work.js'
import type { Work } from '../work.js'
import { findConnection, userOf } from './connections.js'
import { createHost } from './hosts.js'
import { mustOutrank } from './people.js'

export type TokenInput = z.output<typeof TokenCreate>
/** `secret` is shown this once; what is stored opens nothing. */
export interface MintedToken {
  readonly token: Token
  readonly secret: string
}

const ADMIN_DAYS = 90

/** An access token makes the token host and the connection that it needs. An admin token is always the actor's own. */
export async function createToken(work: Work, input: TokenInput): Promise<MintedToken> {
  return input.kind === 'access' ? createAccessToken(work, input) : createAdminToken(work, input)
}

async function createAccessToken(work: Work, input: Extract<TokenInput, { kind: 'access' }>): Promise<MintedToken> {
  mustHold(work, 'createAndManageApiTokens')
  const { store } = work
  const expiresAt = expiryOf(work, input.expiresAt ?? null)
  const gateway = await mustRefer(store.gateways, 'gateway', input.gateway)
  const userId = await userOf(work, input.user)
  const host = (await lookUp(store.hosts, input.host)) ?? (await makeHost(work, input.host))
  if (host.kind !== 'token') throw conflict(`the host '${host.slug}' signs in by OAuth and takes no token`, 'host')
  const key = { hostId: host.id, gatewayId: gateway.id, userId }
  const connection =
    (await findConnection(store, key)) ?? (await store.connections.insert({ ...key, enabled: true, managedBy: 'api' }))
  const label = input.label ?? host.title
  return mint(work, 'API_', { kind: 'access', label, connectionId: connection.id, userId, expiresAt })
}

async function createAdminToken(work: Work, input: Extract<TokenInput, { kind: 'admin' }>): Promise<MintedToken> {
  const { userId } = work.actor
  if (userId === null) throw new GatehouseError('GH_API_FORBIDDEN', { message: 'An admin token belongs to a person.' })
  const inDays = new Date(work.now().getTime() + ADMIN_DAYS * 86_400_000).toISOString()
  const expiresAt = expiryOf(work, input.expiresAt === undefined ? inDays : input.expiresAt)
  return mint(work, 'gpat_', { kind: 'admin', label: input.label, connectionId: null, userId, expiresAt })
}

async function makeHost(work: Work, name: string) {
  if (!slugSchema.safeParse(name).success)
    throw invalid('host', `'${name}' does not exist and is no slug that a host could be made with`)
  return createHost({ ...work, actor: { ...work.actor, managedBy: 'api' } }, name, { title: name })
}

export function expiryOf(work: Work, at: string | null): string | null {
  if (at === null) return null
  const time = new Date(at)
  if (time <= work.now()) throw invalid('expiresAt', 'is in the past')
  return time.toISOString()
}

export async function mint(
  { store }: Work,
  prefix: 'API_' | 'gpat_',
  draft: Pick<Token, 'kind' | 'label' | 'connectionId' | 'userId' | 'expiresAt'>,
): Promise<MintedToken> {
  const { secret, hash, lastFour } = mintSecret(prefix)
  const token = await store.tokens.insert({
    ...draft,
    lastFour,
    revokedAt: null,
    lastUsedAt: null,
    enabled: true,
    managedBy: 'api',
    hash,
  })
  return { token, secret }
}

export async function updateToken(work: Work, id: string, input: z.output<typeof TokenPatch>): Promise<Token> {
  const stored = await mustManageToken(work, id)
  return work.store.tokens.update(stored.id, given(input))
}

/** For good; the row stays, so that it can be told when the token ended. */
export async function revokeToken(work: Work, id: string): Promise<Token> {
  const stored = await mustManageToken(work, id)
  return work.store.tokens.update(stored.id, { revokedAt: stored.revokedAt ?? work.now().toISOString() })
}

async function mustManageOwner(work: Work, { userId }: Token): Promise<void> {
  mustHold(work, 'managePeople')
  const owner = userId === null ? null : await work.store.users.find(userId)
  if (owner !== null) await mustOutrank(work, owner)
}

/** One's own admin tokens are always one's own; those of others need managing people, access tokens their capability. */
async function mustManageToken(work: Work, id: string): Promise<Token> {
  const stored = await mustExist(work.store.tokens, 'token', id)
  if (stored.kind === 'access') mustHold(work, 'createAndManageApiTokens')
  else if (stored.userId !== work.actor.userId) await mustManageOwner(work, stored)
  return stored
}
