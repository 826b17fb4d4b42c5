import { DATES } from './dates.js'
import type { Entity } from './entities.js'
import { FINANCE } from './finance.js'
import { createHints } from './hints.js'
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
  for (const { entity, needs, pattern, hints: words, judge } of recognizers) {
    if (!has[needs]) continue
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const [value] = match
      const start = match.index
      const judged = judge({ text, start, end: start + value.length, value })
      if (judged === null) continue
      const from = judged.start ?? start
      const score = judged.score === 1 ? 1 : hints.raise(judged.score, from, words)
      if (score >= threshold) found.push({ type: entity, start: from, end: judged.end ?? start + value.length, score })
    }
  }
  return found
}
