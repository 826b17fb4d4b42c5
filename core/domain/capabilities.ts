export interface CapabilityEntry {
  /** As the admin API and the YAML file know it. */
  readonly key: string
  /** As people know it. */
  readonly label: string
  readonly group: CapabilityGroup
  readonly description: string
}

export type CapabilityGroup =
  | 'Identities'
  | 'Servers'
  | 'Gateways'
  | 'Hosts'
  | 'People'
  | 'Workspace settings'
  | 'Logging'
  | 'Alerting'
  | 'Reporting'
  | 'Integrations'

const entry = <Key extends string>(key: Key, group: CapabilityGroup, label: string, description: string) =>
  Object.freeze({ key, label, group, description })

/**
 * Everything that a role can grant, in the order in which people see it. The one table: schemas, checks, `GET /capabilities`
 * and the documentation are made from it or compared with it.
 */
export const CAPABILITY_TABLE = Object.freeze([
  entry(
    'identityManagement',
    'Identities',
    'Identity management',
    'Share identities, enable and disable them, and delete those of others. One’s own need no capability.',
  ),
  entry(
    'viewAllIdentities',
    'Identities',
    'View all identities',
    'See identities of everybody, whatever the teams. Never their secrets.',
  ),
  entry(
    'basicServerManagement',
    'Servers',
    'Basic server management',
    'Add and change remote servers, and create identities for them.',
  ),
  entry('deployNewServerInstances', 'Servers', 'Deploy new server instances', 'Deploy managed server instances.'),
  entry(
    'deployNewWorkstationInstances',
    'Servers',
    'Deploy new workstation instances',
    'Deploy servers that run on workstations.',
  ),
  entry(
    'createAndConfigureManagedAndWorkstationServers',
    'Servers',
    'Create and configure managed and workstation servers',
    'Create and change servers that run as a command, together with the capability to deploy them.',
  ),
  entry('viewAllServers', 'Servers', 'View all servers', 'See every server, whatever the teams.'),
  entry(
    'disableAndEnableServers',
    'Servers',
    'Disable and enable servers',
    'Switch a server off and on for all gateways at once.',
  ),
  entry('deleteServers', 'Servers', 'Delete servers', 'Delete servers that nothing uses.'),
  entry(
    'basicGatewayManagement',
    'Gateways',
    'Basic gateway management',
    'Create and rename gateways, assign servers, choose identity schemes, write rules.',
  ),
  entry(
    'viewAndUseAllGateways',
    'Gateways',
    'View and use all gateways',
    'See and use every gateway, whatever the teams.',
  ),
  entry(
    'manageFeatureProvisioningSettings',
    'Gateways',
    'Manage feature provisioning settings',
    'Decide which tools, prompts and resources of a server a gateway offers.',
  ),
  entry(
    'manageTeamGatewayProvisioning',
    'Gateways',
    'Manage team-gateway provisioning',
    'Make a gateway available to teams.',
  ),
  entry('disableAndEnableGateways', 'Gateways', 'Disable and enable gateways', 'Switch a gateway off and on.'),
  entry('archiveGateways', 'Gateways', 'Archive gateways', 'Remove a gateway for good.'),
  entry(
    'authenticateViaOauth',
    'Hosts',
    'Authenticate via OAuth',
    'Connect one’s own AI client to a gateway by signing in.',
  ),
  entry(
    'createAndManageApiTokens',
    'Hosts',
    'Create and manage API tokens',
    'Create hosts that hold a token; mint, manage and revoke access tokens.',
  ),
  entry(
    'disableAndEnableHosts',
    'Hosts',
    'Disable and enable hosts',
    'Switch an AI client off and on for everybody at once.',
  ),
  entry(
    'disableAndEnableConnections',
    'Hosts',
    'Disable and enable connections',
    'Switch the connection of one host, gateway and person off and on.',
  ),
  entry(
    'managePeople',
    'People',
    'Manage people',
    'Invite, disable and sign out people; manage roles and teams, and see all of them.',
  ),
  entry(
    'manageSsoScimMapping',
    'Workspace settings',
    'Manage SSO/SCIM mapping',
    'Manage identity providers and how their groups become teams.',
  ),
  entry(
    'manageWorkspaceSettings',
    'Workspace settings',
    'Manage workspace settings',
    'Change settings and limits, apply and export the file, rotate keys.',
  ),
  entry('viewAndExportLogs', 'Logging', 'View and export logs', 'Read and export the record of all calls.'),
  entry(
    'viewMessageBodies',
    'Logging',
    'View message bodies',
    'See what calls said: bodies in the record, samples, the playground of others.',
  ),
  entry('viewAdminAudit', 'Logging', 'View the admin audit', 'See who changed what in this workspace.'),
  entry(
    'manageOpenTelemetryCollector',
    'Logging',
    'Manage OpenTelemetry collector',
    'Configure where the record is forwarded to, for every kind of exporter.',
  ),
  entry('seeAllAlerts', 'Alerting', 'See all alerts', 'See every alert, whatever the teams.'),
  entry('manageAlertDelivery', 'Alerting', 'Manage alert delivery', 'Decide where alerts are sent.'),
  entry('viewReports', 'Reporting', 'View reports', 'See reports on the use of the workspace.'),
  entry(
    'manageIntegrations',
    'Integrations',
    'Manage integrations',
    'Configure rule engines and other integrations; see which plugins run.',
  ),
  entry(
    'manageRuleModules',
    'Integrations',
    'Manage rule modules',
    'Upload modules of rules, decide which versions run, and which keys are trusted.',
  ),
])

export type Capability = (typeof CAPABILITY_TABLE)[number]['key']

/** The keys of all capabilities. A role holds some of them; `*` stands for all. */
export const CAPABILITIES: readonly Capability[] = Object.freeze(CAPABILITY_TABLE.map(({ key }) => key))

/** Whether a set of capability keys holds one of them; `*` holds every one. */
export function holds(capabilities: ReadonlySet<string>, key: string): boolean {
  return capabilities.has('*') || capabilities.has(key)
}
