import type { CheckName } from '@gatehouse/sdk/patterns'
import type { Alphabet } from './alphabet.js'
import { MOST_HITS, placeOf } from './scan.js'
import type { Hits, Scanned } from './scan.js'

/** Where a pattern can match at all: around a sign that it needs, among signs that can stand in a match. */
export interface Windows {
  readonly sign: string
  readonly alphabet: Alphabet
}

export interface WindowScan {
  readonly regexp: RegExp
  readonly windows: Windows
  readonly check: CheckName | null
  /** Most characters of a window. */
  readonly longest: number
  readonly until: number
}

/**
 * Adds the matches of a text: the same that a walk over all of it would find, since no match holds a sign outside of the
 * alphabet. The signs on both sides of a window are shown too, for word boundaries. `tooLong`: a window is, and nothing is said.
 */
export function scanWindows(scan: WindowScan, text: string, leaf: number, hits: Hits): Scanned | 'tooLong' {
  const { regexp, windows, check, longest, until } = scan
  const { sign, alphabet } = windows
  let at = text.indexOf(sign)
  while (at >= 0) {
    let start = at
    let end = at + 1
    while (start > 0 && at - start < longest && alphabet.holds(text.charCodeAt(start - 1))) start -= 1
    while (end < text.length && end - at < longest && alphabet.holds(text.charCodeAt(end))) end += 1
    if (end - start >= longest) return 'tooLong'
    const offset = Math.max(0, start - 1)
    const shown = text.slice(offset, end + 1)
    regexp.lastIndex = 0
    for (let match = regexp.exec(shown); match !== null; match = regexp.exec(shown)) {
      const [from, to] = placeOf(match, check)
      if (to > from) hits.push(leaf, offset + from, offset + to)
      else regexp.lastIndex = match.index + 1
      if (hits.length > 3 * MOST_HITS) return 'tooMany'
    }
    if (performance.now() > until) return 'late'
    at = text.indexOf(sign, end)
  }
  return 'done'
}
