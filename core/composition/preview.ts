import type { Principal } from '@gatehouse/sdk'
import { compileExposures } from '../domain/provisioning.js'
import type { AssignmentPlan } from '../domain/snapshot.js'
import type { ListKind } from '../domain/store.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import type { PreviewRequest } from '../http/api/operation.js'
import { NO_ABILITY } from '../upstream/ability.js'
import { LISTS, type Previewed } from '../upstream/catalog-types.js'
import { type House, PARTS } from './house.js'

export interface Preview {
  readonly features: readonly unknown[]
  /** Why the server, or one of its lists, could not be asked; null when nothing was wrong. */
  readonly problem: string | null
}

const KINDS: readonly ListKind[] = ['tools', 'prompts', 'resources', 'templates']

/** What a server has, asked now, with what a provisioning would make of it. Nobody is ever shown what another person sees. */
export function createPreview(house: House): (request: PreviewRequest) => Promise<Preview> {
  return async (request) => {
    const { limits } = house.get(PARTS.snapshots).current().settings
    await house.get(PARTS.own).load(request.caller.id)
    const plan = draftOf(house, request)
    const target = house.get(PARTS.credentials).access(principalOf(request), NO_ABILITY).target(plan)
    if ('state' in target) return { features: [], problem: target.reason }
    const of = { gatewayId: request.gatewayId, target, deadline: Date.now() + limits.list }
    const catalog = house.get(PARTS.catalog)
    const lists = await Promise.allSettled(KINDS.map((kind) => catalog.preview(plan, kind, of)))
    const failed = lists.find((list) => list.status === 'rejected')
    return {
      features: lists.flatMap((list, index) =>
        list.status === 'fulfilled' ? list.value.map((one) => show(KINDS[index] ?? 'tools', one)) : [],
      ),
      problem: failed === undefined ? null : asGatehouseError(failed.reason).message,
    }
  }
}

/** The assignment as it would be; by itself it is in no snapshot. */
function draftOf(
  house: House,
  { gatewayId, assignmentId, identity, provisioning, pinning }: PreviewRequest,
): AssignmentPlan {
  const snapshot = house.get(PARTS.snapshots).current()
  const plan = snapshot.gateways.get(gatewayId)?.assignmentById.get(assignmentId)
  if (plan === undefined) throw new GatehouseError('GH_API_NOT_FOUND', { message: 'no such server on this gateway' })
  const exposures = compileExposures(provisioning, pinning)
  const { assignment, server } = plan
  // A server that asks for nobody is called as everybody is.
  if (identity === null || (identity === 'own' && server.auth === 'none')) return { ...plan, exposures }
  if (identity === 'own')
    return { ...plan, exposures, identity: null, assignment: { ...assignment, scheme: { kind: 'per-user' } } }
  const shared = [...snapshot.identities.values()].find(({ id, slug }) => id === identity || slug === identity)
  if (shared === undefined || !shared.shared || shared.serverId !== server.id)
    throw new GatehouseError('GH_API_INVALID', {
      message: `identity.shared: '${identity}' is no shared identity of this server`,
      data: { field: 'identity.shared' },
    })
  return {
    ...plan,
    exposures,
    identity: shared,
    assignment: { ...assignment, scheme: { kind: 'shared', identityId: shared.id } },
  }
}

const principalOf = ({ caller, gatewayId }: PreviewRequest): Principal => ({
  user: caller,
  host: { id: 'console', name: 'console', kind: 'token' },
  connection: { id: 'console', gatewayId },
  attributes: {},
})

/** A token of a model is four characters of English or JSON, roughly. */
const CHARACTERS_A_TOKEN = 4

function show(kind: ListKind, { name, definition, judgement }: Previewed): unknown {
  const { exposed, why, admission, sha256, changed } = judgement
  const size = JSON.stringify(definition).length
  return {
    kind: LISTS[kind].name,
    name,
    title: typeof definition.title === 'string' ? definition.title : null,
    description: typeof definition.description === 'string' ? definition.description : null,
    exposed,
    why,
    entry: admission?.index ?? null,
    pinned: (admission?.pin ?? null) !== null,
    sha256,
    changed,
    size,
    tokens: Math.ceil(size / CHARACTERS_A_TOKEN),
  }
}
