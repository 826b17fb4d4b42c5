import { CHECKS } from '@gatehouse/sdk/patterns'
import type { CheckName, Stretch } from '@gatehouse/sdk/patterns'

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
  for (let match = regexp.exec(text); match !== null; match = regexp.exec(text)) {
    const [start, end] = placeOf(match, check)
    if (end > start) hits.push(leaf, start, end)
    else regexp.lastIndex = match.index + 1
    if (hits.length > 3 * MOST_HITS) return 'tooMany'
    if (performance.now() > until) return 'late'
  }
  return 'done'
}

/** Where in its text a match stands; nowhere when its check refuses it: then it may hide one that begins within it. */
export function placeOf({ 0: match, index }: RegExpExecArray, check: CheckName | null): Stretch {
  if (check === null) return [index, index + match.length]
  const inner = CHECKS[check](match)
  return inner === null ? NOWHERE : [index + inner[0], index + inner[1]]
}

const NOWHERE: Stretch = [0, 0]
