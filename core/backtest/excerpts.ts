import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import { writeJson } from '../mcp/json.js'
import { walk } from '../rules/leaves.js'
import type { Leg } from '../domain/replay.js'

export interface Excerpt {
  readonly before: string
  readonly after: string
}

/** Characters shown around what was changed, at each side, and of an excerpt in all. */
const AROUND = 60
const LONGEST = 300
/** So many texts of a message are shown. */
const MOST_TEXTS = 3

/** Where two states of a message differ, text by text; null when no text does. */
export function excerptOf(leg: Leg, kind: FeatureKind, before: JsonObject, after: JsonObject): Excerpt | null {
  const texts = walk(before, leg, kind).values
  const left = walk(after, leg, kind).values
  const pairs: Excerpt[] = []
  for (const [index, { text }] of texts.entries()) {
    const now = left[index]?.text ?? ''
    if (now !== text) pairs.push(around(text, now))
    if (pairs.length === MOST_TEXTS) break
  }
  if (pairs.length === 0) return null
  return { before: pairs.map((pair) => pair.before).join(' | '), after: pairs.map((pair) => pair.after).join(' | ') }
}

/** How a message begins, where it is not known what in it was meant. */
export const beginningOf = (message: JsonObject): string => shortened(writeJson(message), LONGEST)

function around(before: string, after: string): Excerpt {
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && before[start] === after[start]) start += 1
  let end = 0
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1
  const from = Math.max(0, start - AROUND)
  const cut = (text: string): string => {
    const until = Math.min(text.length, text.length - end + AROUND)
    const shown = `${from > 0 ? '…' : ''}${text.slice(from, until)}${until < text.length ? '…' : ''}`
    return shortened(shown, LONGEST)
  }
  return { before: cut(before), after: cut(after) }
}

/** Never through the middle of a character. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const cut = text.slice(0, most - 1)
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}
