import type { PiecesAnswer } from '@gatehouse/sdk'
import { z } from 'zod'

const SKIPPED = 'EXECUTION_SKIPPED'
const MATCH = 'MATCH_FOUND'

/** What sanitizing answers, as far as it counts here. */
const Answer = z.object({
  sanitizationResult: z.object({
    filterMatchState: z.enum(['NO_MATCH_FOUND', MATCH]),
    invocationResult: z.string().optional(),
    filterResults: z.record(z.string(), z.unknown()).default({}),
  }),
})

/** `masked`: sensitive data was all that was found, and this is the text without it. */
export type Sanitized = Exclude<PiecesAnswer, { kind: 'changed' }> | { readonly kind: 'masked'; readonly text: string }

/**
 * What Model Armor made of one text. A filter that was skipped or failed has said nothing, so nothing is decided unless another one
 * found something.
 */
export function readAnswer(json: unknown): Sanitized {
  const parsed = Answer.safeParse(json)
  if (!parsed.success) return { kind: 'undecided', message: 'the service answered in an unknown shape' }
  const { filterMatchState, invocationResult, filterResults } = parsed.data.sanitizationResult
  const results = Object.entries(filterResults)
  const found = results.filter(([, result]) => holds(result, 'matchState', MATCH)).map(([name]) => name)
  const isWhole =
    (invocationResult ?? 'SUCCESS') === 'SUCCESS' && !results.some(([, one]) => holds(one, 'executionState', SKIPPED))
  if (filterMatchState === 'NO_MATCH_FOUND' && found.length === 0) {
    return isWhole ? { kind: 'pass' } : { kind: 'undecided', message: 'a filter of the template did not run' }
  }
  const text = isWhole && found.length === 1 && found[0] === 'sdp' ? deidentified(filterResults['sdp']) : null
  return text === null ? { kind: 'block', reason: reasonOf(found) } : { kind: 'masked', text }
}

/** Whether a filter's result says so, however deep. */
function holds(result: unknown, field: string, value: string): boolean {
  if (typeof result !== 'object' || result === null) return false
  return Object.entries(result).some(([key, one]: [string, unknown]) =>
    key === field ? one === value : holds(one, field, value),
  )
}

const Deidentified = z.object({
  sdpFilterResult: z.object({
    deidentifyResult: z.object({ matchState: z.literal(MATCH), data: z.object({ text: z.string() }) }),
  }),
})

const deidentified = (result: unknown): string | null =>
  Deidentified.safeParse(result).data?.sdpFilterResult.deidentifyResult.data.text ?? null

/** The filters, as a reader calls them. */
const FILTERS: Readonly<Record<string, string>> = {
  pi_and_jailbreak: 'an attack on the model',
  rai: 'harmful content',
  csam: 'forbidden content',
  malicious_uris: 'a malicious link',
  sdp: 'sensitive data',
}

const reasonOf = (found: readonly string[]): string =>
  found.length === 0
    ? 'Model Armor found something that its template forbids.'
    : `Model Armor found ${found.map((name) => FILTERS[name] ?? 'something that its template forbids').join(', ')}.`
