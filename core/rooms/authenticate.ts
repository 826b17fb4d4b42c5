import type { Identification, Principal } from '@gatehouse/sdk'
import type { Authenticated, Inbound } from '../call.js'
import type { GatewayPlan } from '../domain/snapshot.js'
import { GatehouseError } from '../errors.js'
import type { Bus } from '../hooks/bus.js'

/** Who stands behind a reference: core's own tables, never the plugin's word. */
export interface Directory {
  /**
   * The principal, if it may enter this gateway. Throws GH_AUTHENTICATE_INVALID (unknown, expired, revoked, another
   * gateway's), GH_AUTHENTICATE_DISABLED or GH_PERMIT_REFUSED.
   */
  resolve(reference: Identification, plan: GatewayPlan): Principal | Promise<Principal>
}

export type Authenticate = (inbound: Inbound) => Authenticated | Promise<Authenticated>

/** Asks the plugins whose credential this is and core who that is; refuses everyone else. */
export function createAuthenticate(bus: Bus, directory: Directory): Authenticate {
  return async (inbound) => {
    const plan = planOf(inbound)
    const reference = bus.first('auth.identify', { ...inbound.credentials, gatewayId: plan?.gateway.id ?? null })
    const identification = reference instanceof Promise ? await reference : reference
    if (identification.kind === 'notMine') throw missing(inbound)
    if (identification.kind === 'refused') throw invalid(identification.reason)
    // An unknown gateway looks like a bad credential: names of gateways are nobody's business before authentication.
    if (plan === undefined) throw invalid(`no gateway '${inbound.gatewayName ?? ''}'`)
    const resolved = directory.resolve(identification, plan)
    const known = resolved instanceof Promise ? await resolved : resolved
    const principal = bus.has('identity.enrich') ? await enrich(bus, known) : known
    inbound.trail.authenticated(principal, plan.gateway, plan.gateway.capture !== 'none')
    return { ...inbound, room: 'authenticated', principal, plan }
  }
}

function planOf(inbound: Inbound): GatewayPlan | undefined {
  return inbound.gatewayName === null ? undefined : inbound.snapshot.gateways.get(inbound.gatewayName)
}

async function enrich(bus: Bus, principal: Principal): Promise<Principal> {
  const passed = await bus.sequential('identity.enrich', { principal, attributes: principal.attributes })
  if (passed.blocked)
    throw new GatehouseError('GH_AUTHENTICATE_DISABLED', { message: passed.reason, detail: passed.plugin })
  return { ...principal, attributes: passed.payload.attributes }
}

function missing(inbound: Inbound): GatehouseError {
  return inbound.credentials.authorization === undefined
    ? new GatehouseError('GH_AUTHENTICATE_MISSING')
    : invalid('no plugin knows this kind of credential')
}

const invalid = (detail: string) => new GatehouseError('GH_AUTHENTICATE_INVALID', { detail })
