import { randomUUID } from 'node:crypto'
import type { DataSource, EntityManager } from 'typeorm'
import type { AlertMessage, AlertProgress, AlertQueue } from '../../domain/alerts.js'
import { type FloodLimits, nextTurn, refill } from '../../domain/flood.js'
import { ALERT_COLUMNS, ALERT_NAMES } from './alert-statements.js'
import { type AlertRow, standing } from './alerts.js'
import { guardAll } from './failures.js'

interface ProgressRow {
  readonly tokens: number
  readonly refilledMs: number
  readonly gatheringMs: number | null
  readonly wasFailing: boolean
}

/** Messages of a target go one after another, each of one replica, until the receiver has taken it. */
export function createAlertQueue(dataSource: DataSource): AlertQueue {
  return guardAll<AlertQueue>({
    due: async ({ gatherMs }) => ((await dataSource.query(DUE, [gatherMs])) as { id: string }[]).map(({ id }) => id),
    claim: (targetId, limits) => dataSource.transaction((inside) => claim(inside, targetId, limits)),
    delivered: (targetId, messageId) =>
      dataSource.transaction(async (inside) => {
        const settled: unknown[] = await inside.query(SETTLED, [targetId, messageId])
        if (settled.length > 0) await inside.query(DELIVERED, [targetId])
      }),
    failed: (targetId, messageId, { message, status, afterMs }) =>
      dataSource.transaction(async (inside) => {
        const settled: unknown[] = await inside.query(afterMs === null ? DEAD : AGAIN, [
          ...[targetId, messageId, message, status],
          ...(afterMs === null ? [] : [afterMs]),
        ])
        if (settled.length > 0) await inside.query(FAILED, [targetId, message, status])
      }),
    progress: async (targetId) => progressOf(await dataSource.query(PROGRESS, [targetId])),
    dropDisabled: async () => {
      await dataSource.query(
        `delete from alert_deliveries d using alert_targets t
         where t.id = d.target_id and not t.enabled and d.dead_at is null`,
      )
    },
  })
}

async function claim(
  inside: EntityManager,
  targetId: string,
  limits: FloodLimits & { readonly leaseMs: number },
): Promise<AlertMessage | null> {
  await inside.query(
    `insert into alert_progress (target_id, tokens) select id, $2 from alert_targets where id = $1 on conflict do nothing`,
    [targetId, limits.burst],
  )
  const [row]: ProgressRow[] = await inside.query(LOCK, [targetId])
  if (row === undefined) return null
  const begun = await unsettled(inside, targetId)
  if (begun?.isDue === false) return null
  const messageId = begun?.batch ?? (await next(inside, targetId, { row, limits }))
  if (messageId === null) return null
  await inside.query(
    `update alert_progress set leased_until = clock_timestamp() + $2 * interval '1 millisecond' where target_id = $1`,
    [targetId, limits.leaseMs],
  )
  return message(inside, messageId, row.wasFailing)
}

/** What was begun comes first; while it waits to be tried again, everything else waits behind it. */
async function unsettled(inside: EntityManager, targetId: string) {
  const [row]: { batch: string; isDue: boolean }[] = await inside.query(
    `select batch, due_at <= clock_timestamp() as "isDue" from alert_deliveries
     where target_id = $1 and batch is not null and dead_at is null limit 1`,
    [targetId],
  )
  return row
}

async function next(
  inside: EntityManager,
  targetId: string,
  { row, limits }: { readonly row: ProgressRow; readonly limits: FloodLimits },
): Promise<string | null> {
  const [counted]: { waiting: number }[] = await inside.query(
    'select count(*)::int as waiting from alert_deliveries where target_id = $1 and batch is null',
    [targetId],
  )
  const tokens = refill(row.tokens, row.refilledMs, limits)
  const turn = nextTurn({ tokens, waiting: counted?.waiting ?? 0, gatheringMs: row.gatheringMs }, limits)
  if (turn === 'nothing') return null
  const id = randomUUID()
  if (turn === 'single') await inside.query(TAKE_ONE, [targetId, id])
  if (turn === 'digest') await inside.query(TAKE_ALL, [targetId, id])
  const left = turn === 'gather' ? tokens : tokens - 1
  await inside.query(SPEND, [targetId, left, turn === 'gather'])
  return turn === 'gather' ? null : id
}

async function message(inside: EntityManager, id: string, wasFailing: boolean): Promise<AlertMessage | null> {
  const [facts]: (Pick<AlertMessage, 'attempt' | 'ageMs' | 'total'> & AlertMessage['bySeverity'])[] =
    await inside.query(FACTS, [id])
  if (facts === undefined) return null
  const rows: AlertRow[] = await inside.query(ALERTS, [id])
  const { attempt, ageMs, total, error, warning, info } = facts
  return { id, attempt, ageMs, total, bySeverity: { error, warning, info }, alerts: rows.map(standing), wasFailing }
}

