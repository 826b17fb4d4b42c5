import type { UserRef } from '@gatehouse/sdk'
import { holds } from '../../domain/capabilities.js'
import type { Host, Token } from '../../domain/nouns.js'
import { mayUse } from '../../domain/policy.js'
import { GatehouseError } from '../../errors.js'
import { mustExist, mustHold } from '../work.js'
import type { Work } from '../work.js'
import { findConnection } from './connections.js'
import { expiryOf, mint, type MintedToken } from './tokens.js'

/** What a person asks for at the page of a token host: always for themselves. */
export interface EnrolInput {
  readonly host: string
  readonly gateway: string
  readonly label?: string | undefined
  readonly expiresAt?: string | null | undefined
}

/**
 * A token by which a host acts as the person who asks. Their teams must grant the gateway; what is switched off is refused:
 * a token that opens nothing helps nobody.
 */
export async function enrolToken(work: Work, user: UserRef, input: EnrolInput): Promise<MintedToken> {
  const { store } = work
  mustEnrol(work)
  const host = await mustBeOpen(work, input.host)
  const gateway = await mustExist(store.gateways, 'gateway', input.gateway)
  if (!gateway.enabled || !mayUse(user, gateway)) throw refused(NOT_YOURS)
  const key = { hostId: host.id, gatewayId: gateway.id, userId: user.id }
  const connection =
    (await findConnection(store, key)) ?? (await store.connections.insert({ ...key, enabled: true, managedBy: 'api' }))
  if (!connection.enabled) throw refused(CONNECTION_OFF)
  return mint(work, 'API_', {
    kind: 'access',
    label: input.label ?? host.title,
    connectionId: connection.id,
    userId: user.id,
    expiresAt: expiryOf(work, input.expiresAt ?? null),
  })
}

/** A person's own token of a host; that it is switched off is no reason to keep it. */
export async function revokeEnrolled(work: Work, { host, token: id }: { host: string; token: string }): Promise<Token> {
  const token = await mustExist(work.store.tokens, 'token', id)
  const connection = token.connectionId === null ? null : await work.store.connections.find(token.connectionId)
  const { id: hostId } = await mustExist(work.store.hosts, 'host', host)
  if (connection === null || connection.userId !== work.actor.userId || connection.hostId !== hostId)
    throw new GatehouseError('GH_API_NOT_FOUND', { message: 'You have no such token.' })
  return work.store.tokens.update(token.id, { revokedAt: token.revokedAt ?? work.now().toISOString() })
}

/** Whoever may let AI clients in, or makes tokens for everyone. */
export function mustEnrol(work: Pick<Work, 'actor'>): void {
  if (!holds(work.actor.capabilities, 'createAndManageApiTokens')) mustHold(work, 'authenticateViaOauth')
}

export async function mustBeOpen({ store }: Pick<Work, 'store'>, reference: string): Promise<Host> {
  const host = await mustExist(store.hosts, 'host', reference)
  if (host.kind !== 'token')
    throw new GatehouseError('GH_API_CONFLICT', {
      message: `'${host.title}' signs in by itself and takes no token: add the URL of a gateway to it.`,
    })
  if (!host.enabled) throw refused(`'${host.title}' is switched off. Ask an administrator to switch it on.`)
  return host
}

const NOT_YOURS = 'This gateway is not available to you. Ask an administrator to make it available to a team of yours.'
const CONNECTION_OFF =
  'Your connection of this agent to this gateway is switched off. Ask an administrator to switch it on.'
const refused = (message: string): GatehouseError => new GatehouseError('GH_PERMIT_REFUSED', { message })
