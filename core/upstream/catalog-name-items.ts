import type { Era } from '@gatehouse/sdk'
import type { AssignmentPlan, GatewayPlan } from '../domain/snapshot.js'
import { admitUnseen } from '../domain/provisioning.js'
import type { ListKind, NameCandidate } from '../domain/store.js'
import { candidates } from '../mcp/names.js'
import { appUriOf, withoutApp } from '../mcp/tools.js'
import { publicTool, uriCandidates } from '../mcp/uris.js'
import type { NameTable } from './catalog-names.js'
import { publicUriOf } from './catalog-routes.js'
import type { SeenList } from './catalog-slot.js'
import { LISTS } from './catalog-types.js'
import type { ListItem } from './catalog-types.js'

/** A server's list under its public names, and what still waits for one. */
export interface NamedItems {
  readonly items: readonly ListItem[]
  readonly unnamed: readonly NameCandidate[]
}

/** A list of a server, and the era that it was told in; null when it was told before a restart. */
interface Named {
  readonly kind: ListKind
  readonly byId: SeenList['byId']
  readonly era: Era | null
}
interface Remembered extends NamedItems {
  readonly table: NameTable | undefined
  readonly version: number
  readonly era: Era | null
}
const remembered = new WeakMap<AssignmentPlan, WeakMap<SeenList['byId'], Remembered>>()

/** Remembered for as long as the plan, the server's list and the names stay what they are. */
export function nameItems(
  plan: GatewayPlan,
  assignment: AssignmentPlan,
  list: Named,
  table: NameTable | undefined,
): NamedItems {
  const lists = remembered.get(assignment) ?? new WeakMap<SeenList['byId'], Remembered>()
  remembered.set(assignment, lists)
  const known = lists.get(list.byId)
  const isOfNow = known?.table === table && known?.version === (table?.version ?? 0) && known.era === list.era
  if (known !== undefined && isOfNow) return known
  const made = makeItems(plan, assignment, list, table)
  lists.set(list.byId, { ...made, table, version: table?.version ?? 0, era: list.era })
  return made
}

function makeItems(
  plan: GatewayPlan,
  assignment: AssignmentPlan,
  { kind, byId, era }: Named,
  table: NameTable | undefined,
): NamedItems {
  const shape = LISTS[kind]
  const { id } = assignment.assignment
  const toPublic = publicUriOf(plan, table, assignment)
  const items: ListItem[] = []
  const unnamed: NameCandidate[] = []
  for (const [name, definition] of byId) {
    const isUri = shape.feature === 'resource'
    const given = table?.nameOf(shape.name, id, name)
    // A prefixed URI needs no entry in the table to lead back, so it serves when the server has used up its names.
    const publicName = given ?? (isUri && table?.isFull(shape.name, id) ? toPublic(name) : undefined)
    // An app is exposed with its tool, so its public URI is settled with the tool's name.
    const named = kind === 'tools' ? appUriOf(definition) : undefined
    const app = named !== undefined && isAppHidden(assignment, named) ? undefined : named
    if (app !== undefined && table?.nameOf('resource', id, app) === undefined)
      unnamed.push(candidateFor(plan, assignment, 'resources', app))
    if (publicName === undefined) {
      unnamed.push(candidateFor(plan, assignment, kind, name))
      continue
    }
    const whole = named === app ? definition : withoutApp(definition)
    const renamed = publicName === name ? whole : { ...whole, [shape.id]: publicName }
    const entry = kind === 'tools' ? publicTool(renamed, toPublic) : renamed
    items.push({ feature: { kind: shape.feature, name, publicName, assignment, definition }, entry, era })
  }
  return { items, unnamed }
}

/** What is not shown as a resource is not shown with a tool. */
function isAppHidden({ exposures }: AssignmentPlan, uri: string): boolean {
  return exposures.resources !== null && admitUnseen(exposures.resources, uri) === 'no'
}

function candidateFor(plan: GatewayPlan, assignment: AssignmentPlan, kind: ListKind, name: string): NameCandidate {
  const shape = LISTS[kind]
  const { prefix } = plan.gateway
  const wanted = (shape.id === 'name' ? candidates : uriCandidates)(prefix, assignment.prefix, name)
  return { kind: shape.name, assignmentId: assignment.assignment.id, upstreamName: name, wanted }
}
