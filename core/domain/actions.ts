import { createHash, createHmac } from 'node:crypto'
import type { Finding, RuleAction } from '@gatehouse/sdk'

/** How a matched text is changed. `key`: HMAC-SHA256 with it, else plain SHA-256. */
export type TextChange =
  | { readonly kind: 'redact' }
  | { readonly kind: 'replace'; readonly replacement: string | null }
  | { readonly kind: 'mask'; readonly keepLast: number }
  | { readonly kind: 'hash'; readonly key: Uint8Array | null }

/** A stretch of a text, in UTF-16 code units. */
export interface Span {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly score: number
}

/** What an action does to texts; null for the actions that leave them alone. `config` has been checked. */
export function textChange(
  action: RuleAction | null,
  config: Readonly<Record<string, unknown>>,
  key: Uint8Array | null,
): TextChange | null {
  const { replacement, keepLast } = config
  switch (action) {
    case 'redact':
      return { kind: 'redact' }
    case 'replace':
      return { kind: 'replace', replacement: typeof replacement === 'string' ? replacement : null }
    case 'mask':
      return { kind: 'mask', keepLast: typeof keepLast === 'number' ? keepLast : 0 }
    case 'hash':
      return { kind: 'hash', key }
    default:
      return null
  }
}

/** True when a finding lies inside its text; anything else is a fault of the engine. */
export function isWithin(finding: Finding, length: number): boolean {
  const { start, end, score } = finding
  if (!Number.isInteger(start) || !Number.isInteger(end)) return false
  return start >= 0 && start < end && end <= length && score >= 0 && score <= 1
}

/** The spans, none of which ends or begins in the middle of a character: half a surrogate pair is no text any more. */
export function wholeCharacters(text: string, spans: readonly Span[]): readonly Span[] {
  if (spans.every(({ start, end }) => !cutsAt(text, start) && !cutsAt(text, end))) return spans
  return spans.map((span) => ({
    ...span,
    start: cutsAt(text, span.start) ? span.start - 1 : span.start,
    end: cutsAt(text, span.end) ? span.end + 1 : span.end,
  }))
}

/** Whether a pair of surrogates stands around a position. */
function cutsAt(text: string, at: number): boolean {
  if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) return false
  return at > 0 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
}

/**
 * Sorted spans that do not overlap. Of two that do, the higher score wins, then the longer, then the earlier; what the
 * loser covers beyond the winner stays covered, as the loser's own, so that no part of a match is let through.
 */
export function settleSpans(spans: readonly Span[]): readonly Span[] {
  if (spans.length < 2) return spans
  const inOrder = spans.toSorted((a, b) => a.start - b.start || b.end - a.end)
  if (inOrder.every((span, index) => index === 0 || (inOrder[index - 1] as Span).end <= span.start)) return inOrder
  return groupsOf(inOrder).flatMap((group) => {
    if (group.length === 1) return group
    const taken: Span[] = []
    for (const span of group.toSorted(byStrength)) place(taken, span)
    return taken
  })
}

/** Spans that hang together; those of one group touch none of another. So no list is long that others are put into. */
function groupsOf(inOrder: readonly Span[]): readonly Span[][] {
  const groups: Span[][] = []
  let end = -1
  for (const span of inOrder) {
    if (span.start >= end) groups.push([])
    groups.at(-1)?.push(span)
    end = Math.max(end, span.end)
  }
  return groups
}

const byStrength = (a: Span, b: Span) =>
  b.score - a.score || b.end - b.start - (a.end - a.start) || a.start - b.start || a.end - b.end

/** Adds the parts of `span` that nothing in `taken` (sorted, disjoint) covers, keeping `taken` sorted. */
function place(taken: Span[], span: Span): void {
  let at = firstEndingAfter(taken, span.start)
  let start = span.start
  while (start < span.end) {
    const next = taken[at]
    const end = next === undefined ? span.end : Math.min(span.end, next.start)
    if (end > start) {
      taken.splice(at, 0, { ...span, start, end })
      at += 1
    }
    if (next === undefined || next.start >= span.end) return
    start = Math.max(start, next.end)
    at += 1
  }
}

function firstEndingAfter(taken: readonly Span[], position: number): number {
  let low = 0
  let high = taken.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((taken[middle] as Span).end > position) high = middle
    else low = middle + 1
  }
  return low
}

/** The text with every span changed. `spans` are settled. */
export function applyChange(text: string, spans: readonly Span[], change: TextChange): string {
  let changed = ''
  let at = 0
  for (const { start, end, type } of spans) {
    changed += text.slice(at, start) + changeOne(text.slice(start, end), type, change)
    at = end
  }
  return changed + text.slice(at)
}

/** One matched text, changed. `replace` without a replacement gives the type as a tag: `<EMAIL_ADDRESS>`. */
export function changeOne(text: string, type: string, change: TextChange): string {
  switch (change.kind) {
    case 'redact':
      return ''
    case 'replace':
      return change.replacement ?? `<${type.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase()}>`
    case 'mask':
      return mask(text, change.keepLast)
    case 'hash':
      return digest(text, change.key)
  }
}

/** One `*` for each character (code point). A text no longer than what is to be kept is masked whole. */
function mask(text: string, keepLast: number): string {
  const characters = Array.from(text)
  if (characters.length <= keepLast || keepLast === 0) return '*'.repeat(characters.length)
  return '*'.repeat(characters.length - keepLast) + characters.slice(-keepLast).join('')
}

function digest(text: string, key: Uint8Array | null): string {
  const hash = key === null ? createHash('sha256') : createHmac('sha256', key)
  return hash.update(text, 'utf8').digest('hex')
}
