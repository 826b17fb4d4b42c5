import type { Entity } from './entities.js'

/**
 * One way to recognise one type. `pattern` is global and cannot go back over a text without bound. `judge` gives the score of
 * a match, or null where it is none: a check digit is wrong, say. A word of `hints` before a match raises its score.
 */
export interface Recognizer {
  readonly entity: Entity
  /** What a text must have for there to be a match at all. */
  readonly needs: 'digit' | 'at' | 'dot' | 'letter'
  readonly pattern: RegExp
  /** Its matches are longer than what it looks for: behind the start of one that is none, another may begin. */
  readonly reaches?: true
  readonly hints: ReadonlySet<string>
  /** The most that `judge` says, where it is little: below a rule's threshold nothing is found in a text without any hint. */
  readonly most?: number
  readonly judge: (match: Match) => Judgement | null
}

export interface Match {
  readonly text: string
  readonly start: number
  readonly end: number
  /** What the pattern matched. */
  readonly value: string
}

/** `start` and `end` where the value is shorter than the match. */
export interface Judgement {
  readonly score: number
  readonly start?: number
  readonly end?: number
}

export const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
export const digitsOf = (text: string): string => text.replaceAll(/\D/g, '')
