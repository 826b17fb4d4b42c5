import type { Principal, UserRef } from '@gatehouse/sdk'
import type { Gateway } from '../domain/nouns.js'
import { permits } from '../domain/policy.js'
import type { TokenHolder } from '../domain/store.js'
import { GatehouseError } from '../errors.js'

/** Who the holder of an access token is at a gateway; throws when the token opens nothing there. */
export function admit(holder: TokenHolder, gateway: Gateway, now: number): Principal {
  if (holder.kind !== 'access') throw invalid('an admin token opens no gateway')
  refuseEnded(holder, now)
  const { connectionId, hostId, hostName, hostKind } = holder
  if (connectionId === null || hostId === null || hostName === null || hostKind === null)
    throw invalid('the connection of the token is gone')
  if (holder.gatewayId !== gateway.id) throw invalid('the token is for another gateway')
  refuseDisabled(holder)
  if (!gateway.enabled) throw disabled('the gateway')
  const principal: Principal = Object.freeze({
    user: userOf(holder),
    host: Object.freeze({ id: hostId, name: hostName, kind: hostKind }),
    connection: Object.freeze({ id: connectionId, gatewayId: gateway.id }),
    attributes: Object.freeze({}),
  })
  if (!permits(principal, gateway)) throw new GatehouseError('GH_PERMIT_REFUSED', { detail: 'no team, no capability' })
  return principal
}

/** Whose admin token this is. */
export function admitAdmin(holder: TokenHolder, now: number): UserRef {
  if (holder.kind !== 'admin') throw invalid('an access token does not administer')
  refuseEnded(holder, now)
  refuseDisabled(holder)
  const user = userOf(holder)
  if (user === null) throw invalid('the user of the token is gone')
  return user
}

export function refuseEnded({ revoked, expiresAt }: TokenHolder, now: number): void {
  if (revoked) throw invalid('the token is revoked')
  if (expiresAt !== null && now >= expiresAt) throw invalid('the token has expired')
}

function refuseDisabled(holder: TokenHolder): void {
  if (!holder.tokenEnabled) throw disabled('the token')
  if (holder.hostEnabled === false) throw disabled('the host')
  if (holder.connectionEnabled === false) throw disabled('the connection')
  if (holder.userEnabled === false) throw disabled('the user')
}

function userOf({ userId, email, name, role, capabilities, teams }: TokenHolder): UserRef | null {
  if (userId === null || email === null || name === null || role === null) return null
  return Object.freeze({ id: userId, email, name, role, teams, capabilities: new Set(capabilities) })
}

/** `detail` is for the log: which of all it was is nobody's business outside. */
export const invalid = (detail: string): GatehouseError => new GatehouseError('GH_AUTHENTICATE_INVALID', { detail })
const disabled = (what: string): GatehouseError =>
  new GatehouseError('GH_AUTHENTICATE_DISABLED', { detail: `${what} is disabled` })
