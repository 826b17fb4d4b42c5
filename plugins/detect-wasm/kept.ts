import type { Ran } from '@gatehouse/rule-sandbox'
import { RULE_LIMITS } from '@gatehouse/sdk/rule-limits'
import { z } from 'zod'

/** What a rule has stored, by its keys. */
export type Entries = Map<string, Entry>

interface Entry {
  readonly value: string
  readonly expiresAt: number
}

/** A list, for a key may be called like what every object has. */
const Row = z.array(z.tuple([z.string(), z.string(), z.number()]))
/** Keys and values in base64: signs of theirs that JSON writes longer do not count there. */
const Packed = z.object({ base64: Row })
/** Bytes of one text of the gateway's store. What a rule may store always fits in base64. */
const LARGEST_TEXT = 65_536

/** Without what has run out. What is unreadable is not taken for nothing: a limit that a rule counts would begin anew. */
export function readKept(text: string | undefined, now: number): Entries {
  const row = text === undefined ? [] : rowOf(z.union([Row, Packed]).parse(JSON.parse(text)))
  const standing = row.filter(([, , expiresAt]) => expiresAt > now)
  return new Map(standing.map(([key, value, expiresAt]) => [key, { value, expiresAt }]))
}

const rowOf = (read: z.infer<typeof Row> | z.infer<typeof Packed>): z.infer<typeof Row> =>
  Array.isArray(read)
    ? read
    : read.base64.map(([key, value, expiresAt]) => [fromBase64(key), fromBase64(value), expiresAt])

/** Undefined when there is nothing to keep. */
export function writeKept(entries: Entries): string | undefined {
  if (entries.size === 0) return undefined
  const row = [...entries].map(([key, { value, expiresAt }]) => [key, value, expiresAt] as const)
  const text = JSON.stringify(row)
  if (Buffer.byteLength(text) <= LARGEST_TEXT) return text
  return JSON.stringify({ base64: row.map(([key, value, at]) => [toBase64(key), toBase64(value), at]) })
}

const toBase64 = (text: string): string => Buffer.from(text).toString('base64')
const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString()

export function applied(entries: Entries, writes: Ran['writes'], now: number): Entries {
  const after: Entries = new Map(entries)
  for (const { key, value, ttlSeconds } of writes) {
    if (value === null) after.delete(key)
    else after.set(key, { value, expiresAt: now + (ttlSeconds > 0 ? ttlSeconds : RULE_LIMITS.kvTtlSeconds) * 1_000 })
  }
  return after
}
