import { parentPort } from 'node:worker_threads'
import { ENTITIES } from './entities.js'
import type { Entity, Name } from './entities.js'
import { findNames } from './names.js'
import { findPatterns, recognizersOf } from './patterns.js'

/** What a thread is asked: names in the first `named` texts, patterns in all of them when `patterns` says which. */
export interface Job {
  readonly id: number
  readonly texts: readonly string[]
  readonly named: number
  readonly names: readonly Name[]
  readonly patterns: readonly Entity[]
  readonly threshold: number
  readonly context: readonly string[]
}

/** Findings in a row: place of the type in `ENTITIES`, leaf, start, end, score. */
export type Hits = Float64Array
export type JobAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'hits'; readonly id: number; readonly hits: Hits }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }

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

const say = (answer: JobAnswer) =>
  parentPort?.postMessage(answer, answer.kind === 'hits' ? [answer.hits.buffer as ArrayBuffer] : [])

parentPort?.on('message', (job: Job) => {
  try {
    say({ kind: 'hits', id: job.id, hits: run(job) })
  } catch (thrown) {
    say({ kind: 'failed', id: job.id, message: thrown instanceof Error ? thrown.message : 'the worker failed' })
  }
})
// The first use of the tagger builds its tables.
findNames('Anna lives in Lisbon.', new Set(['PERSON', 'LOCATION', 'NRP']))
say({ kind: 'ready' })
