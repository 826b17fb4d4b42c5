import type { EntityManager } from 'typeorm'
import { guardAll } from './failures.js'

/** A public key that a person signs in with. `id` is the credential's, in base64url. */
export interface PasskeyRow {
  readonly id: string
  readonly userId: string
  readonly name: string
  readonly publicKey: Buffer
  /** How often the authenticator says it was used; 0 for ever when it does not count. */
  readonly counter: number
  readonly transports: readonly string[]
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly lastUsedAt: number | null
}

export interface PasskeyRows {
  /** Oldest first. */
  of(userId: string): Promise<readonly PasskeyRow[]>
  find(id: string): Promise<PasskeyRow | null>
  insert(row: Omit<PasskeyRow, 'createdAt' | 'lastUsedAt'>): Promise<void>
  /** False when the counter did not rise: somebody has copied the key, or used it at the same time. */
  used(id: string, counter: number): Promise<boolean>
  rename(userId: string, id: string, name: string): Promise<boolean>
  remove(userId: string, id: string): Promise<boolean>
  /** All of a person. */
  removeOf(userId: string): Promise<void>
}

const COLUMNS = `id, user_id as "userId", name, public_key as "publicKey", counter::float8 as counter, transports,
  (extract(epoch from created_at) * 1000)::float8 as "createdAt",
  (extract(epoch from last_used_at) * 1000)::float8 as "lastUsedAt"`

export function createPasskeyRows(manager: EntityManager): PasskeyRows {
  const happened = async (sql: string, given: readonly unknown[]): Promise<boolean> => {
    const done: unknown[] = await manager.query(`with done as (${sql} returning 1) select * from done`, [...given])
    return done.length === 1
  }
  return guardAll({
    of: async (userId: string) => {
      const rows: PasskeyRow[] = await manager.query(
        `select ${COLUMNS} from passkeys where user_id = $1 order by created_at, id`,
        [userId],
      )
      return rows
    },
    find: async (id: string) => {
      const rows: PasskeyRow[] = await manager.query(`select ${COLUMNS} from passkeys where id = $1`, [id])
      return rows[0] ?? null
    },
    insert: async ({ id, userId, name, publicKey, counter, transports }: Parameters<PasskeyRows['insert']>[0]) => {
      await manager.query(
        `insert into passkeys (id, user_id, name, public_key, counter, transports) values ($1, $2, $3, $4, $5, $6)`,
        [id, userId, name, publicKey, counter, [...transports]],
      )
    },
    used: (id: string, counter: number) =>
      happened(
        `update passkeys set counter = $2, last_used_at = clock_timestamp()
         where id = $1 and (counter < $2 or (counter = 0 and $2 = 0))`,
        [id, counter],
      ),
    rename: (userId: string, id: string, name: string) =>
      happened('update passkeys set name = $3 where id = $2 and user_id = $1', [userId, id, name]),
    remove: (userId: string, id: string) =>
      happened('delete from passkeys where id = $2 and user_id = $1', [userId, id]),
    removeOf: async (userId: string) => void (await manager.query('delete from passkeys where user_id = $1', [userId])),
  })
}
