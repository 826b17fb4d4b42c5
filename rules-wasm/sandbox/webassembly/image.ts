import type { Extent } from '@gatehouse/rule-vet'

/** What a memory held at one moment; around it there were zeros. */
export interface Image {
  readonly start: number
  readonly bytes: Uint8Array
}

/**
 * `written` is around all that has been written since the memory was all zeros; null: nobody knows, so that all of it is looked at. What
 * was never touched takes no room of the machine until it is, by reading too: that is what most of the time would go to.
 */
export function takeImage(memory: Uint8Array<ArrayBuffer>, written: Extent | null): Image {
  const { start, end } = written ?? { start: 0, end: usedOf(memory.buffer) }
  return { start, bytes: memory.slice(start, end) }
}

export function putBack(memory: Uint8Array, { start, bytes }: Image, [from, to]: readonly [number, number]): void {
  const end = start + bytes.length
  if (from < start) memory.fill(0, from, Math.min(to, start))
  if (to > end) memory.fill(0, Math.max(from, end), to)
  const [first, last] = [Math.max(from, start), Math.min(to, end)]
  if (first < last) memory.set(bytes.subarray(first - start, last - start), first)
}

/** Up to the last word that is not 0; whole pages are compared first, since most are empty. */
function usedOf(buffer: ArrayBuffer): number {
  const empty = Buffer.alloc(PAGE)
  let end = buffer.byteLength
  while (end > 0 && empty.equals(new Uint8Array(buffer, end - PAGE, PAGE))) end -= PAGE
  if (end === 0) return 0
  const words = new Uint32Array(buffer, end - PAGE, PAGE / 4)
  return end - PAGE + 4 * (words.findLastIndex((word) => word !== 0) + 1)
}

const PAGE = 65_536
