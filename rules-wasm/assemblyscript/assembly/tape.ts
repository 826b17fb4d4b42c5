import { take } from './memory'
import { escapeEnd, isSpace, numberEnd, special } from './scan'

/** What a token is. `Escaped` is a string that holds a backslash; `Close` is the end of an object or array. */
export const enum Kind {
  Missing,
  Object,
  Array,
  String,
  Escaped,
  Number,
  True,
  False,
  Null,
  Close,
}

/** As deep as a message may nest, with the envelope around it. */
const MAX_DEPTH = 520
const MAX_LENGTH = 1 << 28

/**
 * A JSON text, read once: a list of tokens, eight bytes each. The first word holds where the token begins and its kind, the second
 * where it ends (strings: at the closing quote) or, of an object or array, the number of the token after it. `count` is 0 when the text is not JSON.
 */
@final
export class Tape {
  count: i32 = 0
  private tokens: usize
  private room: i32
  /** The innermost object or array that has not ended; its second word holds the one around it. */
  private open: i32 = -1
  private isObject: bool = false
  private depth: i32 = 0

  constructor(
    public source: usize,
    public length: i32,
  ) {
    this.room = (length >> 3) + 16
    this.tokens = take(this.room << 3)
    if (length >= MAX_LENGTH || !this.read()) this.count = 0
  }

  kind(token: i32): Kind {
    return <Kind>(load<u32>(this.tokens + ((<usize>token) << 3)) & 15)
  }

  start(token: i32): i32 {
    return <i32>(load<u32>(this.tokens + ((<usize>token) << 3)) >> 4)
  }

  /** Where a string, a number or a literal ends. */
  end(token: i32): i32 {
    return load<i32>(this.tokens + ((<usize>token) << 3), 4)
  }

  /** The token after this value. */
  next(token: i32): i32 {
    const kind = this.kind(token)
    return kind === Kind.Object || kind === Kind.Array ? this.end(token) : token + 1
  }

  /** Where the text of this value ends. */
  stop(token: i32): i32 {
    const kind = this.kind(token)
    if (kind === Kind.Object || kind === Kind.Array) return this.start(this.end(token) - 1) + 1
    return kind === Kind.String || kind === Kind.Escaped ? this.end(token) + 1 : this.end(token)
  }

  private push(kind: Kind, start: i32, second: i32): void {
    const count = this.count
    if (count === this.room) this.grow()
    const at = this.tokens + ((<usize>count) << 3)
    // One store is cheaper than two.
    store<u64>(at, ((<u64>(<u32>second)) << 32) | ((<u32>start) << 4) | kind)
    this.count = count + 1
  }

  private grow(): void {
    this.room *= 2
    this.tokens = heap.realloc(this.tokens, (<usize>this.room) << 3)
  }

  /** All in one loop, for most of what a rule costs is spent here. */
  private read(): bool {
    const source = this.source
    const length = this.length
    let wantsKey = false
    let at = skip(source, 0, length)
    while (at < length) {
      const start = at
      const byte = <i32>load<u8>(source + at)
      if (byte === 34) {
        at = special(source, at + 1, length)
        let kind = Kind.String
        while (at < length && load<u8>(source + at) !== 34) {
          at = escapeEnd(source, at, length)
          if (at < 0) return false
          kind = Kind.Escaped
          at = special(source, at, length)
        }
        if (at >= length) return false
        this.push(kind, start, at)
        at += 1
        if (wantsKey) {
          at = skip(source, at, length)
          if (at >= length || load<u8>(source + at) !== 58) return false
          wantsKey = false
          at = skip(source, at + 1, length)
          continue
        }
      } else if (wantsKey) {
        return false
      } else if (byte === 123 || byte === 91) {
        if (!this.begin(byte === 123, at)) return false
        at = skip(source, at + 1, length)
        if (at >= length) return false
        // An empty one ends below.
        if (load<u8>(source + at) !== byte + 2) {
          wantsKey = byte === 123
          continue
        }
      } else {
        at = this.scalar(byte, at)
        if (at < 0) return false
      }
      for (;;) {
        at = skip(source, at, length)
        if (this.open < 0) return at === length
        if (at >= length) return false
        const next = <i32>load<u8>(source + at)
        if (next === 44) break
        if (next !== (this.isObject ? 125 : 93)) return false
        this.close(at)
        at += 1
      }
      wantsKey = this.isObject
      at = skip(source, at + 1, length)
    }
    return false
  }

  private begin(isObject: bool, at: i32): bool {
    this.push(isObject ? Kind.Object : Kind.Array, at, this.open)
    this.open = this.count - 1
    this.isObject = isObject
    this.depth += 1
    return this.depth <= MAX_DEPTH
  }

  private close(at: i32): void {
    this.push(Kind.Close, at, at + 1)
    const token = this.tokens + ((<usize>this.open) << 3)
    this.open = load<i32>(token, 4)
    store<i32>(token, this.count, 4)
    this.isObject = this.open >= 0 && this.kind(this.open) === Kind.Object
    this.depth -= 1
  }

  /** A number or a word. Answers where it ends; -1: it is none. */
  private scalar(byte: i32, at: i32): i32 {
    if (byte < 58) {
      const end = numberEnd(this.source, at, this.length)
      if (end > 0) this.push(Kind.Number, at, end)
      return end
    }
    if (byte === 116) return this.word(at, 0x65757274, 4, Kind.True)
    if (byte === 110) return this.word(at, 0x6c6c756e, 4, Kind.Null)
    // The last four letters of it.
    return byte === 102 ? this.word(at, 0x65736c61, 5, Kind.False) : -1
  }

  private word(at: i32, letters: u32, length: i32, kind: Kind): i32 {
    if (at + length > this.length || load<u32>(this.source + at + length - 4) !== letters) return -1
    this.push(kind, at, at + length)
    return at + length
  }
}

function skip(source: usize, from: i32, length: i32): i32 {
  let at = from
  while (at < length && isSpace(load<u8>(source + at))) at += 1
  return at
}
