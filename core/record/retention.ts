import type { PluginLog } from '@gatehouse/sdk'
import type { Database } from './carry.js'

const dayMs = 86_400_000
const daysAhead = 2
/** A drop waits for readers and everybody else waits for the drop: better to try again the next day. */
const lockTimeout = '3s'

export interface RetentionOptions {
  readonly database: Database
  /** `settings.retentionDays.logs`; 0 keeps everything. */
  readonly days: () => number
  readonly logger: Pick<PluginLog, 'info' | 'warn'>
  readonly clock?: () => number
}

export interface Retention {
  /** The partitions of today and the next two days. */
  ensurePartitions(): Promise<void>
  /** Drops the days that are over the bound; answers how many. */
  dropOld(): Promise<number>
  /** Both: at the start and once a day, by one replica at a time. */
  maintain(): Promise<void>
}

export function createRetention(options: RetentionOptions): Retention {
  const clock = options.clock ?? Date.now
  const ensure = (): Promise<void> => ensurePartitions(options.database, clock())
  const drop = (): Promise<number> => dropOld(options, clock())
  return {
    ensurePartitions: ensure,
    dropOld: drop,
    async maintain() {
      await ensure()
      await drop()
    },
  }
}

async function ensurePartitions(database: Database, now: number): Promise<void> {
  for (let day = 0; day <= daysAhead; day += 1) {
    const date = new Date(now + day * dayMs).toISOString().slice(0, 10)
    for (const parent of ['messages', 'message_bodies'])
      await database.query('select ensure_record_partition($1, $2::date)', [parent, date])
  }
}

async function dropOld({ database, days, logger }: RetentionOptions, now: number): Promise<number> {
  const kept = days()
  if (kept <= 0) return 0
  const first = new Date(now - kept * dayMs).toISOString().slice(0, 10)
  const old = (await partitionDays(database)).filter((day) => day < first.replaceAll('-', ''))
  for (const day of old) {
    await warnOfUnsent(database, day, logger)
    await dropDay(database, day)
  }
  for (const table of ['message_bodies_default', 'messages_default'])
    await database.query(`delete from ${table} where at < $1::timestamp at time zone 'UTC'`, [first])
  if (old.length > 0) logger.info({ days: old.length, first }, 'old days of the record were dropped')
  return old.length
}

async function partitionDays(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ day: string }>(
    `select distinct right(c.relname, 8) as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent in ('messages'::regclass, 'message_bodies'::regclass) and c.relname ~ '_[0-9]{8}$' order by day`,
  )
  return rows.map((row) => row.day)
}

async function dropDay(database: Database, day: string): Promise<void> {
  const session = await database.connect()
  try {
    await session.query('begin')
    await session.query(`set local lock_timeout = '${lockTimeout}'`)
    await session.query(`drop table if exists message_bodies_${day}, messages_${day}`)
    await session.query('commit')
    session.release()
  } catch (error) {
    session.release(true)
    throw error
  }
}

/** Retention is the admin's word and holds; that an exporter never got the rows must not go unsaid. */
async function warnOfUnsent(database: Database, day: string, logger: RetentionOptions['logger']): Promise<void> {
  const { rows } = await database.query<{ slug: string }>(
    `select e.slug from exporter_cursors c join exporters e on e.id = c.exporter_id
     where e.enabled and to_regclass('messages_${day}') is not null
       and c.seq < coalesce((select max(seq) from messages where at >= $1::timestamp at time zone 'UTC'
         and at < ($1::timestamp + interval '1 day') at time zone 'UTC'), 0)`,
    [`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`],
  )
  for (const { slug } of rows) logger.warn({ exporter: slug, day }, 'rows are dropped that an exporter has not sent')
}
