import { Text } from '@gatehouse/rule-assemblyscript/assembly'

/** How a database reads SQL, as far as it decides where strings and comments end. */
export class Dialect {
  constructor(
    /** `\'` does not end a string. */
    readonly backslash: bool,
    /** `#` begins a comment. */
    readonly hash: bool,
    /** A comment may hold another one. */
    readonly nested: bool,
    /** `$tag$ … $tag$` is a string. */
    readonly dollar: bool,
    /** `[name]` is an identifier. */
    readonly bracket: bool,
    /** What stands in a comment that begins with `!` is run, and `--` begins one only before white space. */
    readonly mysql: bool,
  ) {}
}

export const POSTGRES = new Dialect(false, false, true, true, false, false)
export const MYSQL = new Dialect(true, true, false, false, false, true)
/** SQLite and SQL Server. */
export const OTHERS = new Dialect(false, false, false, false, true, false)

export const END: i32 = 0
export const WORD: i32 = 1
/** A name in quotes. */
export const QUOTED: i32 = 2
export const STRING: i32 = 3
/** Digits, or one sign. */
export const SIGN: i32 = 4

/** Walks the tokens of SQL; comments and white space are left out. */
export class Lexer {
  kind: i32 = END
  start: i32 = 0
  end: i32 = 0
  private inLive: bool = false

  constructor(
    readonly text: Text,
    readonly dialect: Dialect,
  ) {}

  next(): i32 {
    this.skipBlank()
    const text = this.text
    this.start = this.end
    if (this.start >= text.length) return (this.kind = END)
    const c = text.byteAt(this.start)
    if (isWordSign(c)) return this.word()
    if (c == 0x27) return this.string(0x27, this.dialect.backslash)
    if (c == 0x22 || c == 0x60) return this.quoted(c)
    if (c == 0x5b && this.dialect.bracket) return this.quoted(0x5d)
    if (c == 0x24 && this.dialect.dollar && this.dollarString()) return (this.kind = STRING)
    this.end = this.start + 1
    return (this.kind = SIGN)
  }

  is(word: string): bool {
    return this.kind == WORD && this.text.slice(this.start, this.end).equalsIgnoreCase(word)
  }

  /** The sign, when it is one. */
  get sign(): i32 {
    return this.kind == SIGN ? this.text.byteAt(this.start) : 0
  }

  private word(): i32 {
    const text = this.text
    let i = this.start + 1
    while (i < text.length && (isWordSign(text.byteAt(i)) || text.byteAt(i) == 0x24)) {
      if (text.byteAt(i) > 0x7f && wideSpace(text, i) > 0) break
      i++
    }
    this.end = i
    // E'…' of PostgreSQL has backslashes.
    const isEscaped = i == this.start + 1 && (text.byteAt(this.start) | 32) == 0x65 && text.byteAt(i) == 0x27
    if (!isEscaped || !this.dialect.dollar) return (this.kind = WORD)
    return this.string(0x27, true)
  }

  private string(quote: i32, backslash: bool): i32 {
    const text = this.text
    let i = this.end > this.start ? this.end + 1 : this.start + 1
    for (; i < text.length; i++) {
      const c = text.byteAt(i)
      if (backslash && c == 0x5c) i++
      else if (c == quote) {
        if (text.byteAt(i + 1) != quote) break
        i++
      }
    }
    this.end = min(i + 1, text.length)
    return (this.kind = STRING)
  }

  /** In MySQL `"…"` is a string, elsewhere a name: either way what stands in it is not run. */
  private quoted(quote: i32): i32 {
    this.string(quote, this.dialect.backslash && quote == 0x22)
    return (this.kind = QUOTED)
  }

  private dollarString(): bool {
    const text = this.text
    let i = this.start + 1
    while (i < text.length && isWordSign(text.byteAt(i))) i++
    if (text.byteAt(i) != 0x24 || isDigit(text.byteAt(this.start + 1))) return false
    const tag = text.slice(this.start, i + 1).toString()
    const close = text.indexOf(tag, i + 1)
    this.end = close < 0 ? text.length : close + (i + 1 - this.start)
    return true
  }

  private skipBlank(): void {
    const text = this.text
    while (this.end < text.length) {
      const c = text.byteAt(this.end)
      const after = text.byteAt(this.end + 1)
      if (c <= 0x20) this.end++
      else if (c > 0x7f) {
        const wide = wideSpace(text, this.end)
        if (wide == 0) return
        this.end += wide
      } else if (this.beginsLine(c, after)) this.skipLine()
      else if (c == 0x2f && after == 0x2a) this.skipComment()
      else if (this.inLive && c == 0x2a && after == 0x2f) {
        this.inLive = false
        this.end += 2
      } else return
    }
  }

  private beginsLine(c: i32, after: i32): bool {
    if (c == 0x23) return this.dialect.hash
    return c == 0x2d && after == 0x2d && (!this.dialect.mysql || this.text.byteAt(this.end + 2) <= 0x20)
  }

  private skipLine(): void {
    const stop = this.text.indexOf('\n', this.end)
    this.end = stop < 0 ? this.text.length : stop + 1
  }

  private skipComment(): void {
    const text = this.text
    const mark = text.byteAt(this.end + 2)
    if (this.dialect.mysql && (mark == 0x21 || (mark == 0x4d && text.byteAt(this.end + 3) == 0x21))) {
      this.inLive = true
      this.end += mark == 0x21 ? 3 : 4
      while (isDigit(text.byteAt(this.end))) this.end++
      return
    }
    let depth = 1
    let i = this.end + 2
    for (; i < text.length && depth > 0; i++) {
      const c = text.byteAt(i)
      const after = text.byteAt(i + 1)
      if (c == 0x2a && after == 0x2f) {
        depth--
        i++
      } else if (this.dialect.nested && c == 0x2f && after == 0x2a) {
        depth++
        i++
      }
    }
    this.end = min(i, text.length)
  }
}

/** The bytes of a space outside of ASCII, which is white space to some databases; 0: here is none. */
function wideSpace(text: Text, at: i32): i32 {
  const c = text.byteAt(at)
  const second = text.byteAt(at + 1)
  if (c == 0xc2) return second == 0xa0 || second == 0x85 ? 2 : 0
  const third = text.byteAt(at + 2)
  if (c == 0xe1) return second == 0x9a && third == 0x80 ? 3 : 0
  if (c == 0xe2 && second == 0x80) return third <= 0x8b || third == 0xa8 || third == 0xa9 || third == 0xaf ? 3 : 0
  if (c == 0xe2) return second == 0x81 && third == 0x9f ? 3 : 0
  if (c == 0xe3) return second == 0x80 && third == 0x80 ? 3 : 0
  return c == 0xef && second == 0xbb && third == 0xbf ? 3 : 0
}

function isDigit(c: i32): bool {
  return c >= 0x30 && c <= 0x39
}

function isWordSign(c: i32): bool {
  return (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || isDigit(c) || c == 0x5f || c > 0x7f
}
