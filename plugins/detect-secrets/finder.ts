/**
 * Reports every place of every needle: its number in the list that the finder was made of, and where it begins; until a report
 * answers false.
 */
export type Finder = (text: string, report: (needle: number, at: number) => boolean) => void

export interface Needle {
  readonly text: string
  /** Matches in any case; `text` is in lower case then, and ASCII. */
  readonly ignoreCase: boolean
}

interface Entry {
  readonly needle: number
  /** Where in the needle its rarest pair of signs stands. */
  readonly offset: number
  readonly matches: (text: string, at: number) => boolean
}

/**
 * Looks for many needles in one walk. Each is known by its rarest pair of signs; a pair of the text that belongs to no needle
 * costs one look into a table, so a text without needles costs a nanosecond or two for each sign.
 */
export function createFinder(needles: readonly Needle[]): Finder {
  const known = new Uint8Array(TABLE)
  const entries: (Entry[] | undefined)[] = Array.from({ length: TABLE })
  needles.forEach((needle, index) => {
    const offset = rarestPair(needle.text)
    const entry: Entry = { needle: index, offset, matches: matcherOf(needle) }
    for (const key of keysOf(needle, offset)) {
      known[key] = 1
      ;(entries[key] ??= []).push(entry)
    }
  })
  return (text, report) => {
    let before = text.charCodeAt(0) & LOW
    for (let index = 1; index < text.length; index += 1) {
      const sign = text.charCodeAt(index) & LOW
      const key = (before << BITS) | sign
      before = sign
      if (known[key] === 0) continue
      for (const { needle, offset, matches } of entries[key] ?? []) {
        const at = index - 1 - offset
        if (matches(text, at) && !report(needle, at)) return
      }
    }
  }
}

const BITS = 7
const LOW = 127
const TABLE = 1 << (2 * BITS)

function matcherOf({ text: wanted, ignoreCase }: Needle): Entry['matches'] {
  if (!ignoreCase) return (text, at) => at >= 0 && text.startsWith(wanted, at)
  return (text, at) => {
    if (at < 0 || at + wanted.length > text.length) return false
    for (let index = 0; index < wanted.length; index += 1) {
      const sign = text.charCodeAt(at + index)
      const folded = sign >= 65 && sign <= 90 ? sign + 32 : sign
      if (folded !== wanted.charCodeAt(index)) return false
    }
    return true
  }
}

function keysOf({ text, ignoreCase }: Needle, offset: number): ReadonlySet<number> {
  const [first = '', second = ''] = text.slice(offset, offset + 2)
  const cases = (sign: string) => (ignoreCase ? [sign, sign.toUpperCase()] : [sign])
  const keys = new Set<number>()
  for (const a of cases(first)) {
    for (const b of cases(second)) keys.add(((a.charCodeAt(0) & LOW) << BITS) | (b.charCodeAt(0) & LOW))
  }
  return keys
}

function rarestPair(text: string): number {
  let best = 0
  let least = Infinity
  for (let offset = 0; offset + 1 < text.length; offset += 1) {
    const commonness = commonnessOf(text[offset]) * commonnessOf(text[offset + 1])
    if (commonness < least) [best, least] = [offset, commonness]
  }
  return best
}

/** About how often a sign stands in ordinary JSON, relative to the others. */
function commonnessOf(sign = ''): number {
  if ('etaoinsr'.includes(sign.toLowerCase())) return sign === sign.toLowerCase() ? 12 : 3
  if (/[a-z]/.test(sign)) return 'jqxzkvw'.includes(sign) ? 2 : 6
  if (/[0-9 ":/]/.test(sign)) return 5
  return /[-.,]/.test(sign) ? 4 : 1
}
