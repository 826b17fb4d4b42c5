import { z } from 'zod'
import type { Slice } from '../../domain/store.js'
import { invalid } from '../../configuration/problems.js'

/** `?limit&cursor` of every list. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().min(1).max(100).optional(),
})

export const pageOf = (item: z.ZodType) => z.object({ items: z.array(item), next: z.string().nullable() })

/** One page; a row more than that is read, to know whether there are others. */
export async function pageOfSlice<T extends { readonly id: string }>(
  read: (slice: Slice) => Promise<readonly T[]>,
  { limit, cursor }: z.output<typeof PageQuery>,
): Promise<{ readonly items: readonly T[]; readonly next: string | null }> {
  const rows = await read({ limit: limit + 1, after: cursor ?? null })
  const items = rows.slice(0, limit)
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}

/** One page of rows that stand in a fixed order; the cursor is the id of the last one seen. */
export async function pageThrough<T extends { readonly id: string }>(
  rows: readonly T[],
  { limit, cursor }: z.output<typeof PageQuery>,
  show: (row: T) => unknown,
): Promise<{ readonly items: readonly unknown[]; readonly next: string | null }> {
  const last = rows.findIndex(({ id }) => id === cursor)
  if (cursor !== undefined && last === -1) throw invalid('cursor', 'is not known; begin anew without it')
  const items = rows.slice(last + 1, last + 1 + limit)
  const hasMore = last + 1 + limit < rows.length
  return { items: await Promise.all(items.map(show)), next: hasMore ? (items.at(-1)?.id ?? null) : null }
}
