import type { LogRow, LogType, Receipt, RowReceipt } from '@gatehouse/sdk'
import type { Leg } from '../domain/record.js'

/** A row of `messages` as `pg` gives it. */
export interface StoredMessage {
  readonly seq: string
  readonly at: Date
  readonly id: string
  readonly root_id: string | null
  readonly method: string | null
  readonly rpc_id: string | null
  readonly session_id: string | null
  readonly version: string | null
  readonly feature_type: LogRow['feature_type']
  readonly feature: string | null
  readonly user_id: string | null
  readonly user_email: string | null
  readonly user_name: string | null
  readonly team_id: string | null
  readonly host_id: string | null
  readonly host_name: string | null
  readonly client_name: string | null
  readonly client_version: string | null
  readonly connection_id: string | null
  readonly gateway_id: string | null
  readonly gateway_name: string | null
  readonly ip: string | null
  readonly user_agent: string | null
  readonly outcome: LogType
  readonly http_status: number | null
  readonly duration_ms: number
  readonly legs: readonly Leg[]
}

export const messageColumns = `m.seq, m.at, m.id, m.root_id, m.method, m.rpc_id, m.session_id, m.version, m.feature_type, m.feature,
  m.user_id, m.user_email, m.user_name, m.team_id, m.host_id, m.host_name, m.client_name, m.client_version,
  m.connection_id, m.gateway_id, m.gateway_name, m.ip, m.user_agent, m.outcome, m.http_status, m.duration_ms, m.legs`

/** One row per leg, in the order of the legs. */
export function rowsOf(message: StoredMessage): LogRow[] {
  const common = commonOf(message)
  return message.legs.map((leg, i) => ({
    ...common,
    ...legOf(leg, `${message.id}-${i + 1}`),
    created_at: new Date(message.at.getTime() + leg.offset).toISOString(),
  }))
}

function commonOf(message: StoredMessage) {
  return {
    correlation_id: message.root_id ?? message.id,
    method: message.method,
    jsonrpc_id: message.rpc_id,
    session_id: message.session_id,
    protocol_version: message.version,
    feature_type: message.feature_type,
    feature_name: message.feature,
    user_id: message.user_id,
    user_email: message.user_email,
    user_name: message.user_name,
    team_id: message.team_id,
    team_name: null,
    host_id: message.host_id,
    host_name: message.host_name,
    client_name: message.client_name,
    client_version: message.client_version,
    connection_id: message.connection_id,
    outbound_gateway_id: message.gateway_id,
    outbound_gateway_name: message.gateway_name,
    client_ip: message.ip,
    user_agent: message.user_agent,
  }
}

function legOf(leg: Leg, logId: string) {
  const receipts = (leg.receipts ?? []).map((one, i): RowReceipt => ({ ...one, receipt_id: `${logId}.${i + 1}` }))
  const receipt = decidingReceipt(receipts)
  return {
    log_id: logId,
    log_type: leg.type,
    level: levelOf(leg.type, receipts),
    inbound_server_id: leg.serverId ?? null,
    inbound_server_name: leg.serverName ?? null,
    inbound_server_url: leg.serverUrl ?? null,
    identity_id: leg.identityId ?? null,
    identity_scheme: leg.scheme ?? null,
    http_status_code: leg.httpStatus ?? null,
    rpc_error_code: leg.rpcError ?? null,
    duration_ms: leg.durationMs ?? null,
    bytes: leg.bytes ?? null,
    estimated_tokens: null,
    error: leg.error ?? null,
    policy_id: receipt?.rule_id ?? null,
    policy_name: receipt?.rule_name ?? null,
    policy_action: receipt?.action ?? receipt?.verdict ?? null,
    receipts,
  }
}

/** What failed or was blocked is an error; what a rule or the provisioning changed on its way is a warning. */
function levelOf(type: LogType, receipts: readonly Receipt[]): LogRow['level'] {
  if (type === 'gateway_feature_filtered') return 'warn'
  if (!type.endsWith('_success')) return 'error'
  return receipts.some((receipt) => !receipt.shadow && receipt.verdict === 'modify') ? 'warn' : 'info'
}

/** The rule that the row is about: the one that stopped the message, else the first that changed or reported it. */
function decidingReceipt(receipts: readonly Receipt[]): Receipt | undefined {
  const live = receipts.filter((receipt) => !receipt.shadow)
  return (
    live.find(({ verdict }) => verdict === 'block') ??
    live.find(({ fell }) => fell === 'closed') ??
    live.find(({ verdict }) => verdict === 'modify') ??
    live.find(({ verdict }) => verdict === 'detect')
  )
}
