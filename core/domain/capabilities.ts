/** The keys of all capabilities, in the order in which people see them. A role holds some of them; `*` stands for all. */
export const CAPABILITIES = [
  'identityManagement',
  'viewAllIdentities',
  'basicServerManagement',
  'deployNewServerInstances',
  'deployNewWorkstationInstances',
  'createAndConfigureManagedAndWorkstationServers',
  'viewAllServers',
  'disableAndEnableServers',
  'deleteServers',
  'basicGatewayManagement',
  'viewAndUseAllGateways',
  'manageFeatureProvisioningSettings',
  'manageTeamGatewayProvisioning',
  'disableAndEnableGateways',
  'archiveGateways',
  'authenticateViaOauth',
  'createAndManageApiTokens',
  'disableAndEnableHosts',
  'disableAndEnableConnections',
  'managePeople',
  'manageSsoScimMapping',
  'manageWorkspaceSettings',
  'viewAndExportLogs',
  'viewMessageBodies',
  'viewAdminAudit',
  'manageOpenTelemetryCollector',
  'seeAllAlerts',
  'manageAlertDelivery',
  'viewReports',
  'manageIntegrations',
  'manageRuleModules',
] as const

export type Capability = (typeof CAPABILITIES)[number]

/** Whether a set of capability keys holds one of them; `*` holds every one. */
export function holds(capabilities: ReadonlySet<string>, key: string): boolean {
  return capabilities.has('*') || capabilities.has(key)
}
