import type { Leaf } from '@gatehouse/sdk'

/** A stretch of text that is sent, and where it stands: in each of `leaves`, from `offset` on (UTF-16 units). */
export interface Part {
  readonly text: string
  readonly offset: number
  readonly leaves: readonly number[]
}

/** Longer texts are cut: the analyzer's model takes no more than a million characters at once, and far less in good time. */
const LONGEST_PART = 50_000
/** What two parts have in common, so that nothing is lost where they are cut. */
const OVERLAP = 250
/** The most of one request. */
const MOST_TEXTS = 100
const MOST_CHARACTERS = 200_000

/** Every text once, however many leaves have it; those without a letter or a digit hold nothing to be found. */
export function partsOf(leaves: readonly Leaf[]): readonly Part[] {
  const places = new Map<string, number[]>()
  for (const [index, { text }] of leaves.entries()) {
    if (!/[\p{L}\p{N}]/u.test(text)) continue
    const known = places.get(text)
    if (known === undefined) places.set(text, [index])
    else known.push(index)
  }
  return [...places].flatMap(([text, indexes]) => cut(text).map((part) => ({ ...part, leaves: indexes })))
}

function cut(text: string): readonly { readonly text: string; readonly offset: number }[] {
  const parts: { text: string; offset: number }[] = []
  for (let offset = 0; ;) {
    const end = offset + LONGEST_PART >= text.length ? text.length : cutAt(text, offset + LONGEST_PART)
    parts.push({ text: wellFormed(text.slice(offset, end)), offset })
    if (end === text.length) return parts
    offset = notInside(text, end - OVERLAP)
  }
}

/** At white space, if there is any near. */
function cutAt(text: string, most: number): number {
  const near = text.slice(most - OVERLAP, most).search(/\s\S*$/)
  return near === -1 ? notInside(text, most) : most - OVERLAP + near
}

/** Never between the halves of a surrogate pair. */
const notInside = (text: string, at: number) => (/[\uDC00-\uDFFF]/.test(text[at] ?? '') ? at - 1 : at)

/** Half a pair is no text to Python; what stands in for it is as long. */
const wellFormed = (text: string) => text.replaceAll(/\p{Surrogate}/gu, '\uFFFD')

/** The parts in requests of bounded size, in their order. */
export function batchesOf(parts: readonly Part[]): readonly (readonly Part[])[] {
  const batches: Part[][] = []
  let size = 0
  for (const part of parts) {
    const last = batches.at(-1)
    if (last === undefined || last.length === MOST_TEXTS || size + part.text.length > MOST_CHARACTERS) {
      batches.push([part])
      size = part.text.length
    } else {
      last.push(part)
      size += part.text.length
    }
  }
  return batches
}

/** Turns a place counted in code points, as Python counts, into one in UTF-16 units; null when the text is shorter. */
export function unitsOf(text: string): (codePoint: number) => number | null {
  if (!/[\uD800-\uDBFF]/.test(text)) return (at) => (at <= text.length ? at : null)
  const units = new Uint32Array(text.length + 1)
  let count = 0
  let unit = 0
  for (const sign of text) {
    units[count] = unit
    count += 1
    unit += sign.length
  }
  units[count] = unit
  return (at) => (at <= count ? (units[at] as number) : null)
}
