import { serveTasks } from '@gatehouse/sdk/workers'
import { ENTITIES } from './entities.js'
import type { Entity, Name } from './entities.js'
import { findNames } from './names.js'
import { findPatterns, recognizersOf } from './patterns.js'

/** What a thread is asked: names in the first `named` texts, patterns in all of them when `patterns` says which. */
export interface Job {
  readonly texts: readonly string[]
  readonly named: number
  readonly names: readonly Name[]
  readonly patterns: readonly Entity[]
  readonly threshold: number
  readonly context: readonly string[]
}

/** Findings in a row: place of the type in `ENTITIES`, leaf, start, end, score. */
export type Hits = Float64Array
const PLACE = new Map(ENTITIES.map((entity, index) => [entity, index]))

/** Past this many findings in one message an engine does not go on: core would spend more on them than on the call. */
export const MOST_HITS = 100_000

export function run({ texts, named, names, patterns, threshold, context }: Job): Hits {
  const hits: number[] = []
  const wanted = new Set(names)
  const search = { recognizers: recognizersOf(new Set(patterns)), threshold, context: new Set(context) }
  for (const [leaf, text] of texts.entries()) {
    const found = [
      ...(leaf < named && wanted.size > 0 ? findNames(text, wanted).filter(({ score }) => score >= threshold) : []),
      ...(patterns.length > 0 ? findPatterns(text, search) : []),
    ]
    for (const { type, start, end, score } of found) hits.push(PLACE.get(type) as number, leaf, start, end, score)
    if (hits.length / 5 > MOST_HITS) throw new Error(`more than ${MOST_HITS} findings`)
  }
  return Float64Array.from(hits)
}

// The first use of the tagger builds its tables.
findNames('Anna lives in Lisbon.', new Set(['PERSON', 'LOCATION', 'NRP']))
serveTasks(run, (hits) => [hits.buffer as ArrayBuffer])
