import type { Json, JsonObject } from '@gatehouse/sdk'
import { canonicalJson } from './canonical-json.js'
import { clip } from './clip.js'
import { partsOf } from './feature-hash.js'
import { PIN_FIELDS, type PinField } from './provisioning.js'

/** One part of a definition before and after, cut to where they begin to differ. Null: it was absent. */
export interface FieldChange {
  readonly field: PinField
  readonly before: string | null
  readonly after: string | null
}

/** So much is shown, and so much of it stands before the difference. */
const LONGEST = 240
const LEAD = 60

/** Part by part what differs, as text that is safe to show: what cannot be seen in it is written out. */
export function diffOf(before: JsonObject | null, after: JsonObject, id: string): readonly FieldChange[] {
  const [old, now] = [before === null ? {} : partsOf(before, id), partsOf(after, id)]
  return PIN_FIELDS.flatMap((field) => {
    const [one, other] = [textOf(old[field]), textOf(now[field])]
    if (one === other) return []
    const from = Math.max(0, firstDifference(one ?? '', other ?? '') - LEAD)
    return [{ field, before: cut(one, from), after: cut(other, from) }]
  })
}

/** A part of one text is shown as that text. */
function textOf(part: JsonObject | undefined): string | null {
  if (part === undefined) return null
  const values: readonly (Json | undefined)[] = Object.values(part)
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : canonicalJson(part)
}

function firstDifference(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) return at
  return length
}

function cut(text: string | null, from: number): string | null {
  if (text === null) return null
  const shown = clip(text.slice(from), LONGEST)
  return `${from > 0 ? '…' : ''}${visible(shown)}${from + LONGEST < text.length ? '…' : ''}`
}

/** Control and format characters, marks of direction, tags, variation selectors, lone surrogates and odd spaces, written out. */
export const visible = (text: string): string =>
  text.replaceAll(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)

const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u{fe00}-\u{fe0f}\u{e0100}-\u{e01ef}\u115f\u1160\u3164\uffa0\u2800]|(?! )\p{Zs}/gu
