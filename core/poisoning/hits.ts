import { IDEAS, PATTERNS } from './lexicon.js'
import type { Idea } from './lexicon.js'

export interface Hit {
  readonly idea: Idea
  readonly at: number
  readonly end: number
}

/** More says no more; bounds the work on a text that is nothing but hits. */
const MOST_HITS = 400

/** What forbids: an order not to hand something over is the contrary of an attack. */
const FORBIDS =
  /(?:do not|don.t|never|must not|should not|shouldn.t|avoid|without|not to|not|no need to|cannot|can.t|refrain from|nicht|ne|no|不要|не)(?: (?:\w+[,/]? ){0,2})?$/

/** Where the ideas are in a text, in order. */
export function hitsIn(plain: string): readonly Hit[] {
  const hits: Hit[] = []
  for (const idea of IDEAS) {
    const pattern = PATTERNS[idea]
    pattern.lastIndex = 0
    let found = 0
    for (let match = pattern.exec(plain); match !== null; match = pattern.exec(plain)) {
      if (match[0] === '') pattern.lastIndex += 1
      else if (!isForbidden(plain, idea, match.index)) hits.push({ idea, at: match.index, end: pattern.lastIndex })
      if ((found += 1) >= MOST_HITS) break
    }
  }
  return hits.toSorted((one, other) => one.at - other.at)
}

function isForbidden(plain: string, idea: Idea, at: number): boolean {
  return (idea === 'give' || idea === 'take') && FORBIDS.test(plain.slice(Math.max(0, at - 32), at).trimStart())
}

/** The first place where all of the ideas are found within so many signs of each other, in whatever order. */
export function together(hits: readonly Hit[], wanted: readonly Idea[], within: number): Hit | null {
  const last = new Map<Idea, Hit>()
  for (const hit of hits) {
    if (!wanted.includes(hit.idea)) continue
    last.set(hit.idea, hit)
    if (last.size < wanted.length) continue
    const oldest = Math.min(...[...last.values()].map(({ at }) => at))
    if (hit.end - oldest <= within) return [...last.values()].reduce((a, b) => (a.at < b.at ? a : b))
  }
  return null
}
