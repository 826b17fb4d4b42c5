import type { CheckName } from './checks.js'

export type PatternGroup = 'prompt-injection' | 'secrets' | 'financial' | 'us-identifiers' | 'eu-identifiers'

/**
 * A ready pattern. What it finds is named by its `id`.
 *
 * `pattern` is a JavaScript expression without lookaround and references back, so that it can run in linear time; it heeds
 * case unless `ignoreCase`. A match that its `check` refuses is none, and the check may narrow it (to the value behind a label).
 */
export interface LibraryPattern {
  readonly id: string
  readonly title: string
  readonly group: PatternGroup
  readonly pattern: string
  readonly ignoreCase?: boolean
  /** Every match holds one of these texts as written; absent when none is known. */
  readonly literals?: readonly string[]
  /** Where in a match its literal can begin; `[0]` unless told. */
  readonly at?: readonly number[]
  readonly check?: CheckName
  /** Where the format is told, by whoever gives it out. */
  readonly source: string
}

export type Ungrouped = Omit<LibraryPattern, 'group'>
