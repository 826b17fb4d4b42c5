import { excerpt } from '../excerpt.js'
import type { Finding, ReadText } from '../types.js'

/** Escapes of terminals, in plain or spelt out, and control characters that no text needs. */
const TERMINAL =
  /[\x1b\x9b][[\]()#;?]?[\d;]{0,16}[a-zA-Z]?|\\(?:x1b|033|u001b|e)\[[\d;]{0,16}[a-zA-Z]|[\0\x07\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/i
const MARKUP: readonly RegExp[] = [
  /<!--[\s\S]{0,400}?(?:-->|$)/,
  /^\[(?:\/\/|comment|hidden)\]: ?#/m,
  /<\w{1,10}[^>]{0,120}(?:display: ?none|visibility: ?hidden|font-size: ?0|opacity: ?0|color: ?(?:white|transparent|#fff)|\bhidden\b|size="0")/,
  /<font[^>]{0,60}color="?(?:white|#fff)/,
  /!\[[^\]]{0,80}\]\(https?:\/\/[^)\s]{0,200}[?&=/][^)\s]{0,80}[{<$][^)\s]{0,80}\)/,
  /\]\(https?:\/\/[^)\s]{0,200}[{<](?:[\w ]{0,40})[}>]/,
  /<script\b|javascript:|<iframe\b|\bon(?:error|load|click)=|<details>[\s\S]{0,80}<summary>/,
]
/** Fixed counts, so that a text of nothing but blanks is passed once. */
const PADDING = /[ \t\u00a0\u2000-\u200a\u3000]{80}|(?:[ \t.]?\r?\n){30}|(?:\.[ \n]){60}/

export function checkTerminal(texts: readonly ReadText[]): readonly Finding[] {
  return matching(texts, [TERMINAL], 'raw', 'controls a terminal, so that people see something else')
}

export function checkMarkup(texts: readonly ReadText[]): readonly Finding[] {
  return matching(texts, MARKUP, 'plain', 'holds markup that hides text or carries data away')
}

export function checkPadding(texts: readonly ReadText[]): readonly Finding[] {
  const inside = texts.map((text) => ({ ...text, text: text.text.trimEnd() }))
  return matching(inside, [PADDING], 'raw', 'pushes text out of sight')
}

function matching(
  texts: readonly ReadText[],
  patterns: readonly RegExp[],
  of: 'raw' | 'plain',
  says: string,
): Finding[] {
  return texts.flatMap(({ text, plain, path }) => {
    const read = of === 'raw' ? text : plain
    const found = patterns.map((pattern) => pattern.exec(read)).find((match) => match !== null)
    if (found === undefined) return []
    return [{ field: path, severity: 'high', explanation: `${says}: ${excerpt(found[0])}` }]
  })
}
