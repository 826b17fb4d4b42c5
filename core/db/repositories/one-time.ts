import type { EntityManager } from 'typeorm'
import { guardAll } from './failures.js'
import type { Sealer } from './secrets.js'

/** What a secret stands for. Hashes are lower-case hex SHA-256. */
export interface OneTimeRow {
  readonly kind: string
  readonly hash: string
  /** Hash of what the holder must have besides the secret; null: nothing. */
  readonly bound: string | null
  /** With the person it goes, too. */
  readonly userId: string | null
  /** Kept sealed. */
  readonly payload: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export interface OneTimeRows {
  /** One of the same kind and hash is replaced. */
  put(row: OneTimeRow): Promise<void>
  /** The payload, if it has not expired and `bound` fits. */
  peek(kind: string, hash: string, bound: string | null): Promise<string | null>
  /** The same, for one taker alone: it is gone afterwards. Who does not fit takes nothing and spends nothing. */
  take(kind: string, hash: string, bound: string | null): Promise<string | null>
  /** Counts a failed try; at `most` it is gone. Answers how many were left. */
  tried(kind: string, hash: string, most: number): Promise<number>
  /** Ends all of one kind that a person has. */
  endOf(kind: string, userId: string): Promise<void>
  /** True for the first who says so of this hash: an identifier that must not come twice. */
  first(kind: string, hash: string, expiresAt: number): Promise<boolean>
  /** Deletes what has expired, at most `limit` rows; answers how many. */
  sweep(limit: number): Promise<number>
}

const FITS = `kind = $1 and hash = $2 and (bound is null or bound = $3) and expires_at > clock_timestamp()`

export function createOneTimeRows(manager: EntityManager, vault: Sealer): OneTimeRows {
  const placeOf = (kind: string, hash: string) => ({ table: 'one_time', id: `${kind}/${hash}`, field: 'payload' })
  const open = (kind: string, hash: string, rows: readonly { payload: string }[]): string | null =>
    rows[0] === undefined ? null : vault.openText(rows[0].payload, placeOf(kind, hash))

  return guardAll({
    put: async ({ kind, hash, bound, userId, payload, expiresAt }: OneTimeRow) => {
      const sealed = vault.seal(payload, placeOf(kind, hash))
      await manager.query(
        `insert into one_time (kind, hash, bound, user_id, payload, expires_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (kind, hash) do update set bound = excluded.bound, user_id = excluded.user_id,
           payload = excluded.payload, tries = 0, created_at = clock_timestamp(), expires_at = excluded.expires_at`,
        [kind, hash, bound, userId, sealed, new Date(expiresAt)],
      )
    },
    peek: async (kind: string, hash: string, bound: string | null) =>
      open(kind, hash, await manager.query(`select payload from one_time where ${FITS}`, [kind, hash, bound])),
    take: async (kind: string, hash: string, bound: string | null) => {
      const taken: { payload: string }[] = await manager.query(
        `with taken as (delete from one_time where ${FITS} returning payload) select payload from taken`,
        [kind, hash, bound],
      )
      return open(kind, hash, taken)
    },
    tried: async (kind: string, hash: string, most: number) => {
      const rows: { tries: number }[] = await manager.query(
        `with tried as (update one_time set tries = tries + 1 where kind = $1 and hash = $2 returning tries)
         select tries from tried`,
        [kind, hash],
      )
      const left = Math.max(0, most - (rows[0]?.tries ?? most))
      if (left === 0) await manager.query('delete from one_time where kind = $1 and hash = $2', [kind, hash])
      return left
    },
    endOf: async (kind: string, userId: string) => {
      await manager.query('delete from one_time where kind = $1 and user_id = $2', [kind, userId])
    },
    first: async (kind: string, hash: string, expiresAt: number) => {
      const made: unknown[] = await manager.query(
        `with made as (insert into one_time (kind, hash, payload, expires_at) values ($1, $2, $3, $4)
           on conflict (kind, hash) do nothing returning 1) select * from made`,
        [kind, hash, vault.seal('', placeOf(kind, hash)), new Date(expiresAt)],
      )
      return made.length === 1
    },
    sweep: async (limit: number) => {
      const gone: unknown[] = await manager.query(
        `with gone as (delete from one_time where ctid in (
           select ctid from one_time where expires_at < clock_timestamp() limit $1) returning 1) select * from gone`,
        [limit],
      )
      return gone.length
    },
  })
}
