import { compileExposures } from '../domain/provisioning.js'
import type { Assignment, Engine, Gateway, Identity, Idp, Rule, Server, Settings } from '../domain/nouns.js'
import type { AssignmentPlan, CompiledRule, GatewayPlan, Snapshot } from '../domain/snapshot.js'

/** The configuration as it was read. */
export interface Loaded {
  readonly epoch: number
  readonly gateways: readonly Gateway[]
  readonly servers: readonly Server[]
  readonly identities: readonly Identity[]
  readonly idps: readonly Idp[]
  readonly engines: readonly Engine[]
  readonly settings: Settings
  readonly quarantines: Snapshot['quarantines']
}

export type Warn = (facts: Readonly<Record<string, unknown>>, message: string) => void

export type EnginesBySlug = ReadonlyMap<string, Engine>
export const bySlug = (engines: readonly Engine[]): EnginesBySlug =>
  new Map(engines.map((engine) => [engine.slug, Object.freeze(engine)]))

/** The version rises with every change of a rule's content, and so does that of the engine it names. */
export function keyOf(rule: Pick<Rule, 'id' | 'version' | 'engine'>, engines: EnginesBySlug): string {
  const engine = engines.get(rule.engine)
  const own = `${rule.id}@${rule.version}`
  return engine === undefined ? own : `${own} ${engine.id}@${engine.version}`
}

/**
 * Ties everything together. What does not fit (it is refused when it is saved, so hardly ever seen here) is disabled where
 * it stands and told: one odd assignment must not keep the whole gateway from hearing that something else was switched off.
 */
export function plan(loaded: Loaded, prepared: ReadonlyMap<string, CompiledRule>, warn: Warn): Snapshot {
  const servers = new Map(loaded.servers.map((server) => [server.id, Object.freeze(server)]))
  const identities = new Map(loaded.identities.map((identity) => [identity.id, Object.freeze(identity)]))
  const engines = bySlug(loaded.engines)
  const parts = { servers, identities, engines, prepared, warn }
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
  readonly engines: EnginesBySlug
  readonly prepared: ReadonlyMap<string, CompiledRule>
  readonly warn: Warn
}

function planGateway(gateway: Gateway, parts: Parts): GatewayPlan {
  const assignments: AssignmentPlan[] = []
  for (const assignment of gateway.assignments) {
    const server = parts.servers.get(assignment.serverId)
    if (server === undefined) parts.warn(at(gateway, assignment), 'the server of an assignment is gone')
    else assignments.push(planAssignment({ gateway, assignment, server, before: assignments }, parts))
  }
  const rules = gateway.rules.flatMap((rule) => {
    const compiled = parts.prepared.get(keyOf(rule, parts.engines))
    return rule.enabled && compiled !== undefined ? [Object.freeze({ ...compiled, rule })] : []
  })
  return Object.freeze({
    gateway: Object.freeze(gateway),
    assignments,
    assignmentById: new Map(assignments.map((each) => [each.assignment.id, each])),
    rules,
  })
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
