import type { SealContext, Sealed, Vault } from './vault.js'
import { asGatehouseError } from '../errors.js'
import type { ErrorCode } from '../errors.js'

export interface SealedRecord {
  readonly context: SealContext
  readonly sealed: Sealed
  /** Where this record stands in the source's order; rotation can be taken up after it. */
  readonly cursor: string
}

/** Where sealed secrets lie. */
export interface RotationSource {
  /** All records in one stable order, from after `cursor` on, at most `size` to a page. */
  pages(after: string | undefined, size: number): AsyncIterable<readonly SealedRecord[]>
  /** Writes `renewed` only if `expected` still stands there, in one statement; false if it does not. */
  replace(record: SealedRecord, expected: Sealed, renewed: Sealed): Promise<boolean>
}

export interface RotationOptions {
  readonly vault: Vault
  readonly source: RotationSource
  readonly batch?: number
  /** The `cursor` of an earlier, interrupted rotation. */
  readonly after?: string
  readonly signal?: AbortSignal
  /** After each page, with what was done so far. */
  readonly onProgress?: (progress: RotationCounts) => void
}

export interface RotationCounts {
  readonly seen: number
  /** Sealed anew with the current key. */
  readonly rotated: number
  /** Were sealed with the current key already. */
  readonly current: number
  /** Written or deleted by someone else meanwhile; their word stands. Another rotation sees to what is still old. */
  readonly changed: number
  /** Do not open; left as they are. */
  readonly failed: number
  readonly cursor: string | undefined
}

export interface RotationReport extends RotationCounts {
  /** The first hundred of the failed. */
  readonly failures: readonly { readonly context: SealContext; readonly code: ErrorCode }[]
}

type Outcome = 'rotated' | 'current' | 'changed' | { readonly failed: ErrorCode }

/**
 * Seals every secret anew with the current master key. An old key may go when a run reports nothing rotated, changed or
 * failed. Idempotent, and safe beside writers: each record is compared and swapped.
 */
export async function rotate(options: RotationOptions): Promise<RotationReport> {
  const counts = { seen: 0, rotated: 0, current: 0, changed: 0, failed: 0, cursor: options.after }
  const failures: RotationReport['failures'][number][] = []
  for await (const page of options.source.pages(options.after, options.batch ?? 100)) {
    for (const record of page) {
      options.signal?.throwIfAborted()
      const outcome = await rotateOne(record, options)
      if (typeof outcome === 'string') counts[outcome]++
      else {
        counts.failed++
        if (failures.length < 100) failures.push({ context: record.context, code: outcome.failed })
      }
      counts.seen++
      counts.cursor = record.cursor
    }
    options.onProgress?.({ ...counts })
  }
  return { ...counts, failures }
}

async function rotateOne(record: SealedRecord, { vault, source }: RotationOptions): Promise<Outcome> {
  const renewed = renew(record, vault)
  if (typeof renewed !== 'string') return renewed ?? 'current'
  return (await source.replace(record, record.sealed, renewed)) ? 'rotated' : 'changed'
}

function renew({ sealed, context }: SealedRecord, vault: Vault): Sealed | { failed: ErrorCode } | undefined {
  try {
    if (!vault.needsRotation(sealed)) return undefined
    const plain = vault.open(sealed, context)
    const renewed = vault.seal(plain, context)
    plain.fill(0)
    return renewed
  } catch (error) {
    return { failed: asGatehouseError(error).code }
  }
}
