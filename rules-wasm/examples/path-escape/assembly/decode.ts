/** Undoes one layer of percent encoding: `%2e`, `%u002e`, and UTF-8 that is longer than it need be (`%c0%ae`). */
export function decodePercent(text: string): string {
  if (text.indexOf('%') < 0) return text
  let out = ''
  let from = 0
  let i = 0
  while (i < text.length) {
    const unit = readUnit(text, i)
    if (unit < 0) {
      i++
      continue
    }
    out += text.substring(from, i)
    i += text.charCodeAt(i + 1) == 0x75 ? 6 : 3
    let point = unit
    for (let more = following(unit); more > 0; more--) {
      const next = readUnit(text, i)
      if (next < 0x80 || next > 0xbf) break
      point = ((more == following(unit) ? unit & (0x3f >> more) : point) << 6) | (next & 0x3f)
      i += 3
    }
    out += String.fromCodePoint(point > 0x10ffff ? 0xfffd : point)
    from = i
  }
  return from == 0 ? text : out + text.substring(from)
}

/** What `%41` or `%u0041` at this place stands for; -1: nothing. */
function readUnit(text: string, at: i32): i32 {
  if (text.charCodeAt(at) != 0x25) return -1
  const isLong = (text.charCodeAt(at + 1) | 32) == 0x75
  const first = isLong ? at + 2 : at + 1
  let value = 0
  for (let i = first; i < first + (isLong ? 4 : 2); i++) {
    const digit = hexOf(text.charCodeAt(i))
    if (digit < 0) return -1
    value = (value << 4) | digit
  }
  return value
}

/** How many bytes follow a first byte of UTF-8. */
function following(unit: i32): i32 {
  if (unit > 0xff || unit < 0xc0) return 0
  return unit < 0xe0 ? 1 : unit < 0xf0 ? 2 : 3
}

function hexOf(c: i32): i32 {
  if (c >= 0x30 && c <= 0x39) return c - 0x30
  const small = c | 32
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : -1
}

/** With `/` for every sign that a file system or a server may take for a separator, and points for what looks like them. */
export function plain(text: string): string {
  let out = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c != 0x5c && c < 0x2024) continue
    const sign = signOf(c)
    if (sign.length == 0) continue
    out += text.substring(from, i) + sign
    from = i + 1
  }
  return from == 0 ? text : out + text.substring(from)
}

function signOf(c: i32): string {
  if (
    c == 0x5c ||
    c == 0x2044 ||
    c == 0x2215 ||
    c == 0x2216 ||
    c == 0x29f8 ||
    c == 0xff0f ||
    c == 0xff3c ||
    c == 0xfe68
  )
    return '/'
  if (c == 0x2024 || c == 0xff0e || c == 0xfe52) return '.'
  if (c == 0x2025) return '..'
  if (c == 0x2026) return '...'
  if (c == 0xff05) return '%'
  return c == 0xff1a ? ':' : ''
}
