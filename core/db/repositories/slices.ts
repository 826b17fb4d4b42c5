import type { EntityManager } from 'typeorm'
import type { Slice } from '../../domain/store.js'
import { mustBeThere } from './rows.js'

type Row = Readonly<Record<string, unknown>>

/** What a page is taken from: a `select` whose rows are called `c`, and which of its columns a caller may ask for. */
interface Source {
  readonly table: string
  readonly select: string
  /** Columns by the names of the noun's fields. */
  readonly columns: Readonly<Record<string, string>>
  /** A test that every row must pass. */
  readonly always?: string
}

/** A slice of rows in the order of their age, with `where` on columns; moments come as ISO 8601 text. */
export async function readSlice<T>(
  manager: EntityManager,
  { table, select, columns, always = 'true' }: Source,
  { limit, after, where }: Slice & { readonly where: object },
): Promise<readonly T[]> {
  const given = Object.entries(where).filter(([, value]) => value !== undefined)
  const tests = given.map(([field], at) => `c.${columns[field]} is not distinct from $${at + 2}`)
  const values: unknown[] = [limit, ...given.map(([, value]) => value)]
  if (after !== null) {
    await mustBeThere(manager, table, after)
    values.push(after)
    tests.push(`(c.created_at, c.id) > (select created_at, id from ${table} where id = $${values.length})`)
  }
  const all = [always, ...tests].join(' and ')
  const rows: Row[] = await manager.query(`${select} where ${all} order by c.created_at, c.id limit $1`, values)
  return rows.map((row) => withTexts(row) as T)
}

const withTexts = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
  )
