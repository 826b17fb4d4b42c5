import type { EntityManager } from 'typeorm'
import { guardAll } from './failures.js'

/** Someone who may sign in with a password, as far as the address is known. */
export interface PasswordRow {
  readonly userId: string
  readonly enabled: boolean
  /** Null: no password has been set. */
  readonly hash: string | null
  /** Whether too many tries have failed of late. This try is counted already. */
  readonly locked: boolean
}

/** How tries are counted: at `most` failures the account rests for `firstMs`, and twice as long after each one more. */
export interface Lock {
  readonly most: number
  readonly firstMs: number
  readonly longestMs: number
}

export interface PasswordRows {
  /**
   * Finds by e-mail address (lower case) and counts a failure beforehand, in one statement: of a thousand tries at once no
   * more get through than of a thousand in a row. Null: nobody has this address.
   */
  tryOf(email: string, lock: Lock): Promise<PasswordRow | null>
  of(userId: string): Promise<string | null>
  /** The try was right: failures are forgotten. */
  clear(userId: string): Promise<void>
  /** Sets the hash, and forgets failures. With `instead`, only in the place of that very hash. */
  set(userId: string, hash: string, instead?: string): Promise<boolean>
  remove(userId: string): Promise<void>
}

/** The update waits for others of the same row and then looks at what they left: the lock holds in a race, too. */
const TRY = `with counted as (
    update passwords p set failures = p.failures + 1,
      locked_until = case when p.failures + 1 < $2 then null else clock_timestamp()
        + make_interval(secs => least($4::float8, $3::float8 * power(2, least(p.failures + 1 - $2, 30)))) end
    from users u
    where u.id = p.user_id and u.email = $1 and (p.locked_until is null or p.locked_until <= clock_timestamp())
    returning p.user_id
  )
  select u.id as "userId", u.enabled, p.hash, p.user_id is not null and counted.user_id is null as locked
  from users u left join passwords p on p.user_id = u.id left join counted on counted.user_id = u.id
  where u.email = $1`

export function createPasswordRows(manager: EntityManager): PasswordRows {
  return guardAll({
    tryOf: async (email: string, { most, firstMs, longestMs }: Lock) => {
      const rows: PasswordRow[] = await manager.query(TRY, [email, most, firstMs / 1000, longestMs / 1000])
      return rows[0] ?? null
    },
    of: async (userId: string) => {
      const rows: { hash: string }[] = await manager.query('select hash from passwords where user_id = $1', [userId])
      return rows[0]?.hash ?? null
    },
    clear: async (userId: string) => {
      await manager.query(
        'update passwords set failures = 0, locked_until = null where user_id = $1 and failures > 0',
        [userId],
      )
    },
    set: async (userId: string, hash: string, instead?: string) => {
      const done: unknown[] = await manager.query(
        instead === undefined
          ? `with done as (insert into passwords (user_id, hash) values ($1, $2) on conflict (user_id) do update
             set hash = excluded.hash, failures = 0, locked_until = null, changed_at = clock_timestamp() returning 1)
             select * from done`
          : `with done as (update passwords set hash = $2, failures = 0, locked_until = null
             where user_id = $1 and hash = $3 returning 1) select * from done`,
        instead === undefined ? [userId, hash] : [userId, hash, instead],
      )
      return done.length === 1
    },
    remove: async (userId: string) => {
      await manager.query('delete from passwords where user_id = $1', [userId])
    },
  })
}
