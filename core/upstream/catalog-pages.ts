import { createHash } from 'node:crypto'
import type { Json } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import type { Listing } from './catalog-types.js'

const PAGE = 100

export interface Page {
  readonly items: Listing['items']
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined
}

/**
 * One page of what the client may see (filter first). A cursor holds for the very list that it was made from; after a
 * change, and for anything that is no cursor of ours, GH_DOOR_PARAMS sends the client back to the first page.
 */
export function page({ items }: Pick<Listing, 'items'>, cursor: Json | undefined, size = PAGE): Page {
  if (cursor === undefined && items.length <= size) return { items, nextCursor: undefined }
  const hash = hashOf(items)
  const from = cursor === undefined ? 0 : startOf(cursor, hash)
  if (from >= items.length) throw badCursor()
  const end = from + size
  return { items: items.slice(from, end), nextCursor: end < items.length ? encode(end, hash) : undefined }
}

function encode(index: number, hash: string): string {
  return Buffer.from(`${index}.${hash}`).toString('base64url')
}

function startOf(cursor: Json, hash: string): number {
  if (typeof cursor !== 'string') throw badCursor()
  const found = /^([1-9]\d{0,8})\.([0-9a-f]{16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'))
  const index = Number(found?.[1])
  if (found?.[2] !== hash || encode(index, hash) !== cursor) throw badCursor()
  return index
}

function badCursor(): GatehouseError {
  return new GatehouseError('GH_DOOR_PARAMS', { message: 'The cursor is unknown, or the list has changed meanwhile' })
}

function hashOf(items: Listing['items']): string {
  const hash = createHash('sha256')
  for (const { feature } of items) hash.update(`${feature.assignment.assignment.id}\n${feature.publicName}\0`)
  return hash.digest('hex').slice(0, 16)
}
