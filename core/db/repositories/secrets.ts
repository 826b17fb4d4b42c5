import type { EntityManager } from 'typeorm'
import type { SecretRepository } from '../../domain/store.js'
import { guardAll, guarded } from './failures.js'

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

interface SealedRow {
  readonly kind: string
  readonly id: string
  readonly field: string
  readonly sealed: string
}
interface SealedRecord {
  readonly context: Place
  readonly sealed: string
  readonly cursor: string
}

/** All sealed secrets in the order of their keys, for the rotation of master keys. */
export function createSecretSource(manager: EntityManager): {
  pages(after: string | undefined, size: number): AsyncIterable<readonly SealedRecord[]>
  replace(record: SealedRecord, expected: string, renewed: string): Promise<boolean>
} {
  const page = (cursor: string, size: number): Promise<SealedRow[]> =>
    guarded(() => manager.query(PAGE, [...(JSON.parse(cursor) as string[]), size]))

  async function* pages(after: string | undefined, size: number): AsyncIterable<readonly SealedRecord[]> {
    let cursor = after ?? '["", "", ""]'
    for (;;) {
      const records = (await page(cursor, size)).map(recordOf)
      if (records.length === 0) return
      yield records
      cursor = records.at(-1)!.cursor
    }
  }

  const { replace } = guardAll({
    replace: async (record: SealedRecord, expected: string, renewed: string): Promise<boolean> => {
      const given = [...(JSON.parse(record.cursor) as string[]), expected, renewed]
      const rows: unknown[] = await manager.query(REPLACE, given)
      return rows.length === 1
    },
  })
  return { pages, replace }
}

const recordOf = ({ kind, id, field, sealed }: SealedRow): SealedRecord => ({
  context: placeOf(kind, id, field),
  sealed,
  cursor: JSON.stringify([kind, id, field]),
})

const PAGE = `select owner_kind as kind, owner_id as id, field, sealed from secrets
  where (owner_kind, owner_id, field) > ($1, $2, $3) order by owner_kind, owner_id, field limit $4`
const REPLACE = `with done as (
    update secrets set sealed = $5, updated_at = clock_timestamp()
    where owner_kind = $1 and owner_id = $2 and field = $3 and sealed = $4 returning 1)
  select * from done`
