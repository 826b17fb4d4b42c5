import type { EntityManager } from 'typeorm'
import { guardAll, guarded } from './failures.js'

interface Place {
  readonly table: string
  readonly id: string
  readonly field: string
}
interface SealedRecord {
  readonly context: Place
  readonly sealed: string
  readonly cursor: string
}

/** A column of sealed text: what is written there was sealed for `placeOf` of its row's keys. */
interface SealedColumn {
  readonly table: string
  readonly keys: readonly string[]
  readonly column: string
  readonly placeOf?: (keys: readonly string[]) => Place
}

/** Every place where something sealed lies. A column that is missing here keeps an old master key alive for ever. */
const SEALED: readonly SealedColumn[] = [
  {
    table: 'secrets',
    keys: ['owner_kind', 'owner_id', 'field'],
    column: 'sealed',
    placeOf: ([kind, id, field]) => ({ table: 'secrets', id: `${kind}/${id}`, field: field ?? '' }),
  },
  { table: 'one_time', keys: ['kind', 'hash'], column: 'payload' },
  { table: 'oauth_clients', keys: ['client_id'], column: 'metadata' },
  { table: 'oauth_artifacts', keys: ['kind', 'id_hash'], column: 'payload' },
  { table: 'oauth_keys', keys: ['id'], column: 'sealed' },
  { table: 'identity_grants', keys: ['identity_id'], column: 'tokens' },
  { table: 'body_keys', keys: ['day'], column: 'sealed' },
  { table: 'rule_replays', keys: ['id'], column: 'samples' },
  { table: 'upstream_clients', keys: ['server_id', 'issuer'], column: 'registration' },
]

const placeIn = ({ table, column, placeOf }: SealedColumn, keys: readonly string[]): Place =>
  placeOf?.(keys) ?? { table, id: keys.join('/'), field: column }

/** All that is sealed, table by table in the order of the keys, for the rotation of master keys. */
export function createSealedSource(manager: EntityManager): {
  pages(after: string | undefined, size: number): AsyncIterable<readonly SealedRecord[]>
  replace(record: SealedRecord, expected: string, renewed: string): Promise<boolean>
} {
  const page = async (index: number, after: readonly string[] | null, size: number): Promise<SealedRecord[]> => {
    const place = SEALED[index] as SealedColumn
    const { table, keys, column } = place
    const names = keys.join(', ')
    const marks = keys.map((_, at) => `$${at + 2}`).join(', ')
    const rows: Record<string, string>[] = await guarded(() =>
      manager.query(
        `select ${keys.map((key) => `${key}::text as ${key}`).join(', ')}, ${column} as sealed_text from ${table}
         where ${column} is not null ${after === null ? '' : `and (${names}) > (${marks})`} order by ${names} limit $1`,
        [size, ...(after ?? [])],
      ),
    )
    return rows.map((row) => {
      const own = keys.map((key) => row[key] ?? '')
      return {
        context: placeIn(place, own),
        sealed: row['sealed_text'] ?? '',
        cursor: JSON.stringify([index, ...own]),
      }
    })
  }

  async function* pages(after: string | undefined, size: number): AsyncIterable<readonly SealedRecord[]> {
    const [first, ...keys] = after === undefined ? [0] : (JSON.parse(after) as [number, ...string[]])
    let from: readonly string[] | null = after === undefined ? null : keys
    for (let index = first; index < SEALED.length; index += 1) {
      for (;;) {
        const records = await page(index, from, size)
        if (records.length === 0) break
        yield records
        from = (JSON.parse(records.at(-1)!.cursor) as [number, ...string[]]).slice(1) as string[]
      }
      from = null
    }
  }

  const { replace } = guardAll({
    replace: async (record: SealedRecord, expected: string, renewed: string): Promise<boolean> => {
      const [index, ...own] = JSON.parse(record.cursor) as [number, ...string[]]
      const { table, keys, column } = SEALED[index] as SealedColumn
      const where = keys.map((key, at) => `${key} = $${at + 3}`).join(' and ')
      const done: unknown[] = await manager.query(
        `with done as (update ${table} set ${column} = $2 where ${where} and ${column} = $1 returning 1)
         select * from done`,
        [expected, renewed, ...own],
      )
      return done.length === 1
    },
  })
  return { pages, replace }
}
