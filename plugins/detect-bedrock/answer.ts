import type { Piece, PiecesAnswer } from '@gatehouse/sdk'
import { z } from 'zod'

/** What ApplyGuardrail answers, as far as it counts here. */
const Answer = z.object({
  action: z.string(),
  outputs: z.array(z.object({ text: z.string().optional() })).default([]),
  assessments: z.array(z.record(z.string(), z.unknown())).default([]),
})

/** What the policies of a guardrail are called to a reader. */
const POLICIES: Readonly<Record<string, string>> = {
  topicPolicy: 'a denied topic',
  contentPolicy: 'harmful content or an attack on the model',
  wordPolicy: 'a denied word',
  sensitiveInformationPolicy: 'sensitive information',
  contextualGroundingPolicy: 'an answer without grounds',
  automatedReasoningPolicy: 'a broken rule of reasoning',
}

/**
 * What becomes of the pieces: nothing when the guardrail did not intervene; other texts when all it did was to mask, and there is
 * one output for each piece; else a block. An answer of another shape decides nothing.
 */
export function readAnswer(json: unknown, pieces: readonly Piece[]): PiecesAnswer {
  const parsed = Answer.safeParse(json)
  if (!parsed.success) return { kind: 'undecided', message: 'the service answered in an unknown shape' }
  const { action, outputs, assessments } = parsed.data
  if (action === 'NONE') return { kind: 'pass' }
  if (action !== 'GUARDRAIL_INTERVENED') return { kind: 'undecided', message: 'the service answered an unknown action' }
  const acts = assessments.flatMap((assessment) => Object.entries(assessment).flatMap(actsOf))
  const blocking = acts.filter(({ does }) => does !== 'ANONYMIZED' && does !== 'NONE')
  if (blocking.length > 0) return { kind: 'block', reason: reasonOf(blocking) }
  const masking = acts.filter(({ does }) => does === 'ANONYMIZED')
  if (masking.length === 0) return { kind: 'undecided', message: 'the guardrail intervened and did not say why' }
  const texts = outputs.flatMap(({ text }) => (text === undefined ? [] : [text]))
  return texts.length === pieces.length ? { kind: 'changed', texts } : { kind: 'block', reason: reasonOf(masking) }
}

interface Act {
  readonly policy: string
  readonly does: string
}

/** Every `action` that a policy's assessment holds, however deep. */
function actsOf([policy, assessment]: readonly [string, unknown]): readonly Act[] {
  if (typeof assessment !== 'object' || assessment === null) return []
  return Object.entries(assessment).flatMap(([key, value]: [string, unknown]) =>
    key === 'action' && typeof value === 'string' ? [{ policy, does: value }] : actsOf([policy, value]),
  )
}

function reasonOf(acts: readonly Act[]): string {
  const found = new Set(acts.map(({ policy }) => POLICIES[policy] ?? 'something'))
  return `The guardrail found ${[...found].join(', ')}.`
}
