import { compileExposures } from '../domain/provisioning.js'
import type { Assignment, Gateway, Identity, Rule, Server } from '../domain/nouns.js'
import type { AssignmentPlan, CompiledRule, GatewayPlan, Snapshot } from '../domain/snapshot.js'
import type { RuleUse } from './snapshot-artifacts.js'
import { bySlug, type Loaded } from './snapshot-loaded.js'

export type Warn = (facts: Readonly<Record<string, unknown>>, message: string) => void

/** What was made of the rules: the uses of each by its id, and what was prepared by the key of the use. */
export interface Compiled {
  readonly uses: ReadonlyMap<string, readonly RuleUse[]>
  readonly prepared: ReadonlyMap<string, CompiledRule>
}

/**
 * Ties everything together. What does not fit (it is refused when it is saved, so hardly ever seen here) is disabled where
 * it stands and told: one odd assignment must not keep the whole gateway from hearing that something else was switched off.
 */
export function plan(loaded: Loaded, compiled: Compiled, warn: Warn): Snapshot {
  const servers = new Map(loaded.servers.map((server) => [server.id, Object.freeze(server)]))
  const identities = new Map(loaded.identities.map((identity) => [identity.id, Object.freeze(identity)]))
  const engines = bySlug(loaded.engines)
  const parts = { servers, identities, compiled, warn }
  const plans = loaded.gateways.map((gateway) => planGateway(gateway, parts))
  return Object.freeze({
    epoch: loaded.epoch,
    gateways: byEveryName(plans),
    servers,
    identities,
    idps: Object.freeze(loaded.idps),
    engines,
    settings: Object.freeze(loaded.settings),
    quarantines: loaded.quarantines,
  })
}

interface Parts {
  readonly servers: ReadonlyMap<string, Server>
  readonly identities: ReadonlyMap<string, Identity>
  readonly compiled: Compiled
  readonly warn: Warn
}

function planGateway(gateway: Gateway, parts: Parts): GatewayPlan {
  const assignments: AssignmentPlan[] = []
  for (const assignment of gateway.assignments) {
    const server = parts.servers.get(assignment.serverId)
    if (server === undefined) parts.warn(at(gateway, assignment), 'the server of an assignment is gone')
    else assignments.push(planAssignment({ gateway, assignment, server, before: assignments }, parts))
  }
  const rules = gateway.rules.filter(({ enabled }) => enabled).flatMap((rule) => planRule(gateway, rule, parts))
  return Object.freeze({
    gateway: Object.freeze(gateway),
    assignments,
    assignmentById: new Map(assignments.map((each) => [each.assignment.id, each])),
    rules,
  })
}

/** A canary that cannot run is left out, and the version that serves sees every message. */
function planRule(gateway: Gateway, rule: Rule, { compiled, warn }: Parts): CompiledRule[] {
  const planned = (compiled.uses.get(rule.id) ?? []).flatMap((use) => {
    const made = compiled.prepared.get(use.key)
    return made === undefined ? [] : [{ ...made, rule: { ...rule, shadow: use.rule.shadow }, share: use.share }]
  })
  const [canary, serving] = planned
  if (canary === undefined || serving === undefined || canary.broken === null)
    return planned.map((one) => Object.freeze(one))
  warn(
    { gateway: gateway.slug, rule: rule.name, why: canary.broken },
    'the canary of a rule cannot run: it is left out',
  )
  return [Object.freeze({ ...serving, share: null })]
}

function planAssignment(
  {
    gateway,
    assignment,
    server,
    before,
  }: { gateway: Gateway; assignment: Assignment; server: Server; before: readonly AssignmentPlan[] },
  { identities, warn }: Parts,
): AssignmentPlan {
  const { scheme } = assignment
  const prefix = assignment.as ?? server.slug
  const identity = scheme.kind === 'shared' ? (identities.get(scheme.identityId) ?? null) : null
  const fault = before.some((other) => other.prefix === prefix)
    ? 'two servers of a gateway go by one name: the second is disabled'
    : scheme.kind === 'shared' && identity?.serverId !== server.id
      ? 'the identity of an assignment is not one of its server: the assignment is disabled'
      : null
  if (fault !== null) warn({ ...at(gateway, assignment), prefix }, fault)
  const standing = fault === null ? assignment : { ...assignment, enabled: false }
  const exposures = compileExposures(assignment.provisioning, gateway.pinning, gateway.poisoning)
  return Object.freeze({ assignment: Object.freeze(standing), server, identity, prefix, exposures })
}

/** A slug that is in use wins over a former one. */
function byEveryName(plans: readonly GatewayPlan[]): ReadonlyMap<string, GatewayPlan> {
  const found = new Map<string, GatewayPlan>()
  for (const each of plans) for (const slug of each.gateway.formerSlugs) found.set(slug, each)
  for (const each of plans) found.set(each.gateway.slug, each)
  for (const each of plans) found.set(each.gateway.id, each)
  return found
}

const at = (gateway: Gateway, assignment: Assignment): Readonly<Record<string, unknown>> => ({
  gateway: gateway.slug,
  assignment: assignment.id,
})
