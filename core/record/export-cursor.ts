import type { LogRow } from '@gatehouse/sdk'
import type { Database } from './carry.js'
import { lastTaken } from './horizon.js'
import { messageColumns } from './rows.js'
import type { StoredMessage } from './rows.js'

/** Where an exporter stands. Every move names the place it starts from, so that two replicas never move it twice. */
export class ExportCursor {
  constructor(
    private readonly database: Database,
    private readonly exporterId: string,
  ) {}

  /** A new exporter starts at `end`: it gets what comes from now on. */
  async read(end: () => Promise<bigint>): Promise<bigint> {
    const found = await this.find()
    if (found !== null) return found
    await this.database.query(
      'insert into exporter_cursors (exporter_id, seq) values ($1, $2) on conflict do nothing',
      [this.exporterId, String(await end())],
    )
    return (await this.find()) ?? 0n
  }

  /** False when it stands elsewhere by now. */
  async delivered(from: bigint, to: bigint): Promise<boolean> {
    const { rowCount } = await this.database.query(
      `update exporter_cursors set seq = $3, delivered_at = clock_timestamp(), updated_at = clock_timestamp(),
         failed_at = null, failure = null, failure_status = null
       where exporter_id = $1 and seq = $2`,
      [this.exporterId, String(from), String(to)],
    )
    return rowCount === 1
  }

  /** The rows go to the dead letters and the cursor passes them, together or not at all. */
  async buried(from: bigint, to: bigint, letter: DeadLetter): Promise<boolean> {
    const { rowCount } = await this.database.query(
      `with moved as (
         update exporter_cursors set seq = $3, updated_at = clock_timestamp()
         where exporter_id = $1 and seq = $2 returning exporter_id)
       insert into dead_letters (exporter_id, attempts, message, status, rows)
       select exporter_id, $4, $5, $6, $7::jsonb from moved`,
      [
        this.exporterId,
        String(from),
        String(to),
        letter.attempts,
        letter.message,
        letter.status ?? null,
        JSON.stringify(letter.rows),
      ],
    )
    return rowCount === 1
  }

  async failed(message: string, status: number | undefined): Promise<void> {
    await this.database.query(
      `update exporter_cursors set failed_at = clock_timestamp(), failure = $2, failure_status = $3
       where exporter_id = $1`,
      [this.exporterId, message, status ?? null],
    )
  }

  async messages(from: bigint, to: bigint, limit: number): Promise<StoredMessage[]> {
    const { rows } = await this.database.query<StoredMessage>(
      `select ${messageColumns} from messages m where m.seq > $1 and m.seq <= $2 order by m.seq limit ${limit}`,
      [String(from), String(to)],
    )
    return rows
  }

  private async find(): Promise<bigint | null> {
    const { rows } = await this.database.query<{ seq: string }>(
      'select seq from exporter_cursors where exporter_id = $1',
      [this.exporterId],
    )
    return rows[0] ? BigInt(rows[0].seq) : null
  }
}

export interface DeadLetter {
  readonly attempts: number
  readonly message: string
  readonly status?: number | undefined
  readonly rows: readonly LogRow[]
}

/** What the API shows of an exporter; the same from every replica. */
export interface ExporterStatus {
  /** How many messages wait, at most; 0 for an exporter that is up to date. */
  readonly waiting: number
  /** When the oldest of them came in; null when none waits. */
  readonly waitingSince: string | null
  readonly lastSuccess: string | null
  readonly lastError: { readonly at: string; readonly message: string; readonly status: number | null } | null
  readonly deadLetters: number
}

interface StatusRow {
  readonly waiting: string
  readonly oldest: Date | null
  readonly delivered_at: Date | null
  readonly failed_at: Date | null
  readonly failure: string | null
  readonly failure_status: number | null
  readonly dead: string
}

/** Null for an exporter that has never run. */
export async function exporterStatus(database: Database, exporterId: string): Promise<ExporterStatus | null> {
  const { rows } = await database.query<StatusRow>(
    `select (select ${lastTaken} from messages_seq) - c.seq as waiting,
       (select m.at from messages m where m.seq > c.seq order by m.seq limit 1) as oldest,
       c.delivered_at, c.failed_at, c.failure, c.failure_status,
       (select count(*) from dead_letters d where d.exporter_id = c.exporter_id) as dead
     from exporter_cursors c where c.exporter_id = $1`,
    [exporterId],
  )
  const [row] = rows
  if (!row) return null
  return {
    waiting: row.oldest ? Math.max(1, Number(row.waiting)) : 0,
    waitingSince: row.oldest?.toISOString() ?? null,
    lastSuccess: row.delivered_at?.toISOString() ?? null,
    lastError: row.failed_at && {
      at: row.failed_at.toISOString(),
      message: row.failure ?? '',
      status: row.failure_status,
    },
    deadLetters: Number(row.dead),
  }
}
