import type { Finding } from '@gatehouse/sdk'
import { z } from 'zod'
import { unitsOf } from './texts.js'
import type { Part } from './texts.js'

const Result = z.object({
  entity_type: z.string().regex(/^[A-Za-z][\w.-]{0,99}$/),
  start: z.number().int().min(0),
  end: z.number().int().min(1),
  score: z.number().min(0).max(1),
})
const Results = z.array(Result).max(100_000)

/** What was asked for: all else in an answer is left out. */
export interface Wanted {
  /** Null: every entity. */
  readonly entities: ReadonlySet<string> | null
  readonly threshold: number
}

/** The findings of one batch's answer; null when it is not what the analyzer's interface says. */
export function readAnswer(json: unknown, batch: readonly Part[], wanted: Wanted): readonly Finding[] | null {
  // One text is sent alone and answered by one list, as by every version; several by a list of lists.
  const lists = batch.length === 1 ? [json] : json
  if (!Array.isArray(lists) || lists.length !== batch.length) return null
  const findings: Finding[] = []
  for (const [index, part] of batch.entries()) {
    const results = Results.safeParse(lists[index])
    if (!results.success) return null
    const found = place(results.data, part, wanted)
    if (found === null) return null
    findings.push(...found)
  }
  return findings
}

function place(
  results: z.infer<typeof Results>,
  part: Part,
  { entities, threshold }: Wanted,
): readonly Finding[] | null {
  const units = unitsOf(part.text)
  const findings: Finding[] = []
  for (const { entity_type: type, score, ...span } of results) {
    const start = units(span.start)
    const end = units(span.end)
    if (start === null || end === null || start >= end) return null
    if (score < threshold || (entities !== null && !entities.has(type))) continue
    for (const leaf of part.leaves) {
      findings.push({ type, leaf, start: part.offset + start, end: part.offset + end, score })
    }
  }
  return findings
}

/** The answer to `GET /supportedentities`. */
export const Supported = z.array(z.string().max(100)).max(1_000)
