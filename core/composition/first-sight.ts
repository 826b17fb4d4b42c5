import type { Principal } from '@gatehouse/sdk'
import { pins } from '../domain/provisioning.js'
import type { AssignmentPlan, GatewayPlan, Snapshot } from '../domain/snapshot.js'
import type { ListKind } from '../domain/store.js'
import { NO_ABILITY } from '../upstream/ability.js'
import { LISTS } from '../upstream/catalog-types.js'
import { type House, PARTS } from './house.js'

/**
 * What is to be pinned is looked at as soon as that is said, and not when the first client comes: by then it might be another
 * thing. A server that wants each person's own credential, or is down, is seen when somebody lists it.
 */
export function createFirstSight(house: House): (snapshot: Snapshot) => void {
  return (snapshot) => {
    for (const plan of new Set(snapshot.gateways.values())) {
      // What cannot be listed now is recorded when it can: nothing of it is let through before.
      if (plan.gateway.enabled) void look(house, plan).catch(() => undefined)
    }
  }
}

async function look(house: House, plan: GatewayPlan): Promise<void> {
  const [catalog, approvals] = [house.get(PARTS.catalog), house.get(PARTS.approvals)]
  const kinds = kindsOf(plan)
  if (kinds.length === 0) return
  await approvals.load(plan.gateway.id)
  const table = approvals.peek(plan.gateway.id)
  const { list } = house.get(PARTS.snapshots).current().settings.limits
  const access = house.get(PARTS.credentials).access(nobodyAt(plan), NO_ABILITY)
  for (const kind of kinds) {
    const isSeen = plan.assignments.every(
      (one) => !isPinned(one, kind) || table?.isBegun(one.assignment.id, LISTS[kind].name),
    )
    // All of the gateway, as a client would: public names are given in the order of its servers.
    if (!isSeen) await catalog.list(plan, kind, access, Date.now() + list)
  }
}

const KINDS = Object.keys(LISTS) as readonly ListKind[]

const kindsOf = ({ assignments }: GatewayPlan): readonly ListKind[] =>
  KINDS.filter((kind) => assignments.some((one) => isPinned(one, kind)))

function isPinned({ exposures }: AssignmentPlan, kind: ListKind): boolean {
  const exposure = exposures[kind === 'templates' ? 'resources' : kind]
  return exposure !== null && pins(exposure)
}

const nobodyAt = ({ gateway }: GatewayPlan): Principal => ({
  user: null,
  host: { id: 'gateway', name: 'gateway', kind: 'token' },
  connection: { id: 'gateway', gatewayId: gateway.id },
  attributes: {},
})
