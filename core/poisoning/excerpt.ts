const LONGEST = 48

/** A piece of a text that is fit for logs and pages: printable ASCII, the rest by its code point. */
export function excerpt(text: string): string {
  let shown = ''
  for (const sign of text.slice(0, 2 * LONGEST)) {
    const code = sign.codePointAt(0) ?? 0
    shown += code >= 0x20 && code < 0x7f ? sign : `\\u{${code.toString(16)}}`
    if (shown.length >= LONGEST) return `'${shown.slice(0, LONGEST)}…'`
  }
  return `'${shown}'`
}
