import { admitUnseen } from '../domain/provisioning.js'
import type { GatewayPlan, AssignmentPlan } from '../domain/snapshot.js'
import type { PublicName } from '../domain/store.js'
import { schemeSafe, sameUri, prefixUri, unprefixUri } from '../mcp/uris.js'
import type { ToPublicUri } from '../mcp/uris.js'
import type { NameTable } from './catalog-names.js'

/** Where a public URI leads: whose it is, and what that server calls it. */
export interface Route {
  readonly assignment: AssignmentPlan
  readonly uri: string
}

/**
 * The way of a URI, the same whoever asks and whoever is up: what bears a server's prefix is that server's; then given
 * names, of resources and of templates; then the first template that fits; then the only server that has resources.
 */
export function routeUri(plan: GatewayPlan, table: NameTable, uri: string): Route | null {
  return routeOfNamed(plan, table, uri) ?? routeOfUnlisted(plan, table, uri)
}

/** What clients shall call a URI of this server: bare where the bare form leads back to it, else with its prefix. */
export function publicUriOf(plan: GatewayPlan, table: NameTable | undefined, assignment: AssignmentPlan): ToPublicUri {
  const { prefix } = plan.gateway
  if (prefix === 'never') return sameUri
  const { id } = assignment.assignment
  return (uri) => {
    const given = table?.nameOf('resource', id, uri) ?? table?.nameOf('template', id, uri)
    if (given !== undefined) return given
    const bare = prefix === 'always' || table === undefined ? null : routeOfNamed(plan, table, uri)
    const isSole = prefix === 'collision' && plan.assignments.length === 1 && unprefixUri(uri) === null
    const leadsBack = bare === null ? isSole : bare.assignment === assignment && bare.uri === uri
    return leadsBack ? uri : prefixUri(assignment.prefix, uri)
  }
}

function routeOfNamed(plan: GatewayPlan, table: NameTable, uri: string): Route | null {
  const unprefixed = plan.gateway.prefix === 'never' ? null : unprefixUri(uri)
  const marked = unprefixed === null ? undefined : byMark(plan).get(unprefixed.mark)
  if (marked !== undefined && unprefixed !== null) return { assignment: marked, uri: unprefixed.uri }
  const named = table.owner('resource', uri) ?? table.owner('template', uri)
  const route = named === undefined ? null : routeTo(plan, named, named.upstreamName)
  return route ?? routeOfTemplate(plan, table, uri)
}

function routeOfTemplate(plan: GatewayPlan, table: NameTable, uri: string): Route | null {
  const [first] = table
    .templatesFor(uri)
    .filter((given) => mayShow(plan, given))
    .map((given) => routeTo(plan, given, uri))
    .filter((route) => route !== null)
    .toSorted((one, other) => one.assignment.assignment.position - other.assignment.assignment.position)
  return first ?? null
}

/** A template that is hidden takes no URI from one that is shown. */
function mayShow(plan: GatewayPlan, { assignmentId, upstreamName }: PublicName): boolean {
  const exposure = plan.assignmentById.get(assignmentId)?.exposures.resources ?? null
  return exposure === null || admitUnseen(exposure, upstreamName) !== 'no'
}

/** Nobody listed it, so it can only be meant for the one server that deals in resources. */
function routeOfUnlisted(plan: GatewayPlan, table: NameTable, uri: string): Route | null {
  const [first, second] =
    plan.assignments.length === 1
      ? plan.assignments
      : plan.assignments.filter(
          ({ assignment, exposures }) => table.hasResources(assignment.id) && exposures.resources?.mode !== 'none',
        )
  return first === undefined || second !== undefined ? null : { assignment: first, uri }
}

function routeTo(plan: GatewayPlan, given: PublicName, uri: string): Route | null {
  const assignment = plan.assignmentById.get(given.assignmentId)
  return assignment === undefined ? null : { assignment, uri }
}

const marks = new WeakMap<GatewayPlan, ReadonlyMap<string, AssignmentPlan>>()

function byMark(plan: GatewayPlan): ReadonlyMap<string, AssignmentPlan> {
  const known = marks.get(plan)
  if (known !== undefined) return known
  const built = new Map(plan.assignments.map((assignment) => [schemeSafe(assignment.prefix), assignment]))
  marks.set(plan, built)
  return built
}
