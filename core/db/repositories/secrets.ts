import type { EntityManager } from 'typeorm'
import type { SecretRepository } from '../../domain/store.js'

interface Place {
  readonly table: string
  readonly id: string
  readonly field: string
}

/** What of the vault is needed here. */
export interface Sealer {
  seal(plain: string, context: Place): string
  openText(sealed: string, context: Place): string
}

type Owner = Parameters<SecretRepository['get']>[0]

const TABLE = 'secrets'
const placeOf = (kind: string, id: string, field: string): Place => ({ table: TABLE, id: `${kind}/${id}`, field })

export function secretRepository(manager: EntityManager, vault: Sealer): SecretRepository {
  const sealedOf = (owner: Owner, field: string | null): Promise<{ field: string; sealed: string }[]> =>
    manager.query(
      `select field, sealed from secrets
       where owner_kind = $1 and owner_id = $2 and ($3::text is null or field = $3) order by field`,
      [owner.kind, owner.id, field],
    )
  const open = (owner: Owner, row: { field: string; sealed: string }): string =>
    vault.openText(row.sealed, placeOf(owner.kind, owner.id, row.field))

  return {
    put: async (owner, field, plain) => {
      await manager.query(
        `insert into secrets (owner_kind, owner_id, field, sealed) values ($1, $2, $3, $4)
         on conflict (owner_kind, owner_id, field)
         do update set sealed = excluded.sealed, updated_at = clock_timestamp()`,
        [owner.kind, owner.id, field, vault.seal(plain, placeOf(owner.kind, owner.id, field))],
      )
    },
    get: async (owner, field) => {
      const [row] = await sealedOf(owner, field)
      return row === undefined ? null : open(owner, row)
    },
    fields: async (owner) => {
      const rows = await sealedOf(owner, null)
      return Object.fromEntries(rows.map((row) => [row.field, open(owner, row)]))
    },
    remove: async (owner, field) => {
      await manager.query(
        'delete from secrets where owner_kind = $1 and owner_id = $2 and ($3::text is null or field = $3)',
        [owner.kind, owner.id, field ?? null],
      )
    },
  }
}
