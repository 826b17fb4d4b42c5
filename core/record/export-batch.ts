import type { LogRow } from '@gatehouse/sdk'
import { rowsOf } from './rows.js'
import type { StoredMessage } from './rows.js'

export interface ExportBatch {
  /** Deliveries in order; more than one only when a single message has more legs than a delivery may hold. */
  readonly deliveries: readonly (readonly LogRow[])[]
  /** Where the cursor stands once all are delivered. */
  readonly seq: bigint
}

export interface BatchBounds {
  readonly rows: number
  readonly bytes: number
}

/** What names and types of attributes add to a row on the wire, roughly. */
const overheadBytes = 1_500

/** As many whole messages as fit, one at least; undefined when there are none. */
export function packBatch(messages: readonly StoredMessage[], bounds: BatchBounds): ExportBatch | undefined {
  const packed: LogRow[] = []
  let bytes = 0
  let last: StoredMessage | undefined
  for (const message of messages) {
    const rows = rowsOf(message)
    const size = rows.reduce((sum, row) => sum + sizeOf(row), 0)
    const fits = packed.length + rows.length <= bounds.rows && bytes + size <= bounds.bytes
    if (last && !fits) break
    packed.push(...rows)
    bytes += size
    last = message
  }
  const tooLarge = packed.length > bounds.rows || bytes > bounds.bytes
  return last && { deliveries: tooLarge ? slices(packed, bounds) : [packed], seq: BigInt(last.seq) }
}

const sizeOf = (row: LogRow): number => JSON.stringify(row).length + overheadBytes

function slices(rows: readonly LogRow[], bounds: BatchBounds): LogRow[][] {
  const parts: LogRow[][] = []
  let bytes = 0
  for (const row of rows) {
    const size = sizeOf(row)
    const part = parts.at(-1)
    if (part && part.length < bounds.rows && bytes + size <= bounds.bytes) {
      part.push(row)
      bytes += size
    } else {
      parts.push([row])
      bytes = size
    }
  }
  return parts
}
