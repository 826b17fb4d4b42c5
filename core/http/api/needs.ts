import type { Step } from '../../configuration/plan.js'
import { holds } from '../../domain/capabilities.js'
import { GatehouseError } from '../../errors.js'
import type { Need } from './operation.js'

interface NounNeeds {
  readonly create: Need
  readonly update: Need
  readonly remove: Need
  /** Keys that need another capability than the operation does. */
  readonly fields: Readonly<Record<string, string>>
}

const RUNS_HERE = 'createAndConfigureManagedAndWorkstationServers'
const people: NounNeeds = { create: 'managePeople', update: 'managePeople', remove: 'managePeople', fields: {} }
const oneFor = (key: string, fields = {}): NounNeeds => ({ create: key, update: key, remove: key, fields })

/** Which capability a change of each noun needs, whether it comes by a route of its own or in a file. */
export const NEEDS = {
  servers: {
    create: 'basicServerManagement',
    update: 'basicServerManagement',
    remove: 'deleteServers',
    fields: { enabled: 'disableAndEnableServers', command: RUNS_HERE, cwd: RUNS_HERE, env: RUNS_HERE },
  },
  gateways: {
    create: 'basicGatewayManagement',
    update: 'basicGatewayManagement',
    remove: 'archiveGateways',
    fields: {
      enabled: 'disableAndEnableGateways',
      teams: 'manageTeamGatewayProvisioning',
      pinning: 'manageFeatureProvisioningSettings',
      poisoning: 'manageFeatureProvisioningSettings',
    },
  },
  teams: people,
  users: people,
  roles: people,
  hosts: oneFor('createAndManageApiTokens', { enabled: 'disableAndEnableHosts' }),
  connections: oneFor('createAndManageApiTokens', { enabled: 'disableAndEnableConnections' }),
  // Whoever holds nothing still manages their own; the rest is checked where the identity is known.
  identities: { create: null, update: null, remove: null, fields: {} },
  idps: oneFor('manageSsoScimMapping'),
  engines: oneFor('manageIntegrations'),
  exporters: oneFor('manageOpenTelemetryCollector'),
  alerts: oneFor('manageAlertDelivery'),
  artifacts: oneFor('manageRuleModules'),
  settings: oneFor('manageWorkspaceSettings', { ruleModules: 'manageRuleModules' }),
} as const satisfies Record<string, NounNeeds>

/** Refuses whoever lacks what the operation, or one of the keys that are given, needs. */
export function checkNeed(
  capabilities: ReadonlySet<string>,
  need: Need,
  fields: Readonly<Record<string, string>>,
  given: readonly string[],
): void {
  const special = given.filter((key) => Object.hasOwn(fields, key))
  for (const key of special) require(capabilities, fields[key] ?? null)
  if (special.length === 0 || special.length < given.length) require(capabilities, need)
}

/** The same for a file that is applied through the API, step by step. */
export function checkSteps(capabilities: ReadonlySet<string>, steps: readonly Step[]): void {
  for (const { noun, op, fields } of steps) {
    const needs: NounNeeds = NEEDS[noun]
    checkNeed(capabilities, needs[op], fieldsFor(needs.fields, op), fields)
    // A file speaks of gateways of every team.
    if (noun === 'gateways') require(capabilities, 'viewAndUseAllGateways')
  }
}

/** What is new may be made disabled by whoever may make it. */
export function fieldsFor(fields: Readonly<Record<string, string>>, op: Step['op']): Readonly<Record<string, string>> {
  const { enabled, ...others } = fields
  return op === 'create' || enabled === undefined ? others : fields
}

/** For what needs several at once. */
export function mustHoldAll(capabilities: ReadonlySet<string>, keys: readonly string[]): void {
  for (const key of keys) require(capabilities, key)
}

function require(capabilities: ReadonlySet<string>, need: Need): void {
  const keys = need === null ? [] : typeof need === 'string' ? [need] : need
  if (keys.length === 0 || keys.some((key) => holds(capabilities, key))) return
  throw new GatehouseError('GH_API_FORBIDDEN', { message: `Capability '${keys[0]}' is required.` })
}
