import { alertTargetOperations } from './alert-targets.js'
import { alertOperations } from './alerts.js'
import { artifactOperations } from './artifacts.js'
import { engineOperations } from './engines.js'
import { trialOperations } from './trials.js'
import { exporterOperations } from './exporters.js'
import { featureOperations } from './features.js'
import { gatewayOperations } from './gateways.js'
import { connectionOperations, hostOperations } from './hosts.js'
import { idpOperations } from './idps.js'
import { identityOperations } from './identities.js'
import { invitationOperations } from './invitations.js'
import { logOperations } from './logs.js'
import { oauthOperations } from './oauth.js'
import type { ApiOptions, Operation } from './operation.js'
import { assignmentOperations, ruleOperations } from './parts.js'
import { roleOperations, signOutOperations, teamOperations, userOperations } from './people.js'
import { receiptOperations } from './receipts.js'
import { replayOperations } from './replays.js'
import { ruleWatchOperations } from './rule-watch.js'
import { serverOperations } from './servers.js'
import { systemOperations } from './system.js'
import { tokenOperations } from './tokens.js'

/** The admin API, whole. */
export function createOperations(options: ApiOptions): Operation[] {
  return [
    serverOperations,
    gatewayOperations,
    assignmentOperations,
    featureOperations,
    ruleOperations,
    ruleWatchOperations,
    replayOperations,
    receiptOperations,
    teamOperations,
    userOperations,
    signOutOperations,
    invitationOperations,
    roleOperations,
    hostOperations,
    connectionOperations,
    tokenOperations,
    oauthOperations,
    identityOperations,
    idpOperations,
    engineOperations,
    trialOperations,
    artifactOperations,
    exporterOperations,
    logOperations,
    alertOperations,
    alertTargetOperations,
    systemOperations,
  ].flatMap((operations) => operations(options))
}
