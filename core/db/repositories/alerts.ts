import { randomUUID } from 'node:crypto'
import type { DataSource } from 'typeorm'
import type { Alert } from '@gatehouse/sdk'
import type {
  AlertCounts,
  AlertFilter,
  AlertRepository,
  AlertState,
  Raised,
  RaisedRow,
  StandingAlert,
  StateEntry,
} from '../../domain/alerts.js'
import { GatehouseError } from '../../errors.js'
import {
  ACKNOWLEDGE_ALL,
  ALERT_COLUMNS,
  ALERT_NAMES,
  authorOf,
  COUNTS,
  FORSAKEN,
  FITS,
  fits,
  FORGET,
  LET_GO,
  RAISE,
  RESOLVE,
  SELECT,
  SET_STATE,
} from './alert-statements.js'
import { guardAll } from './failures.js'
import { isId, present } from './rows.js'

export function createAlertRepository(dataSource: DataSource): AlertRepository {
  const query = async (sql: string, given: readonly unknown[]): Promise<StandingAlert[]> =>
    ((await dataSource.query(sql, [...given])) as AlertRow[]).map(standing)
  const find = async (id: string): Promise<StandingAlert | null> =>
    isId(id) ? ((await query(`${SELECT} where a.id = $1`, [id]))[0] ?? null) : null

  return guardAll<AlertRepository>({
    raise: async (raised) => {
      const rows: (RaisedRow & Dates)[] = await dataSource.query(RAISE, [JSON.stringify(raised.map(asRow))])
      return rows.map((row) => ({ ...row, firstAt: row.firstAt.toISOString(), lastAt: row.lastAt.toISOString() }))
    },
    find,
    page: ({ before, limit, ...filter }) =>
      query(
        `${SELECT} where ${FITS} and ($10::timestamptz is null or (a.last_at, a.id) < ($10::timestamptz, $11::uuid))
         order by a.last_at desc, a.id desc limit $12`,
        [...fits(filter), before?.lastAt ?? null, before?.id ?? null, limit],
      ),
    counts: async () => countsOf(await dataSource.query(COUNTS)),
    follow: (cursor, filter) => follow(dataSource, cursor, filter),
    history: async (id) => {
      const rows: (StateEntry & { at: Date })[] = await dataSource.query(
        `select state, at, user_id as "userId", email, note from alert_states where alert_id = $1 order by at, id`,
        [id],
      )
      return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
    },
    setState: async (id, change) => {
      const known = present(await find(id), 'alert')
      if (known.state === change.state) return known
      const done: unknown[] = await dataSource
        .query(SET_STATE, [id, change.state, FROM[change.state], ...authorOf(change)])
        .catch((thrown: unknown) => Promise.reject(isTaken(thrown) ? stands() : thrown))
      const now = present(await find(id), 'alert')
      if (done.length === 0 && now.state !== change.state) throw doesNotLead(now.state, change.state)
      return now
    },
    acknowledgeAll: async ({ ids, ...filter }, by, note) => {
      const change = { state: 'acknowledged', by, note } as const
      const done: unknown[] = await dataSource.query(ACKNOWLEDGE_ALL, [
        ...fits(filter),
        ids?.filter(isId) ?? null,
        ...authorOf(change),
      ])
      return done.length
    },
    resolve: async (type, key, holder) => {
      const done: { state: AlertState }[] = await dataSource.query(RESOLVE, [type, key, holder ?? null])
      return done.some(({ state }) => state === 'resolved')
    },
    forsaken: () => dataSource.query(FORSAKEN),
    forget: async (days, limit) => {
      const [gone, ended]: unknown[][] = [
        await dataSource.query(FORGET, [days, limit]),
        await dataSource.query(LET_GO, [days, limit, `It has not repeated for ${days} days.`]),
      ]
      return Math.max(gone?.length ?? 0, ended?.length ?? 0)
    },
  })
}

interface Dates {
  readonly firstAt: Date
  readonly lastAt: Date
  readonly stateAt: Date
}
export type AlertRow = Omit<StandingAlert, keyof Dates> & Dates

export const standing = (row: AlertRow): StandingAlert => ({
  ...row,
  firstAt: row.firstAt.toISOString(),
  lastAt: row.lastAt.toISOString(),
  stateAt: row.stateAt.toISOString(),
})

function countsOf(
  rows: readonly { state: keyof AlertCounts; severity: Alert['severity']; count: number }[],
): AlertCounts {
  const none = { error: 0, warning: 0, info: 0 }
  const counts = { open: { ...none }, acknowledged: { ...none } }
  for (const { state, severity, count } of rows) counts[state][severity] = count
  return counts
}

/** From where each state can be reached. */
const FROM: Readonly<Record<AlertState, readonly AlertState[]>> = {
  acknowledged: ['open'],
  resolved: ['open', 'acknowledged'],
  open: ['acknowledged', 'resolved'],
}

/** Changes become visible in any order: those of a transaction behind one that still runs are told with it. */
async function follow(dataSource: DataSource, cursor: string | null, filter: AlertFilter) {
  const settled: { xid: string }[] = await dataSource.query(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as xid',
  )
  const end = settled[0]?.xid ?? '0'
  const from = cursor === null ? null : CURSOR.exec(cursor)
  if (from === null) return { items: [], cursor: `${end}.${NOBODY}` }
  const rows: (AlertRow & { xid: string })[] = await dataSource.query(
    `select ${ALERT_COLUMNS}, a.changed_xid::text as xid from alerts a ${ALERT_NAMES} where ${FITS}
       and (a.changed_xid, a.id) > ($10::text::xid8, $11::uuid) and a.changed_xid < $12::text::xid8
     order by a.changed_xid, a.id limit ${MOST_FOLLOWED}`,
    [...fits(filter), from[1], from[2], end],
  )
  const last = rows.length < MOST_FOLLOWED ? undefined : rows.at(-1)
  const items = rows.map(standing)
  return { items, cursor: last === undefined ? `${end}.${NOBODY}` : `${last.xid}.${last.id}` }
}
const MOST_FOLLOWED = 500
const CURSOR = /^(\d{1,19})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
const NOBODY = '00000000-0000-0000-0000-000000000000'

const isTaken = (thrown: unknown): boolean =>
  (thrown as { driverError?: { code?: string } } | null)?.driverError?.code === '23505'
const stands = (): GatehouseError =>
  new GatehouseError('GH_API_CONFLICT', { message: 'It was raised anew since, and that one stands: look there.' })
const doesNotLead = (from: AlertState, to: AlertState): GatehouseError =>
  new GatehouseError('GH_API_CONFLICT', { message: `It is ${from} and cannot become ${to}; reopen it first.` })

function asRow({ alert, times, holder }: Raised): unknown {
  const { type, severity, key, message, context = {} } = alert
  const ids = { gateway_id: alert.gatewayId, server_id: alert.serverId, rule_id: alert.ruleId, user_id: alert.userId }
  const more = { connection_id: alert.connectionId, correlation_id: alert.correlationId }
  return { id: randomUUID(), type, severity, key, message, context, times, holder, ...ids, ...more }
}
