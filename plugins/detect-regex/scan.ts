import { CHECKS } from '@gatehouse/sdk/patterns'
import type { CheckName } from './pattern.js'

/** Matches as triples in a row: leaf, start, end. */
export type Hits = number[]

/** Past this many matches in one message an engine does not go on: core would spend more on them than on the call. */
export const MOST_HITS = 100_000

export type Scanned = 'done' | 'late' | 'tooMany'

/** How a text is scanned: what a match has to pass besides, and until when there is time. */
export interface Limits {
  readonly check: CheckName | null
  readonly until: number
}

/** Adds the matches in one text. Looks at the clock after each match, since each may have cost a walk over the text. */
export function scan(regexp: RegExp, text: string, leaf: number, hits: Hits, { check, until }: Limits): Scanned {
  regexp.lastIndex = 0
  let match = regexp.exec(text)
  while (match !== null) {
    const start = match.index
    const [from, to] = check === null ? [0, match[0].length] : (CHECKS[check](match[0]) ?? NOTHING)
    if (to > from) hits.push(leaf, start + from, start + to)
    // What is no match may hide one that begins within it.
    else regexp.lastIndex = start + 1
    if (hits.length > 3 * MOST_HITS) return 'tooMany'
    if (performance.now() > until) return 'late'
    match = regexp.exec(text)
  }
  return 'done'
}

const NOTHING = [0, 0] as const
