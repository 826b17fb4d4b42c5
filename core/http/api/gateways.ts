import { createGateway, gatewayState, assignmentState } from '../../configuration/nouns/gateways.js'
import { removeGateway, updateGateway } from '../../configuration/nouns/gateways.js'
import { ruleState } from '../../configuration/nouns/rules.js'
import { strict } from '../../configuration/problems.js'
import { gatewayFileShape, gatewayShape, slug } from '../../configuration/schemas.js'
import { warningsOf } from '../../configuration/warnings.js'
import { mustExist } from '../../configuration/work.js'
import { holds } from '../../domain/capabilities.js'
import type { EngineKind } from '../../domain/engines.js'
import type { Assignment, Gateway, Rule } from '../../domain/nouns.js'
import type { Store } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import { GatewayAnswer, GatewayRow } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'

/** Who may see gateways at all; which of them, the teams decide. */
export const SEE_GATEWAYS = ['basicGatewayManagement', 'viewAndUseAllGateways']

export function gatewayOperations({ store, mutations, url, engineKinds, ruleWatch }: ApiOptions): Operation[] {
  return crud({
    name: 'gateway',
    path: '/gateways',
    see: SEE_GATEWAYS,
    needs: NEEDS.gateways,
    answer: GatewayAnswer,
    row: GatewayRow,
    create: strict({ slug, ...gatewayFileShape }),
    patch: strict({ slug: slug.optional(), ...gatewayShape }),
    about: {
      list: 'Lists the gateways of your teams, or all of them with viewAndUseAllGateways.',
      update: 'Changes a gateway. With a new slug the old one stays valid.',
      delete: 'Removes a gateway with its rules, connections and tokens.',
    },
    mutations,
    rows: async ({ caller }) => (await store.gateways.all()).filter((gateway) => isReachable(caller, gateway)),
    one: (call, reference) => reachableGateway(store, call, reference),
    show: (gateway) =>
      showGateway({ store, kinds: engineKinds(), quarantineOf: ruleWatch.quarantineOf }, gateway, url()),
    doCreate: (work, { slug, ...input }) => createGateway(work, slug, input),
    doUpdate: updateGateway,
    doRemove: removeGateway,
  })
}

/** A gateway of none of the caller's teams is as good as absent. */
export async function reachableGateway(store: Store, { caller }: ApiCall, reference: string): Promise<Gateway> {
  const gateway = await mustExist(store.gateways, 'gateway', reference)
  if (!isReachable(caller, gateway))
    throw new GatehouseError('GH_API_NOT_FOUND', { message: `no gateway '${reference}'` })
  return gateway
}

export function isReachable(caller: ApiCall['caller'], { teamIds }: Gateway): boolean {
  return holds(caller.capabilities, 'viewAndUseAllGateways') || teamIds.some((id) => caller.teams.includes(id))
}

/** What there is to show things with. */
export interface Sight {
  readonly store: Store
  readonly kinds: readonly EngineKind[]
  readonly quarantineOf: ApiOptions['ruleWatch']['quarantineOf']
}

async function showGateway({ store, ...sight }: Sight, gateway: Gateway, base: string): Promise<unknown> {
  const servers = await Promise.all(gateway.assignments.map((one) => showAssignment(store, one)))
  const state = await gatewayState({ store }, gateway)
  const rules = gateway.rules.map((rule) => showRule(rule, sight))
  const warnings = (await warningsOf(store, gateway)).map(
    ({ rule, position, message }) => `rules[${position}] '${rule}': ${message}`,
  )
  return { ...gateway, ...state, url: `${base}/mcp/${gateway.slug}`, servers, rules, warnings }
}

export async function showAssignment(store: Store, one: Assignment): Promise<unknown> {
  return { ...(await assignmentState({ store }, one)), id: one.id, position: one.position }
}

/** A rule whose engine cannot fail says nothing of failures. */
export function showRule(rule: Rule, { kinds, quarantineOf }: Omit<Sight, 'store'>): unknown {
  const { id, position, version, managedBy, createdAt, updatedAt } = rule
  const fails = kinds.find(({ kind }) => kind === rule.engine)?.declaration.fails ?? true
  return {
    ...ruleState(rule),
    onFailure: fails ? rule.onFailure : null,
    id,
    position,
    version,
    managedBy,
    createdAt,
    updatedAt,
    quarantine: quarantineOf(rule),
  }
}

/** With what is odd about it. */
export async function showOneRule({ store, ...sight }: Sight, gateway: Gateway, rule: Rule): Promise<unknown> {
  const warnings = await warningsOf(store, gateway, [rule])
  return { ...(showRule(rule, sight) as object), warnings: warnings.map(({ message }) => message) }
}
