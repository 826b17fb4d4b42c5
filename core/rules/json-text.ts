import { applyChange, changeOne } from '../domain/actions.js'
import type { Span, TextChange } from '../domain/actions.js'
import { looksLikeJson, parseJson } from './shape.js'

/**
 * A text with its spans changed. When the text is JSON and would no longer be, the change is made inside its strings and
 * numbers instead, so that whoever reads it still can.
 */
export function changeText(text: string, spans: readonly Span[], change: TextChange): string {
  const plain = applyChange(text, spans, change)
  if (!looksLikeJson(text) || parseJson(plain) !== undefined || parseJson(text) === undefined) return plain
  return changeJson(text, spans, change)
}

interface Token {
  readonly start: number
  readonly end: number
  readonly isString: boolean
}

function changeJson(text: string, spans: readonly Span[], change: TextChange): string {
  let changed = ''
  let at = 0
  let first = 0
  for (const token of tokens(text)) {
    while (first < spans.length && (spans[first] as Span).end <= token.start) first += 1
    const inside = partsWithin(spans, first, token)
    if (inside.length === 0) continue
    const raw = text.slice(token.start, token.end)
    changed += text.slice(at, token.start)
    changed += token.isString ? changeString(raw, inside, change) : changeScalar(raw, inside, change)
    at = token.end
  }
  return changed + text.slice(at)
}

/** Strings (without their quotes), numbers and words of a text that is known to be JSON. */
function* tokens(text: string): Generator<Token> {
  let at = 0
  while (at < text.length) {
    const start = at
    if (text[at] === '"') {
      const end = endOfString(text, at + 1)
      if (end > start + 1) yield { start: start + 1, end, isString: true }
      at = end + 1
    } else if (isScalar(text.charCodeAt(at))) {
      while (at < text.length && isScalar(text.charCodeAt(at))) at += 1
      yield { start, end: at, isString: false }
    } else at += 1
  }
}

function endOfString(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

/** Signs of numbers, `true`, `false` and `null`. */
const isScalar = (code: number) =>
  (code >= 48 && code <= 57) || (code >= 97 && code <= 122) || code === 45 || code === 43 || code === 46 || code === 69

/** The parts of the spans that lie in the token, counted from the token's start. */
function partsWithin(spans: readonly Span[], from: number, token: Token): Span[] {
  const parts: Span[] = []
  for (let index = from; index < spans.length; index += 1) {
    const span = spans[index] as Span
    if (span.start >= token.end) break
    const start = Math.max(span.start, token.start) - token.start
    const end = Math.min(span.end, token.end) - token.start
    if (end > start) parts.push({ ...span, start, end })
  }
  return parts
}

function changeString(raw: string, spans: readonly Span[], change: TextChange): string {
  const signs = signsOf(raw)
  let changed = ''
  let at = 0
  for (const { start, end, type } of spans) {
    const from = Math.max(at, signs.floor(start))
    const to = signs.ceiling(end)
    if (to <= from) continue
    const matched = JSON.parse(`"${raw.slice(from, to)}"`) as string
    changed += raw.slice(at, from) + JSON.stringify(changeOne(matched, type, change)).slice(1, -1)
    at = to
  }
  return changed + raw.slice(at)
}

type Escape = readonly [start: number, end: number]

/** Where the escapes of a raw JSON string lie, so that none is cut in two, nor a pair of them that is one character. */
function signsOf(raw: string) {
  const escapes = Array.from(raw.matchAll(/\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\(?:u.{4}|.)/gs), (match): Escape => [
    match.index,
    match.index + match[0].length,
  ])
  const around = (position: number) => {
    let low = 0
    let high = escapes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((escapes[middle] as Escape)[1] > position) high = middle
      else low = middle + 1
    }
    const escape = escapes[low]
    return escape !== undefined && escape[0] < position ? escape : undefined
  }
  return {
    floor: (position: number) => around(position)?.[0] ?? position,
    ceiling: (position: number) => around(position)?.[1] ?? position,
  }
}

function changeScalar(raw: string, spans: readonly Span[], change: TextChange): string {
  const changed = applyChange(raw, spans, change)
  return parseJson(changed) === undefined ? JSON.stringify(changed) : changed
}
