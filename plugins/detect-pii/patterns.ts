import { DATES } from './dates.js'
import type { Entity } from './entities.js'
import { FINANCE } from './finance.js'
import { createHints } from './hints.js'
import type { Hints } from './hints.js'
import { IDENTITY } from './identity.js'
import { INTERNET } from './internet.js'
import { PHONE } from './phone.js'
import type { Recognizer } from './recognizer.js'

const ALL: readonly Recognizer[] = [...FINANCE, ...IDENTITY, ...INTERNET, PHONE, ...DATES]

export const recognizersOf = (entities: ReadonlySet<Entity>): readonly Recognizer[] =>
  ALL.filter(({ entity }) => entities.has(entity))

/** Something found in one text, in UTF-16 units. */
export interface Found {
  readonly type: Entity
  readonly start: number
  readonly end: number
  readonly score: number
}

export interface Search {
  readonly recognizers: readonly Recognizer[]
  readonly threshold: number
  /** Taken as standing before every value. */
  readonly context: ReadonlySet<string>
}

const DIGIT = /\d/

/** All that patterns and check digits tell of a text, at or above the threshold. */
export function findPatterns(text: string, { recognizers, threshold, context }: Search): readonly Found[] {
  const hints = createHints(text, context)
  const has = { digit: DIGIT.test(text), at: text.includes('@'), dot: text.includes('.'), letter: true }
  const found: Found[] = []
  for (const recognizer of recognizers) {
    const { entity, needs, pattern, reaches, hints: words, judge } = recognizer
    if (!has[needs] || isHopeless(recognizer, threshold, hints)) continue
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const [value] = match
      const start = match.index
      const judged = judge({ text, start, end: start + value.length, value })
      if (judged === null) {
        if (reaches) pattern.lastIndex = start + 1
        continue
      }
      const { score: base, start: from = start, end = start + value.length } = judged
      pattern.lastIndex = end
      const score = base === 1 ? 1 : hints.raise(base, from, words)
      if (score >= threshold) found.push({ type: entity, start: from, end, score })
    }
  }
  return withoutInner(found)
}

const isHopeless = ({ most = 1, hints: words }: Recognizer, threshold: number, hints: Hints) =>
  most < threshold && !hints.hasAny(words)

/** In order, without what lies inside another finding of its type: `Tuesday` in `Tuesday, 3 March`. */
function withoutInner(found: readonly Found[]): readonly Found[] {
  if (found.length < 2) return found
  const ends = new Map<Entity, number>()
  return found
    .toSorted((a, b) => a.start - b.start || b.end - a.end)
    .filter(({ type, end }) => {
      const isInner = end <= (ends.get(type) ?? 0)
      if (!isInner) ends.set(type, end)
      return !isInner
    })
}
