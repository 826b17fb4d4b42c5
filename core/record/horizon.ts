import type { Database } from './carry.js'

/** Of `messages_seq`; a sequence that nobody has asked yet shows its first number as if it were taken. */
export const lastTaken = 'case when is_called then last_value else 0 end'

/**
 * How far a cursor on `messages.seq` may go. Numbers are taken in order but committed in any: a reader that simply took
 * the highest one it sees would pass over rows of a transaction that is still under way. Every writer has its
 * transaction's id before it takes a number. So, once a number was read and then an id taken, all transactions that may
 * hold a number up to that one have lower ids; when none of them runs any more, nothing will appear below.
 */
export class Horizon {
  private settled = 0n
  private waiting: { readonly seq: bigint; readonly xid: bigint } | undefined

  constructor(private readonly database: Pick<Database, 'query'>) {}

  /** No row with this number or a lower one will appear any more. Never goes back. */
  async current(): Promise<bigint> {
    this.waiting ??= await this.look()
    if (this.waiting && (await this.oldestRunning()) >= this.waiting.xid) {
      this.settled = this.waiting.seq
      this.waiting = undefined
    }
    return this.settled
  }

  /** The last number that was taken: where a cursor begins that shall see only what comes from now on. */
  async end(): Promise<bigint> {
    const { rows } = await this.database.query<{ seq: string }>(`select ${lastTaken} as seq from messages_seq`)
    return BigInt(rows[0]?.seq ?? 0)
  }

  /** The number is read before the id is taken; undefined when there is nothing new. */
  private async look(): Promise<{ seq: bigint; xid: bigint } | undefined> {
    if ((await this.end()) === this.settled) return undefined
    const { rows } = await this.database.query<{ seq: string; xid: string }>(
      `with last as materialized (select ${lastTaken} as seq from messages_seq)
       select seq, pg_current_xact_id()::text as xid from last`,
    )
    const [row] = rows
    return row && { seq: BigInt(row.seq), xid: BigInt(row.xid) }
  }

  private async oldestRunning(): Promise<bigint> {
    const { rows } = await this.database.query<{ xid: string }>(
      'select pg_snapshot_xmin(pg_current_snapshot())::text as xid',
    )
    return BigInt(rows[0]?.xid ?? 0)
  }
}
