import type { Identification, Principal } from '@gatehouse/sdk'
import { enter, type Authenticated, type Inbound } from '../call.js'
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
  /** The same where the URL names no gateway: at the one that the person chose, of `plans` by id. GH_ROUTE_GATEWAY: none was. */
  resolveAtPicker(reference: Identification, plans: ReadonlyMap<string, GatewayPlan>): Principal | Promise<Principal>
}

export type Authenticate = (inbound: Inbound) => Authenticated | Promise<Authenticated>

/** Asks the plugins whose credential this is and core who that is; refuses everyone else. */
export function createAuthenticate(bus: Bus, directory: Directory): Authenticate {
  const known = async (inbound: Inbound, reference: Promise<Identification> | Identification) =>
    admit(inbound, await principalOf(inbound, await reference))
  const admit = (inbound: Inbound, principal: Principal): Authenticated | Promise<Authenticated> =>
    bus.has('identity.enrich') ? enrich(bus, principal).then((whole) => pass(inbound, whole)) : pass(inbound, principal)
  const principalOf = (inbound: Inbound, reference: Identification): Principal | Promise<Principal> => {
    const { gatewayName, snapshot } = inbound
    if (reference.kind === 'notMine') throw missing(inbound)
    if (reference.kind === 'refused') throw invalid(reference.reason)
    if (gatewayName === null) return directory.resolveAtPicker(reference, snapshot.gateways)
    const plan = snapshot.gateways.get(gatewayName)
    // An unknown gateway looks like a bad credential: names of gateways are nobody's business before authentication.
    if (plan === undefined) throw invalid(`no gateway '${gatewayName}'`)
    return directory.resolve(reference, plan)
  }
  // Answers at once when plugin and directory do, as they mostly do.
  return (inbound) => {
    const reference = bus.first('auth.identify', inbound.credentials)
    if (reference instanceof Promise) return known(inbound, reference)
    const principal = principalOf(inbound, reference)
    return principal instanceof Promise ? principal.then((late) => admit(inbound, late)) : admit(inbound, principal)
  }
}

function pass(inbound: Inbound, principal: Principal): Authenticated {
  const plan = planOf(inbound, principal)
  inbound.trail.authenticated(principal, plan.gateway, plan.gateway.capture !== 'none')
  return enter(inbound, 'authenticated', { principal, plan })
}

function planOf({ gatewayName, snapshot }: Inbound, { connection }: Principal): GatewayPlan {
  return snapshot.gateways.get(gatewayName ?? connection.gatewayId) as GatewayPlan
}

async function enrich(bus: Bus, principal: Principal): Promise<Principal> {
  const passed = await bus.sequential('identity.enrich', { principal, attributes: principal.attributes })
  if (passed.blocked) {
    // What a plugin broke is not the caller's fault: nobody shall be told to sign in anew, or that they are disabled.
    const code = passed.failed ? 'GH_HOOK_FAULT' : 'GH_AUTHENTICATE_DISABLED'
    throw new GatehouseError(code, { message: passed.reason, detail: passed.plugin })
  }
  return { ...principal, attributes: passed.payload.attributes }
}

function missing(inbound: Inbound): GatehouseError {
  return inbound.credentials.authorization === undefined
    ? new GatehouseError('GH_AUTHENTICATE_MISSING')
    : invalid('no plugin knows this kind of credential')
}

const invalid = (detail: string) => new GatehouseError('GH_AUTHENTICATE_INVALID', { detail })
