import { RESTORE_EXPORTS } from '@gatehouse/rule-vet/exports'
import type { Extent } from '@gatehouse/rule-vet'
import type { GuestMemory } from './guest-memory.js'
import { putBack, takeImage } from './image.js'

/** Puts an instance back as it was when this was made; false when it cannot be, or is dearer than a fresh one. */
export type Restore = () => boolean

interface Variable {
  readonly global: { value: number | bigint }
  readonly initial: number | bigint
}

/** More than this is copied no faster than an instance is made, unless that has twice as much to write at its start. */
const mostBytes = 8_388_608
/** The longest write that counts as one place. */
const widest = 16

/**
 * Remembers an instance: its memory and what its variables hold. Null for a module that changes more than these (the metering knows).
 * What is put back is where the module, by its own count, and the host have written; its size is a number too, for it was metered to be
 * steady. By the same count, and with `data`, which is around what it was made with, it is known what is to be remembered; without, all of
 * the memory is looked through.
 */
export function rememberInstance(
  exports: WebAssembly.Exports,
  guest: GuestMemory,
  data: Extent | null,
): Restore | null {
  const tracked = trackedBy(exports, guest)
  if (tracked === null) return null
  const variables = variablesOf(exports)
  // Which NaN it was is lost on the way through JavaScript.
  if (variables.some(({ initial }) => Number.isNaN(initial))) return null
  const bytes = new Uint8Array(tracked.memory.buffer)
  const image = takeImage(bytes, data && around(data, tracked.written(bytes.length)))
  tracked.forget()
  return () => {
    if (bytes.length === 0) return false
    const { start, end } = tracked.written(bytes.length)
    if (end - start > Math.max(mostBytes, 2 * image.bytes.length)) return false
    if (end > start) putBack(bytes, image, [start, end])
    for (const { global, initial } of variables) global.value = initial
    tracked.forget()
    return true
  }
}

interface Tracked {
  readonly memory: WebAssembly.Memory
  /** Around all that was written to since it was forgotten, within a memory of so many bytes. */
  written(size: number): Extent
  forget(): void
}

function trackedBy(exports: WebAssembly.Exports, guest: GuestMemory): Tracked | null {
  const { [RESTORE_EXPORTS.memory]: memory, [RESTORE_EXPORTS.low]: low, [RESTORE_EXPORTS.span]: span } = exports
  if (!(memory instanceof WebAssembly.Memory) || !isNumber(low) || !isNumber(span)) return null
  return {
    memory,
    written(size) {
      const own =
        low.value === -1 ? nothing : { start: low.value >>> 0, end: (low.value >>> 0) + (span.value >>> 0) + widest }
      const { start, end } = around(own, guest.written)
      return { start, end: Math.min(end, size) }
    },
    forget() {
      low.value = -1
      span.value = 0
      guest.forgetViews()
    },
  }
}

const nothing: Extent = { start: 0, end: 0 }

function around(one: Extent, other: Extent): Extent {
  if (one.end === 0) return other
  if (other.end === 0) return one
  return { start: Math.min(one.start, other.start), end: Math.max(one.end, other.end) }
}

function variablesOf(exports: WebAssembly.Exports): readonly Variable[] {
  return Object.entries(exports)
    .filter(([name]) => name.startsWith(RESTORE_EXPORTS.variable) || name === RESTORE_EXPORTS.size)
    .map(([, global]) => global as unknown as { value: number | bigint })
    .map((global) => ({ global, initial: global.value }))
}

function isNumber(value: unknown): value is { value: number } {
  return value instanceof WebAssembly.Global && typeof value.value === 'number'
}