const GRAVITY = `array_position(array['info', 'warning', 'error'], a.severity)`

const DUE = `select t.id from alert_targets t left join alert_progress p on p.target_id = t.id
  where t.enabled and (p.leased_until is null or p.leased_until <= clock_timestamp())
    and exists (select 1 from alert_deliveries d where d.target_id = t.id and d.dead_at is null and d.due_at <= clock_timestamp()
      and (d.batch is not null or p.gathers_since is null
        or p.gathers_since <= clock_timestamp() - $1 * interval '1 millisecond'))`

const LOCK = `select tokens, (extract(epoch from clock_timestamp() - refilled_at) * 1000)::double precision as "refilledMs",
    (extract(epoch from clock_timestamp() - gathers_since) * 1000)::double precision as "gatheringMs",
    coalesce(failed_at > coalesce(delivered_at, '-infinity'), false) as "wasFailing"
  from alert_progress where target_id = $1 and (leased_until is null or leased_until <= clock_timestamp())
  for update skip locked`

const TAKE_ONE = `update alert_deliveries set batch = $2 where id = (
    select d.id from alert_deliveries d join alerts a on a.id = d.alert_id where d.target_id = $1 and d.batch is null
    order by ${GRAVITY} desc, d.created_at, d.id limit 1)`
const TAKE_ALL = 'update alert_deliveries set batch = $2 where target_id = $1 and batch is null'
const SPEND = `update alert_progress set tokens = $2, refilled_at = clock_timestamp(),
  gathers_since = case when $3 then clock_timestamp() end where target_id = $1`

const FACTS = `select max(d.attempt) + 1 as attempt, count(*)::int as total,
    (extract(epoch from clock_timestamp() - min(d.created_at)) * 1000)::double precision as "ageMs",
    count(*) filter (where a.severity = 'error')::int as error, count(*) filter (where a.severity = 'warning')::int as warning,
    count(*) filter (where a.severity = 'info')::int as info
  from alert_deliveries d join alerts a on a.id = d.alert_id where d.batch = $1 having count(*) > 0`
const ALERTS = `select ${ALERT_COLUMNS} from alert_deliveries d join alerts a on a.id = d.alert_id ${ALERT_NAMES}
  where d.batch = $1 order by ${GRAVITY} desc, a.last_at desc, a.id limit 20`

/** Whoever comes after another has settled it, since its lease ran out, settles nothing: the next lease is not its own. */
const SETTLED = `with settled as (delete from alert_deliveries where target_id = $1 and batch = $2 returning 1)
  select * from settled`
const failing = (
  change: string,
): string => `with settled as (update alert_deliveries set attempt = attempt + 1, failure = $3,
  failure_status = $4, ${change} where target_id = $1 and batch = $2 and dead_at is null returning 1) select * from settled`
const AGAIN = failing(`due_at = clock_timestamp() + $5 * interval '1 millisecond'`)
const DEAD = failing('dead_at = clock_timestamp()')
const DELIVERED = `update alert_progress set delivered = delivered + 1, delivered_at = clock_timestamp(), leased_until = null
  where target_id = $1`
const FAILED = `update alert_progress set failed_at = clock_timestamp(), failure = $2, failure_status = $3, leased_until = null
  where target_id = $1`

const PROGRESS = `select count(d.id) filter (where d.dead_at is null)::int as waiting,
    count(d.id) filter (where d.dead_at is not null)::int as dead,
    min(d.created_at) filter (where d.dead_at is null) as "waitingSince",
    p.delivered::int as delivered, p.delivered_at as "deliveredAt", p.failed_at as "failedAt", p.failure, p.failure_status as status
  from (select $1::uuid as id) t left join alert_progress p on p.target_id = t.id
    left join alert_deliveries d on d.target_id = t.id
  group by p.target_id`

interface ProgressFacts {
  readonly waiting: number
  readonly dead: number
  readonly waitingSince: Date | null
  readonly delivered: number | null
  readonly deliveredAt: Date | null
  readonly failedAt: Date | null
  readonly failure: string | null
  readonly status: number | null
}

function progressOf([facts]: readonly ProgressFacts[]): AlertProgress {
  const { failedAt = null, failure = null, status = null } = facts ?? {}
  return {
    waiting: facts?.waiting ?? 0,
    waitingSince: facts?.waitingSince?.toISOString() ?? null,
    delivered: facts?.delivered ?? 0,
    lastSuccess: facts?.deliveredAt?.toISOString() ?? null,
    lastError: failedAt === null ? null : { at: failedAt.toISOString(), message: failure ?? '', status },
    deadLetters: facts?.dead ?? 0,
  }
}
