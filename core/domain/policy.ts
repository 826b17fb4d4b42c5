import type { Principal, UserRef } from '@gatehouse/sdk'
import { holds } from './capabilities.js'
import type { Gateway } from './nouns.js'

/**
 * Whether someone may use a gateway. People reach the gateways of their (enabled) teams, and all with the capability for
 * it; a gateway without teams is reached by that capability alone. A host that no person stands behind has its connection
 * for its right, which an administrator made for that very gateway. Clients that people let in themselves work as long as
 * their people may let clients in.
 */
export function permits(
  { user, host, connection }: Pick<Principal, 'user' | 'host' | 'connection'>,
  gateway: Pick<Gateway, 'id' | 'teamIds'>,
): boolean {
  if (user === null) return host.kind === 'token' && connection.gatewayId === gateway.id
  if (host.kind === 'oauth' && !holds(user.capabilities, 'authenticateViaOauth')) return false
  return mayUse(user, gateway)
}

/** The same for a person alone, whatever they come with. */
export function mayUse(
  { capabilities, teams }: Pick<UserRef, 'capabilities' | 'teams'>,
  { teamIds }: Pick<Gateway, 'teamIds'>,
): boolean {
  return holds(capabilities, 'viewAndUseAllGateways') || teamIds.some((id) => teams.includes(id))
}
