import { randomUUID } from 'node:crypto'
import type { EntityManager, FindOptionsWhere, ObjectLiteral, QueryDeepPartialEntity } from 'typeorm'
import type { Stored } from '../../domain/nouns.js'
import type { Draft, Paged, Patch, Repository, Slice } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import type { StoredEntity } from '../entities/stored.js'

/** One kind of noun whose row is the noun. */
export interface Kind<E extends StoredEntity> {
  readonly entity: new () => E
  /** As said in messages. */
  readonly noun: string
  readonly key: (key: string) => FindOptionsWhere<E> | null
  /** Who may stand in the way of a removal: each statement selects the `name`s of those that use the id `$1`. */
  readonly users?: readonly { readonly what: string; readonly sql: string }[]
}

/** A moment as the nouns have it. */
export const moment = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
export const isId = (text: string): boolean => UUID.test(text)

/** Oldest first. */
export async function rowsWhere<N extends Stored, E extends StoredEntity & N>(
  manager: EntityManager,
  { entity }: Kind<E>,
  where: FindOptionsWhere<E>,
): Promise<N[]> {
  const rows = await manager
    .createQueryBuilder(entity, 'row')
    .where(where)
    .orderBy('row.createdAt')
    .addOrderBy('row.id')
    .getMany()
  return rows.map((row) => copy<N>(row))
}

/** A repository of nouns that are one row each. */
export function rowRepository<N extends Stored, E extends StoredEntity & N>(
  manager: EntityManager,
  kind: Kind<E>,
): Repository<N> & Paged<N> {
  const find = async (where: FindOptionsWhere<E> | null): Promise<N | null> =>
    where === null ? null : copyIfThere<N>(await manager.findOne(kind.entity, { where }))
  const byId = (id: string): Promise<N | null> => find(isId(id) ? whereId<E>(id) : null)

  return {
    all: () => rowsWhere<N, E>(manager, kind, {}),
    page: async (slice, where = {}) => {
      if (slice.after !== null)
        await mustBeThere(manager, manager.dataSource.getMetadata(kind.entity).tablePath, slice.after)
      const some = after(manager, kind.entity, slice)
      const rows = await (Object.keys(where).length === 0 ? some : some.andWhere(where as ObjectLiteral)).getMany()
      return rows.map((row) => copy<N>(row))
    },
    find: byId,
    byKey: (key) => find(kind.key(key)),
    insert: async (draft) => present(await byId(await insertRow(manager, kind.entity, draft)), kind.noun),
    update: async (id, patch) => {
      await updateRow(manager, kind, id, patch)
      return present(await byId(id), kind.noun)
    },
    remove: (id) => removeRow(manager, kind, id),
  }
}

/** The rows of an entity behind the one where the slice begins, called `row`. */
function after<E extends StoredEntity>(manager: EntityManager, entity: new () => E, { limit, after }: Slice) {
  const { tablePath } = manager.dataSource.getMetadata(entity)
  const query = manager
    .createQueryBuilder(entity, 'row')
    .orderBy('row.createdAt')
    .addOrderBy('row.id')
    .limit(limit)
    .where('true')
  if (after === null) return query
  return query.andWhere(`(row.createdAt, row.id) > (select created_at, id from ${tablePath} where id = :after)`, {
    after,
  })
}

/** Answers the id, made here unless given. */
export async function insertRow<E extends StoredEntity>(
  manager: EntityManager,
  entity: new () => E,
  draft: Draft<Stored> & ObjectLiteral,
): Promise<string> {
  const id = draft.id ?? randomUUID()
  const { createdAt: _created, updatedAt: _updated, ...values } = draft as ObjectLiteral
  await manager.insert(entity, { ...values, id } as unknown as QueryDeepPartialEntity<E>)
  return id
}

export async function updateRow<E extends StoredEntity>(
  manager: EntityManager,
  kind: Kind<E>,
  id: string,
  patch: Patch<Stored> & ObjectLiteral,
): Promise<void> {
  if (!isId(id)) throw notFound(kind.noun)
  const fixed = ['id', 'createdAt', 'updatedAt']
  const columns = manager.dataSource.getMetadata(kind.entity).columns.map((column) => column.propertyName)
  const values = Object.entries(patch).filter(
    ([name, value]) => value !== undefined && columns.includes(name) && !fixed.includes(name),
  )
  const changed = {
    ...Object.fromEntries(values),
    updatedAt: () => 'clock_timestamp()',
  } as unknown as QueryDeepPartialEntity<E>
  const { affected } = await manager.update(kind.entity, whereId<E>(id), changed)
  if (affected === 0) throw notFound(kind.noun)
}

/** Removes a row and the secrets that it owned, unless others use it. */
export function removeRow<E extends StoredEntity>(manager: EntityManager, kind: Kind<E>, id: string): Promise<void> {
  return manager.transaction(async (inside) => {
    if (!isId(id)) throw notFound(kind.noun)
    for (const user of kind.users ?? []) {
      const rows: { name: string }[] = await inside.query(user.sql, [id])
      if (rows.length > 0) throw inUse(kind.noun, user.what, rows)
    }
    const { affected } = await inside.delete(kind.entity, whereId<E>(id))
    if (affected === 0) throw notFound(kind.noun)
    await inside.query('delete from secrets where owner_id = $1', [id])
  })
}

export function present<N>(noun: N | null, what: string): N {
  if (noun === null) throw notFound(what)
  return noun
}

export async function mustBeThere(manager: EntityManager, table: string, id: string): Promise<void> {
  const found: unknown[] = isId(id) ? await manager.query(`select 1 from ${table} where id = $1`, [id]) : []
  if (found.length > 0) return
  throw new GatehouseError('GH_API_INVALID', {
    message: 'cursor: is not known; begin anew without it',
    data: { field: 'cursor' },
  })
}

export const notFound = (noun: string): GatehouseError =>
  new GatehouseError('GH_API_NOT_FOUND', { message: `no such ${noun}` })

/** A row as a plain noun, without the columns that are never read out. */
const copy = <N>(row: object): N =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as N
export const copyIfThere = <N>(row: object | null): N | null => (row === null ? null : copy<N>(row))

function inUse(noun: string, what: string, rows: readonly { name: string }[]): GatehouseError {
  const names = rows.slice(0, 5).map((row) => row.name)
  const more = rows.length > names.length ? ' and others' : ''
  return new GatehouseError('GH_API_CONFLICT', {
    message: `this ${noun} is still used by ${what}: ${names.join(', ')}${more}`,
  })
}

const whereId = <E extends StoredEntity>(id: string): FindOptionsWhere<E> => ({ id }) as FindOptionsWhere<E>
