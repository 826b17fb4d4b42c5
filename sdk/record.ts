import type { JsonObject } from './call.js'
import type { Evidence } from './engine.js'

/** The types of a log row. A pass or a change by a rule is a receipt on its leg, not a row. */
export type LogType =
  | 'proxy_request_success'
  | 'proxy_request_error'
  | 'mcp_request_success'
  | 'mcp_request_error'
  | 'mcp_response_success'
  | 'mcp_response_error'
  | 'proxy_response_success'
  | 'proxy_response_error'
  | 'policy_enforced_abort'
  | 'policy_enforced_error'
  | 'gateway_feature_blocked'
  | 'gateway_feature_filtered'
  | 'auth_refused'

/** What one rule did on one leg. `findings` counts by type; matched text is never kept. */
export interface Receipt {
  readonly rule_id: string
  readonly rule_version: number
  readonly rule_name: string
  /** The kind, e.g. `regex`. */
  readonly engine: string
  /** The named engine of that kind which was asked; null for kinds without, and in records of before there were any. */
  readonly instance?: string | null
  readonly hook: 'request' | 'response'
  readonly verdict: 'pass' | 'modify' | 'block' | 'undecided' | 'detect'
  readonly action: string | null
  readonly shadow: boolean
  readonly findings: Readonly<Record<string, number>>
  /** Which way it fell when undecided; null otherwise. */
  readonly fell: 'open' | 'closed' | null
  readonly ms: number
  /** What the verdict rests on, as its engine tells: digests, versions, amounts. Absent where the engine tells none. */
  readonly evidence?: Evidence
}

/** A receipt as rows show it. */
export interface RowReceipt extends Receipt {
  /** `<log_id>.<n>`, n from 1: by it the verdict is run again where its input was kept. */
  readonly receipt_id: string
}

/**
 * One leg of a message as exporters, the API and `gatehouse logs` show it: names are snake_case, times ISO 8601, durations
 * milliseconds, sizes bytes. What does not apply is null.
 */
export interface LogRow {
  /** `<id of the message>-<n>`, n from 1: the same at every delivery, so a receiver can drop repeats. */
  readonly log_id: string
  readonly correlation_id: string
  readonly created_at: string
  readonly log_type: LogType
  readonly level: 'info' | 'warn' | 'error'
  readonly method: string | null
  readonly jsonrpc_id: string | null
  readonly session_id: string | null
  readonly protocol_version: string | null
  readonly feature_type: 'tool' | 'prompt' | 'resource' | null
  readonly feature_name: string | null
  readonly user_id: string | null
  readonly user_email: string | null
  readonly user_name: string | null
  readonly team_id: string | null
  readonly team_name: string | null
  readonly host_id: string | null
  readonly host_name: string | null
  readonly client_name: string | null
  readonly client_version: string | null
  readonly connection_id: string | null
  readonly outbound_gateway_id: string | null
  readonly outbound_gateway_name: string | null
  readonly inbound_server_id: string | null
  readonly inbound_server_name: string | null
  readonly inbound_server_url: string | null
  readonly identity_id: string | null
  readonly identity_scheme: 'open' | 'shared' | 'per_user' | null
  readonly http_status_code: number | null
  readonly rpc_error_code: number | null
  readonly duration_ms: number | null
  readonly bytes: number | null
  readonly estimated_tokens: number | null
  readonly error: string | null
  readonly policy_id: string | null
  readonly policy_name: string | null
  readonly policy_action: string | null
  readonly receipts: readonly RowReceipt[]
  readonly client_ip: string | null
  readonly user_agent: string | null
}

/**
 * Payload of `exporter.deliver`: rows in the order of the record, at most 512 and about 1 MB. The same batch comes again
 * until it is answered `delivered` or `rejected`: delivery is at least once.
 */
export interface Delivery {
  readonly exporter: { readonly id: string; readonly name: string; readonly config: Readonly<Record<string, unknown>> }
  readonly rows: readonly LogRow[]
  /** 1 for the first try of this batch. */
  readonly attempt: number
  /** Name and version of the gateway, for the receiver's resource attributes. */
  readonly service: { readonly name: string; readonly version: string }
}

/**
 * - `delivered`: the cursor moves on.
 * - `retry`: tried again without end, after `afterMs` or an exponential pause with jitter (1 s to 30 s).
 * - `rejected`: the receiver will never take it; after a bound the batch goes to the dead letters, with an alert.
 */
export type DeliveryAnswer =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly message: string; readonly status?: number; readonly afterMs?: number }
  | { readonly kind: 'rejected'; readonly message: string; readonly status?: number }

/** An alert as it is raised. Never holds matched text or secrets. Repeats with the same `key` collapse into one. */
export interface Alert {
  readonly type: AlertType
  readonly severity: AlertSeverity
  readonly key: string
  readonly message: string
  readonly gatewayId?: string
  readonly serverId?: string
  readonly ruleId?: string
  readonly connectionId?: string
  readonly userId?: string
  readonly correlationId?: string
  /** At most 64 KiB of JSON; what looks like a secret is cut out before it is stored. */
  readonly context?: JsonObject
}

export type AlertSeverity = 'info' | 'warning' | 'error'
export const ALERT_TYPES = [
  'rule_blocked',
  'rule_modified',
  'rule_detected',
  'rule_engine_failed',
  'rule_quarantined',
  'server_auth_failed',
  'identity_refresh_failed',
  'token_reused',
  'server_unreachable',
  'feature_changed',
  'feature_suspicious',
  'export_failing',
  'audit_overflow',
  'plugin_failed',
  'server_misbehaved',
] as const
export type AlertType = (typeof ALERT_TYPES)[number]

/** An alert as it is stored, with its repeats; what stands in it is of the last one. */
export interface RaisedAlert extends Alert {
  readonly id: string
  /** How often it was raised since `firstAt`. */
  readonly count: number
  readonly state: 'open' | 'acknowledged' | 'resolved'
  /** ISO 8601. */
  readonly firstAt: string
  readonly lastAt: string
}

/** An alert as receivers are told of it: with the names of what it is about, where they are still known. */
export interface ToldAlert extends RaisedAlert {
  readonly gateway: string | null
  readonly server: string | null
  readonly rule: string | null
  readonly user: string | null
  /** The page of this alert in the console. */
  readonly url: string
}

/** What came faster than a target may be told, in one message. */
export interface AlertDigest {
  readonly total: number
  readonly bySeverity: Readonly<Record<AlertSeverity, number>>
  /** The gravest, then the newest; at most 20. */
  readonly alerts: readonly ToldAlert[]
  /** The feed in the console. */
  readonly url: string
}

/** Payload of `alert.deliver`. Delivery is at least once: a repeat has the same `id`. */
export type AlertDelivery = {
  readonly id: string
  readonly target: { readonly id: string; readonly name: string; readonly config: Readonly<Record<string, unknown>> }
  /** 1 for the first try. */
  readonly attempt: number
  /** Somebody tries the target; nothing has happened. */
  readonly isTest: boolean
  readonly service: { readonly name: string; readonly version: string }
} & ({ readonly kind: 'alert'; readonly alert: ToldAlert } | { readonly kind: 'digest'; readonly digest: AlertDigest })
