import { randomUUID } from 'node:crypto'
import type { DataSource } from 'typeorm'
import type { Alert } from '@gatehouse/sdk'
import { guardAll } from './failures.js'
import { isId, present } from './rows.js'

export type AlertState = 'open' | 'acknowledged' | 'resolved'

/** An alert with its repeats: what stands in it is of the last one. */
export interface StandingAlert {
  readonly id: string
  readonly type: Alert['type']
  readonly severity: Alert['severity']
  readonly key: string
  readonly message: string
  readonly gatewayId: string | null
  readonly serverId: string | null
  readonly ruleId: string | null
  readonly connectionId: string | null
  readonly userId: string | null
  readonly correlationId: string | null
  readonly context: NonNullable<Alert['context']>
  readonly count: number
  readonly state: AlertState
  readonly firstAt: string
  readonly lastAt: string
}

export interface AlertRepository {
  /** A repeat of one that is not resolved raises its count; `count` is 1 for a new one. */
  raise(alert: Alert): Promise<StandingAlert>
  find(id: string): Promise<StandingAlert | null>
  /** Newest first; `before` is the last of the page before. */
  page(query: {
    readonly state?: AlertState
    readonly before?: Pick<StandingAlert, 'id' | 'lastAt'>
    readonly limit: number
  }): Promise<StandingAlert[]>
  setState(id: string, state: AlertState): Promise<StandingAlert>
  /** What the alert of this key told of is over; false when none stands. */
  resolve(type: Alert['type'], key: string): Promise<boolean>
}

type Row = Omit<StandingAlert, 'firstAt' | 'lastAt'> & { readonly firstAt: Date; readonly lastAt: Date }

export function createAlertRepository(dataSource: DataSource): AlertRepository {
  const query = async (sql: string, given: readonly unknown[]): Promise<StandingAlert[]> => {
    const rows: Row[] = await dataSource.query(sql, [...given])
    return rows.map((row) => ({ ...row, firstAt: row.firstAt.toISOString(), lastAt: row.lastAt.toISOString() }))
  }
  const find = async (id: string): Promise<StandingAlert | null> =>
    isId(id) ? ((await query(`select ${COLUMNS} from alerts where id = $1`, [id]))[0] ?? null) : null

  return guardAll<AlertRepository>({
    raise: async (alert) => present((await query(RAISE, raised(alert)))[0] ?? null, 'alert'),
    find,
    page: ({ state, before, limit }) => query(PAGE, [state ?? null, before?.lastAt ?? null, before?.id ?? null, limit]),
    setState: async (id, state) => {
      if (isId(id)) await dataSource.query('update alerts set state = $2 where id = $1', [id, state])
      return present(await find(id), 'alert')
    },
    resolve: async (type, key) => {
      const standing = `update alerts set state = 'resolved' where type = $1 and key = $2 and state <> 'resolved'`
      const [, changed]: [unknown, number] = await dataSource.query(standing, [type, key])
      return changed > 0
    },
  })
}

/** Times go out in milliseconds: they are kept so, for a page goes on from the time that was shown. */
const NOW = `date_trunc('milliseconds', clock_timestamp())`
const COLUMNS = `id, type, severity, key, message, gateway_id as "gatewayId", server_id as "serverId",
  rule_id as "ruleId", connection_id as "connectionId", user_id as "userId", correlation_id as "correlationId", context,
  count, state, first_at as "firstAt", last_at as "lastAt"`

const RAISE = `insert into alerts (id, type, severity, key, message, gateway_id, server_id, rule_id, connection_id,
    user_id, correlation_id, context, first_at, last_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, ${NOW}, ${NOW})
  on conflict (type, key) where state <> 'resolved' do update set
    severity = excluded.severity, message = excluded.message, gateway_id = excluded.gateway_id,
    server_id = excluded.server_id, rule_id = excluded.rule_id, connection_id = excluded.connection_id,
    user_id = excluded.user_id, correlation_id = excluded.correlation_id, context = excluded.context,
    count = alerts.count + 1, last_at = excluded.last_at
  returning ${COLUMNS}`

const PAGE = `select ${COLUMNS} from alerts
  where ($1::text is null or state = $1)
    and ($2::timestamptz is null or (last_at, id) < ($2::timestamptz, $3::uuid))
  order by last_at desc, id desc limit $4`

function raised(alert: Alert): unknown[] {
  const { type, severity, key, message, gatewayId, serverId, ruleId, connectionId, userId, correlationId } = alert
  const references = [gatewayId, serverId, ruleId, connectionId, userId, correlationId].map((id) => id ?? null)
  return [randomUUID(), type, severity, key, message, ...references, JSON.stringify(alert.context ?? {})]
}
