import { RESTORE_EXPORTS } from '@gatehouse/rule-vet/exports'
import type { GuestMemory } from './guest-memory.js'

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
 * steady.
 */
export function rememberInstance(exports: WebAssembly.Exports, guest: GuestMemory): Restore | null {
  const { [RESTORE_EXPORTS.memory]: memory, [RESTORE_EXPORTS.low]: low, [RESTORE_EXPORTS.span]: span } = exports
  if (!(memory instanceof WebAssembly.Memory) || !isNumber(low) || !isNumber(span)) return null
  const variables = variablesOf(exports)
  // Which NaN it was is lost on the way through JavaScript.
  if (variables.some(({ initial }) => Number.isNaN(initial))) return null
  const bytes = new Uint8Array(memory.buffer)
  const image = bytes.slice(0, usedOf(memory.buffer))
  const forget = (): true => {
    low.value = -1
    span.value = 0
    guest.forgetViews()
    return true
  }
  forget()
  return () => {
    if (bytes.length === 0) return false
    const from = Math.min(low.value === -1 ? bytes.length : low.value >>> 0, guest.lowest)
    const own = low.value === -1 ? 0 : (low.value >>> 0) + (span.value >>> 0) + widest
    const to = Math.min(bytes.length, Math.max(own, guest.highest))
    if (to - from > Math.max(mostBytes, 2 * image.length)) return false
    if (to > from) putBack(bytes, image, [from, to])
    for (const { global, initial } of variables) global.value = initial
    return forget()
  }
}

/** Behind the image there were zeros. */
function putBack(bytes: Uint8Array, image: Uint8Array, [from, to]: readonly [number, number]): void {
  const end = Math.min(to, image.length)
  if (from < end) bytes.set(image.subarray(from, end), from)
  if (to > end) bytes.fill(0, Math.max(from, end), to)
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

/** Up to the last word that is not 0; whole pages are compared first, since most are empty. */
function usedOf(buffer: ArrayBuffer): number {
  let end = buffer.byteLength
  while (end > 0 && EMPTY_PAGE.equals(new Uint8Array(buffer, end - PAGE, PAGE))) end -= PAGE
  if (end === 0) return 0
  const words = new Uint32Array(buffer, end - PAGE, PAGE / 4)
  return end - PAGE + 4 * (words.findLastIndex((word) => word !== 0) + 1)
}

const PAGE = 65_536
const EMPTY_PAGE = Buffer.alloc(PAGE)
