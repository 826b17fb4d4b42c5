import { Text } from '@gatehouse/rule-assemblyscript/assembly'
import { isKnownSecret } from './prefixes'
import { score } from './score'

export const NONE: i32 = 0
export const KNOWN: i32 = 1
export const RANDOM: i32 = 2
export const PRIVATE_KEY: i32 = 3

export class Settings {
  constructor(
    readonly minLength: i32,
    readonly minEntropy: f64,
    /** Whether hexadecimal counts: never (0), behind a word such as "secret" (1), always (2). */
    readonly hex: i32,
    readonly allow: Text[],
  ) {}
}

/** Shorter than that is no secret. */
const LEAST: i32 = 16
/** What is so long is not looked into, also for known beginnings. */
const LONG: i32 = 4096
/** Longer runs are data (a picture, a file), not tokens. */
const MOST: i32 = 512
/** A token made of shorter parts is a name: of a pod, a branch, a UUID. */
const LEAST_PART: i32 = 14
const LEAST_CHANGES: f64 = 0.25

const KEY_BEGIN = '-----BEGIN '
const KEY_MARK = 'PRIVATE KEY'
const KEY_END = '-----END '

/** Walks the tokens of one text. */
export class Tokens {
  start: i32 = 0
  end: i32 = 0
  private at: i32 = 0
  private inPath: bool = false

  constructor(
    readonly text: Text,
    readonly settings: Settings,
  ) {}

  /** The kind of the next secret, which stands from `start` to `end`; NONE: there is none any more. */
  next(): i32 {
    const text = this.text
    const base = text.at
    const size = text.length
    let at = this.at
    while (at < size) {
      const c = <i32>load<u8>(base + at)
      if (!isTokenSign(c)) {
        if (c < 0x40) this.leave(c, at)
        at++
        continue
      }
      if (c == 0x2d && this.findKey(at)) return PRIVATE_KEY
      this.start = at
      while (at < size && isTokenSign(<i32>load<u8>(base + at))) at++
      if (at - this.start < LEAST) continue
      this.at = this.end = at
      const kind = this.judge()
      if (kind != NONE) return kind
    }
    this.at = at
    return NONE
  }

  /** Behind `://` stands a path, where identifiers of documents are common, until white space, a quote, or a query. */
  private leave(c: i32, at: i32): void {
    if (c == 0x3a && this.text.byteAt(at + 1) == 0x2f && this.text.byteAt(at + 2) == 0x2f) this.inPath = true
    else if (c <= 0x20 || c == 0x22 || c == 0x27 || c == 0x3f || c == 0x23 || c == 0x3c || c == 0x3e || c == 0x60)
      this.inPath = false
  }

  private judge(): i32 {
    const text = this.text
    while (this.start < this.end && isEdge(text.byteAt(this.start))) this.start++
    while (this.end > this.start && isEdge(text.byteAt(this.end - 1))) this.end--
    if (this.end - this.start > LONG) return NONE
    // `key=value` and `key=value==` are tokens with signs of base64 in them: the value is what counts.
    for (let i = this.end - 3; i > this.start; i--) {
      if (text.byteAt(i) != 0x3d) continue
      this.start = i + 1
      break
    }
    const size = this.end - this.start
    if (size < LEAST || this.isAllowed()) return NONE
    if (this.findPrefix()) return KNOWN
    if (this.inPath || size < this.settings.minLength || size > MOST) return NONE
    return this.looksRandom() ? RANDOM : NONE
  }

  /** A known prefix counts at the beginning, and behind what joins a token to a word. */
  private findPrefix(): bool {
    for (let i = this.start; i < this.end - LEAST; i++) {
      if (i > this.start && !isSeparator(this.text.byteAt(i - 1)) && !this.isEncodedBefore(i)) continue
      if (!isKnownSecret(this.text, i, this.end)) continue
      this.start = i
      return true
    }
    return false
  }

  /** Whether the two signs before, with which the token begins, belong to a `%22`. */
  private isEncodedBefore(at: i32): bool {
    return at == this.start + 2 && this.text.byteAt(this.start - 1) == 0x25
  }

  private looksRandom(): bool {
    const found = score(this.text, this.start, this.end)
    if (found.longest < LEAST_PART || found.digits < 2 || found.letters < 2) return false
    if (found.isHex) {
      const hex = this.settings.hex
      return hex != 0 && found.longest >= 32 && found.entropy >= 3 && (hex == 2 || namesSecret(this.text, this.start))
    }
    if (found.changes < LEAST_CHANGES || found.entropy < this.settings.minEntropy) return false
    return !isDigest(this.text, this.start)
  }

  private isAllowed(): bool {
    const allow = this.settings.allow
    for (let i = 0; i < allow.length; i++) {
      if (this.text.slice(this.start, this.end).contains(allow[i].toString())) return true
    }
    return false
  }

  private findKey(at: i32): bool {
    const text = this.text
    if (!startsAt(text, KEY_BEGIN, at)) return false
    const mark = text.slice(at, at + 48).indexOf(KEY_MARK)
    if (mark < 0) return false
    this.start = at
    let end = text.indexOf(KEY_END, at + mark)
    if (end >= 0) end = text.indexOf('-----', end + KEY_END.length)
    this.at = this.end = end < 0 ? text.length : end + 5
    return true
  }
}

const SIGNS: i64 = (<i64>0x23ffe800) << 32
const LETTERS: i64 = ((<i64>0x07fffffe) << 32) | 0x87fffffe

/** Letters, digits and `+ / = - _ .`: a bit for each sign. */
function isTokenSign(c: i32): bool {
  return c < 0x80 && (((c < 0x40 ? SIGNS : LETTERS) >> (c & 63)) & 1) != 0
}

function isEdge(c: i32): bool {
  return c == 0x2d || c == 0x2e || c == 0x3d || c == 0x2f || c == 0x2b
}

function isSeparator(c: i32): bool {
  return c == 0x2d || c == 0x2e || c == 0x3d || c == 0x2f || c == 0x2b || c == 0x5f
}

/** `sha512-…` of lock files, and what follows `base64,`. */
function isDigest(text: Text, start: i32): bool {
  if (startsAt(text, 'sha', start) && text.byteAt(start + 6) == 0x2d) return true
  return start >= 7 && startsAt(text, 'base64,', start - 7)
}

const WORDS: string[] = [
  'secret',
  'token',
  'passw',
  'apikey',
  'api_key',
  'api-key',
  'access_key',
  'private',
  'credential',
  'auth',
]

/** Whether the 48 signs before it, up to the line's beginning, name a secret. */
function namesSecret(text: Text, start: i32): bool {
  let from = start
  while (from > 0 && from > start - 48 && text.byteAt(from - 1) != 0x0a) from--
  const before = text.slice(from, start)
  for (let i = 0; i < WORDS.length; i++) if (before.containsIgnoreCase(WORDS[i])) return true
  return false
}

/** `word` is ASCII. */
export function startsAt(text: Text, word: string, at: i32): bool {
  if (at < 0 || at + word.length > text.length) return false
  for (let i = 0; i < word.length; i++) if (text.byteAt(at + i) != word.charCodeAt(i)) return false
  return true
}
