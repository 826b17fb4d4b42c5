/** Matches as triples in a row: leaf, start, end. */
export type Hits = number[]

/** Past this many matches in one message an engine does not go on: core would spend more on them than on the call. */
export const MOST_HITS = 100_000

export type Scanned = 'done' | 'late' | 'tooMany'

/** Adds the matches in one text. Looks at the clock after each match, since each may have cost a walk over the text. */
export function scan(regexp: RegExp, text: string, leaf: number, hits: Hits, until: number): Scanned {
  regexp.lastIndex = 0
  let match = regexp.exec(text)
  while (match !== null) {
    const start = match.index
    const end = start + match[0].length
    if (end === start) regexp.lastIndex += 1
    else hits.push(leaf, start, end)
    if (hits.length > 3 * MOST_HITS) return 'tooMany'
    if (performance.now() > until) return 'late'
    match = regexp.exec(text)
  }
  return 'done'
}
