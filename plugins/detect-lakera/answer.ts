import type { Piece, PiecesAnswer } from '@gatehouse/sdk'
import { z } from 'zod'
import { toUnits } from './offsets.js'

/** What `/v2/guard` answers with `breakdown` and `payload`, as far as it counts here. */
const Answer = z.object({
  flagged: z.boolean(),
  breakdown: z.array(z.object({ detector_type: z.string(), detected: z.boolean() })).default([]),
  payload: z
    .array(
      z.object({
        start: z.number().int().min(0),
        end: z.number().int().min(1),
        detector_type: z.string(),
        text: z.string().optional(),
        message_id: z.number().int().nullish(),
      }),
    )
    .default([]),
})
type Answer = z.infer<typeof Answer>
type Place = Answer['payload'][number]

/** Between the pieces of one message; the place of a match is told in the whole. */
export const SEPARATOR = '\n\n'

/**
 * What becomes of the pieces: nothing when nothing is flagged; other texts when all that was found is personal data and each kind
 * of it has its places; else a block.
 */
export function readAnswer(json: unknown, pieces: readonly Piece[]): PiecesAnswer {
  const parsed = Answer.safeParse(json)
  if (!parsed.success) return { kind: 'undecided', message: 'the service answered in an unknown shape' }
  const { flagged, breakdown, payload } = parsed.data
  if (!flagged) return { kind: 'pass' }
  const found = [...new Set(breakdown.flatMap(({ detector_type: type, detected }) => (detected ? [type] : [])))]
  const texts = found.length > 0 && found.every(isPersonal) ? masked(pieces, found, payload) : null
  return texts === null ? { kind: 'block', reason: reasonOf(found) } : { kind: 'changed', texts }
}

const isPersonal = (type: string) => type.startsWith('pii/')

interface Span {
  readonly start: number
  readonly end: number
  readonly tag: string
}

/** The pieces with `<EMAIL>` and its like in place of what was found; null when a place is missing or cannot be believed. */
function masked(
  pieces: readonly Piece[],
  found: readonly string[],
  payload: readonly Place[],
): readonly string[] | null {
  const personal = payload.filter(({ detector_type: type }) => isPersonal(type))
  if (!found.every((type) => personal.some(({ detector_type: known }) => known === type))) return null
  const whole = pieces.map(({ text }) => text).join(SEPARATOR)
  const places = toUnits(whole, personal)
  if (places === null) return null
  const spans = places.map(({ start, end }, index): Span => {
    const type = (personal[index] as Place).detector_type
    return { start, end, tag: `<${type.slice('pii/'.length).toUpperCase()}>` }
  })
  const merged = merge(spans)
  let offset = 0
  return pieces.map(({ text }) => {
    const own = within(merged, offset, offset + text.length)
    offset += text.length + SEPARATOR.length
    return replace(text, own)
  })
}

/** In their order, those that overlap as one. */
function merge(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = []
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1)
    if (last !== undefined && span.start < last.end)
      merged[merged.length - 1] = { ...last, end: Math.max(last.end, span.end) }
    else merged.push(span)
  }
  return merged
}

/** What lies between `from` and `to`, told from there on. */
const within = (spans: readonly Span[], from: number, to: number): readonly Span[] =>
  spans.flatMap(({ start, end, tag }) =>
    end <= from || start >= to ? [] : [{ start: Math.max(start, from) - from, end: Math.min(end, to) - from, tag }],
  )

function replace(text: string, spans: readonly Span[]): string {
  let changed = ''
  let at = 0
  for (const { start, end, tag } of spans) {
    changed += text.slice(at, start) + tag
    at = end
  }
  return changed + text.slice(at)
}

/** Kinds of detectors, as a reader calls them. */
const KINDS: Readonly<Record<string, string>> = {
  prompt_attack: 'an attack on the model',
  pii: 'personal data',
  moderated_content: 'harmful content',
  content_moderation: 'harmful content',
  unknown_links: 'a link to an unknown place',
}

function reasonOf(found: readonly string[]): string {
  const kinds = new Set(found.map((type) => KINDS[type.split('/')[0] ?? ''] ?? 'something that its policy forbids'))
  return kinds.size === 0 ? 'Lakera Guard flagged this.' : `Lakera Guard found ${[...kinds].join(', ')}.`
}
