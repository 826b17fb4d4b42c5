import { z } from 'zod'
import { addAssignment, addRule, find } from '../../configuration/nouns/parts.js'
import { removeAssignment, removeRule, updateAssignment, updateRule } from '../../configuration/nouns/parts.js'
import { PROVISIONING_CAPABILITY } from '../../configuration/nouns/provisioning.js'
import { strict } from '../../configuration/problems.js'
import { Assignment, AssignmentPatch, assignmentShape, Rule, RulePatch } from '../../configuration/schemas.js'
import type { Work } from '../../configuration/work.js'
import type { Gateway } from '../../domain/nouns.js'
import { FEATURE_GROUPS } from '../../domain/provisioning.js'
import { AssignmentAnswer, OneRuleAnswer, RuleAnswer } from './answers.js'
import { reachableGateway, SEE_GATEWAYS, showAssignment, showOneRule, showRule } from './gateways.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'
import { pageOf, PageQuery, pageThrough } from './pages.js'

/** Assignments and rules: the parts of a gateway, one by one. */

const position = z.int().min(0).max(1_000).optional()
const need = 'basicGatewayManagement'
/** What exists of a server is another's to say than how the gateway is made. */
const fields = Object.fromEntries(FEATURE_GROUPS.map((group) => [group, PROVISIONING_CAPABILITY]))

export function assignmentOperations({ store, mutations }: ApiOptions): Operation[] {
  const path = '/gateways/{id}/assignments'
  const gatewayOf = (call: unknown) => gateway(store, call)
  return [
    operation({
      id: 'listAssignments',
      method: 'get',
      path,
      summary: 'Lists the servers of a gateway, in their order.',
      need: SEE_GATEWAYS,
      query: PageQuery,
      output: pageOf(AssignmentAnswer),
      handle: async (call) =>
        pageThrough((await gatewayOf(call)).assignments, call.query, (one) => showAssignment(store, one)),
    }),
    operation({
      id: 'getAssignment',
      method: 'get',
      path: `${path}/{part}`,
      summary: 'Shows one server of a gateway.',
      need: SEE_GATEWAYS,
      output: AssignmentAnswer,
      handle: async (call) =>
        showAssignment(store, find((await gatewayOf(call)).assignments, 'assignment', partOf(call))),
    }),
    operation({
      id: 'createAssignment',
      method: 'post',
      path,
      summary: 'Puts a server on a gateway.',
      need,
      fields,
      input: Assignment,
      output: AssignmentAnswer,
      handle: async (call) => {
        const { id } = await gatewayOf(call)
        const made = await mutations.change(call.actor, (work) => addAssignment(work, id, call.input))
        return showAssignment(store, made)
      },
    }),
    operation({
      id: 'updateAssignment',
      method: 'patch',
      path: `${path}/{part}`,
      summary: 'Changes name, identity, place, state or features of a server on a gateway.',
      need,
      fields,
      input: strict({ ...AssignmentPatch.shape, as: assignmentShape.as, position }),
      output: AssignmentAnswer,
      handle: async (call) => {
        const { id } = await gatewayOf(call)
        const work = mutations.change(call.actor, (work) => updateAssignment(work, id, partOf(call), call.input))
        return showAssignment(store, await work)
      },
    }),
    operation({
      id: 'deleteAssignment',
      method: 'delete',
      path: `${path}/{part}`,
      summary: 'Takes a server off a gateway.',
      need,
      handle: async (call) => {
        const { id } = await gatewayOf(call)
        await mutations.change(call.actor, (work) => removeAssignment(work, id, partOf(call)))
      },
    }),
  ]
}

export function ruleOperations({ store, mutations, engineKinds, ruleWatch }: ApiOptions): Operation[] {
  const path = '/gateways/{id}/rules'
  const sight = () => ({ store, kinds: engineKinds(), quarantineOf: ruleWatch.quarantineOf })
  const gatewayOf = (call: unknown) => gateway(store, call)
  return [
    operation({
      id: 'listRules',
      method: 'get',
      path,
      summary: 'Lists the rules of a gateway, in their order.',
      need: SEE_GATEWAYS,
      query: PageQuery,
      output: pageOf(RuleAnswer),
      handle: async (call) => pageThrough((await gatewayOf(call)).rules, call.query, (rule) => showRule(rule, sight())),
    }),
    operation({
      id: 'getRule',
      method: 'get',
      path: `${path}/{part}`,
      summary: 'Shows a rule.',
      need: SEE_GATEWAYS,
      output: OneRuleAnswer,
      handle: async (call) => {
        const gateway = await gatewayOf(call)
        return showOneRule(sight(), gateway, find(gateway.rules, 'rule', partOf(call)))
      },
    }),
    operation({
      id: 'createRule',
      method: 'post',
      path,
      summary: 'Adds a rule, last unless a position is given. Keys of the rule’s engine stand beside the others.',
      need,
      input: Rule.extend({ position }),
      output: OneRuleAnswer,
      handle: async (call) => {
        const gateway = await gatewayOf(call)
        const made = await mutations.change(call.actor, (work) => addRule(work, gateway.id, call.input))
        return showOneRule(sight(), gateway, made)
      },
    }),
    operation({
      id: 'updateRule',
      method: 'patch',
      path: `${path}/{part}`,
      summary: 'Changes a rule; its version rises. A key of its engine that is null is taken away.',
      need,
      input: RulePatch.extend({ position }),
      output: OneRuleAnswer,
      handle: async (call) => {
        const gateway = await gatewayOf(call)
        const change = (work: Work) => updateRule(work, gateway.id, partOf(call), call.input)
        return showOneRule(sight(), gateway, await mutations.change(call.actor, change))
      },
    }),
    operation({
      id: 'deleteRule',
      method: 'delete',
      path: `${path}/{part}`,
      summary: 'Removes a rule.',
      need,
      handle: async (call) => {
        const { id } = await gatewayOf(call)
        await mutations.change(call.actor, (work) => removeRule(work, id, partOf(call)))
      },
    }),
  ]
}

function gateway(store: ApiOptions['store'], call: unknown): Promise<Gateway> {
  const known = call as ApiCall
  return reachableGateway(store, known, known.params['id'] ?? '')
}

const partOf = ({ params }: Pick<ApiCall, 'params'>): string => params['part'] ?? ''
