import type { Json, JsonObject } from '@gatehouse/sdk'

/**
 * A number that a double cannot hold travels through the gateway as a text with a mark before its digits, which is another one in every
 * process. Rules see the digits alone, as a text, so that they see the same whenever they are asked.
 */
const MARK = '\u{e000}'
const MARKED = /^\u{e000}[g-v]{16}:(-?[0-9.eE+-]+)$/u

export const mayHaveMarks = (json: string): boolean => json.includes(MARK)

export function withoutMarks(value: Json | undefined): Json | undefined {
  if (typeof value === 'string') return MARKED.exec(value)?.[1] ?? value
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: Json) => withoutMarks(item) ?? null)
  return Object.fromEntries(Object.entries(value as JsonObject).map(([key, item]) => [key, withoutMarks(item)]))
}

/** The changed message with the marks where the digits stand that were marked before: those stay numbers. */
export function withMarks(changed: Json | undefined, before: Json | undefined): Json | undefined {
  if (typeof before === 'string' && typeof changed === 'string')
    return MARKED.exec(before)?.[1] === changed ? before : changed
  if (typeof changed !== 'object' || changed === null || typeof before !== 'object' || before === null) return changed
  if (Array.isArray(changed)) {
    const others = Array.isArray(before) ? (before as readonly Json[]) : []
    return changed.map((item: Json, at) => withMarks(item, others[at]) ?? null)
  }
  const entries = Object.entries(changed as JsonObject)
  return Object.fromEntries(
    entries.map(([key, item]) => [
      key,
      withMarks(item, Object.hasOwn(before, key) ? (before as JsonObject)[key] : undefined),
    ]),
  )
}
