import type { PluginLog } from '@gatehouse/sdk'
import type { Database } from './carry.js'

const dayMs = 86_400_000
const daysAhead = 2
/** A drop waits for readers and everybody else waits for the drop: better to try again the next day. */
const lockTimeout = '3s'

export interface RetentionOptions {
  readonly database: Database
  /** `settings.retentionDays`; 0 keeps everything. What was sealed goes with the record at the latest. */
  readonly days: () => { readonly logs: number; readonly sealed: number }
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
    for (const parent of ['messages', 'message_bodies', 'message_originals'])
      await database.query('select ensure_record_partition($1, $2::date)', [parent, date])
  }
}

async function dropOld(options: RetentionOptions, now: number): Promise<number> {
  const { logs, sealed } = options.days()
  const dropped = logs <= 0 ? 0 : await dropRecord(options, firstDay(now, logs))
  const kept = logs <= 0 ? sealed : Math.min(sealed, logs)
  if (kept > 0) await dropOriginals(options, firstDay(now, kept))
  return dropped
}

const firstDay = (now: number, kept: number): string => new Date(now - kept * dayMs).toISOString().slice(0, 10)

async function dropRecord({ database, logger }: RetentionOptions, first: string): Promise<number> {
  const old = await daysBefore(database, ['messages', 'message_bodies'], first)
  for (const day of old) {
    await warnOfUnsent(database, day, logger)
    await dropTables(database, [`message_bodies_${day}`, `messages_${day}`])
  }
  await clearDefaults(database, ['message_bodies_default', 'messages_default'], first)
  if (old.length > 0) logger.info({ days: old.length, first }, 'old days of the record were dropped')
  return old.length
}

/** The keys go too: what backups and logs still hold of those days opens for nobody. */
async function dropOriginals({ database, logger }: RetentionOptions, first: string): Promise<void> {
  const old = await daysBefore(database, ['message_originals'], first)
  for (const day of old) await dropTables(database, [`message_originals_${day}`])
  await clearDefaults(database, ['message_originals_default'], first)
  await database.query('delete from body_keys where day < $1', [first])
  if (old.length > 0) logger.info({ days: old.length, first }, 'old days of sealed bodies were dropped')
}

async function daysBefore(database: Database, parents: readonly string[], first: string): Promise<string[]> {
  const { rows } = await database.query<{ day: string }>(
    `select distinct right(c.relname, 8) as day from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = any ($1::regclass[]) and c.relname ~ '_[0-9]{8}$' order by day`,
    [parents],
  )
  return rows.map((row) => row.day).filter((day) => day < first.replaceAll('-', ''))
}

async function clearDefaults(database: Database, tables: readonly string[], first: string): Promise<void> {
  for (const table of tables)
    await database.query(`delete from ${table} where at < $1::timestamp at time zone 'UTC'`, [first])
}

async function dropTables(database: Database, tables: readonly string[]): Promise<void> {
  const session = await database.connect()
  try {
    await session.query('begin')
    await session.query(`set local lock_timeout = '${lockTimeout}'`)
    await session.query(`drop table if exists ${tables.join(', ')}`)
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
