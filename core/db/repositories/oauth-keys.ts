import { randomUUID } from 'node:crypto'
import type { EntityManager } from 'typeorm'
import { guardAll } from './failures.js'
import type { Sealer } from './secrets.js'

/** `next` is known everywhere but not used yet, `current` is used, `old` is still accepted. */
export type KeyState = 'next' | 'current' | 'old'
export type KeyUse = 'signing' | 'cookie'

export interface KeyRow {
  readonly id: string
  readonly use: KeyUse
  readonly state: KeyState
  /** A JWK as JSON, or the secret text itself. */
  readonly key: string
  /** Milliseconds since it came into its state. */
  readonly age: number
}

export interface KeyRows {
  /** The current one first, then the next, then the old ones. */
  all(): Promise<readonly KeyRow[]>
  add(use: KeyUse, state: KeyState, key: string): Promise<void>
  /** `next` becomes `current` and `current` becomes `old`, at once. */
  promote(use: KeyUse): Promise<void>
  remove(id: string): Promise<void>
}

export function createKeyRows(manager: EntityManager, vault: Sealer): KeyRows {
  const placeOf = (id: string) => ({ table: 'oauth_keys', id, field: 'sealed' })
  return guardAll({
    all: async () => {
      const rows: (Omit<KeyRow, 'key'> & { readonly sealed: string })[] = await manager.query(
        `select id, use, state, sealed, (extract(epoch from clock_timestamp() - changed_at) * 1000)::float8 as age
         from oauth_keys order by array_position(array['current', 'next', 'old'], state), created_at desc, id`,
      )
      return rows.map(({ sealed, ...row }) => ({ ...row, key: vault.openText(sealed, placeOf(row.id)) }))
    },
    add: async (use: KeyUse, state: KeyState, key: string) => {
      const id = randomUUID()
      await manager.query('insert into oauth_keys (id, use, state, sealed) values ($1, $2, $3, $4)', [
        id,
        use,
        state,
        vault.seal(key, placeOf(id)),
      ])
    },
    promote: (use: KeyUse) =>
      manager.transaction(async (inside) => {
        const set = `update oauth_keys set state = $2, changed_at = clock_timestamp() where use = $1 and state = $3`
        await inside.query(set, [use, 'old', 'current'])
        await inside.query(set, [use, 'current', 'next'])
      }),
    remove: async (id: string) => {
      await manager.query('delete from oauth_keys where id = $1', [id])
    },
  })
}
