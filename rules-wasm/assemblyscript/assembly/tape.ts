import { take } from './memory'
import { hex4, special } from './scan'

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
  private open: i32 = -1
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
    if (this.count === this.room) {
      this.room *= 2
      this.tokens = heap.realloc(this.tokens, (<usize>this.room) << 3)
    }
    const at = this.tokens + ((<usize>this.count) << 3)
    store<u32>(at, ((<u32>start) << 4) | kind)
    store<i32>(at, second, 4)
    this.count += 1
  }

  private read(): bool {
    let at = this.space(0)
    do {
      at = this.value(at)
      // Where a container was opened, its first item is next.
      if (at >= 0 && !this.opened) at = this.after(at)
    } while (at >= 0 && (this.opened || this.open >= 0))
    return at === this.length
  }

  private opened: bool = false

  /** Reads a scalar, or the beginning of a container up to its first item. Answers where to go on; -1: no JSON. */
  private value(at: i32): i32 {
    this.opened = false
    if (at >= this.length) return -1
    const byte = load<u8>(this.source + at)
    if (byte === 34) return this.string(at)
    if (byte === 123 || byte === 91) return this.begin(byte === 123, at)
    if (byte === 45 || (byte >= 48 && byte <= 57)) return this.number(at)
    if (byte === 116) return this.word(at, 0x65757274, 4, Kind.True)
    if (byte === 110) return this.word(at, 0x6c6c756e, 4, Kind.Null)
    // The last four letters of it.
    if (byte === 102) return this.word(at, 0x65736c61, 5, Kind.False)
    return -1
  }

  private begin(isObject: bool, at: i32): i32 {
    if (++this.depth > MAX_DEPTH) return -1
    this.push(isObject ? Kind.Object : Kind.Array, at, this.open)
    this.open = this.count - 1
    const first = this.space(at + 1)
    if (first < this.length && load<u8>(this.source + first) === (isObject ? 125 : 93)) return this.close(first)
    this.opened = true
    return isObject ? this.key(first) : first
  }

  private close(at: i32): i32 {
    this.push(Kind.Close, at, at + 1)
    const token = this.open
    this.open = this.end(token)
    store<i32>(this.tokens + ((<usize>token) << 3), this.count, 4)
    this.depth -= 1
    return at + 1
  }

  private key(at: i32): i32 {
    if (at >= this.length || load<u8>(this.source + at) !== 34) return -1
    const end = this.string(at)
    if (end < 0) return -1
    const colon = this.space(end)
    if (colon >= this.length || load<u8>(this.source + colon) !== 58) return -1
    return this.space(colon + 1)
  }

  /** Goes on after a value: to the next one, or to the end of it all. */
  private after(from: i32): i32 {
    let at = this.space(from)
    while (this.open >= 0) {
      if (at >= this.length) return -1
      const byte = load<u8>(this.source + at)
      const isObject = this.kind(this.open) === Kind.Object
      if (byte === 44) return isObject ? this.key(this.space(at + 1)) : this.space(at + 1)
      if (byte !== (isObject ? 125 : 93)) return -1
      at = this.space(this.close(at))
    }
    return at
  }

  private string(at: i32): i32 {
    const source = this.source
    const length = this.length
    let kind = Kind.String
    let i = at + 1
    for (;;) {
      i = special(source, i, length)
      if (i >= length) return -1
      const byte = load<u8>(source + i)
      if (byte === 34) break
      if (byte !== 92) return -1
      kind = Kind.Escaped
      i = this.escape(i)
      if (i < 0) return -1
    }
    this.push(kind, at, i)
    return i + 1
  }

  private escape(at: i32): i32 {
    if (at + 1 >= this.length) return -1
    const byte = load<u8>(this.source + at + 1)
    if (byte === 117) return at + 6 <= this.length && hex4(this.source + at + 2) >= 0 ? at + 6 : -1
    const known = byte === 34 || byte === 92 || byte === 47 || byte === 98 || byte === 102
    return known || byte === 110 || byte === 114 || byte === 116 ? at + 2 : -1
  }

  private number(at: i32): i32 {
    let i = this.peek(at) === 45 ? at + 1 : at
    const whole = i
    i = this.digits(i)
    if (i === whole || (i > whole + 1 && this.peek(whole) === 48)) return -1
    if (this.peek(i) === 46) {
      const fraction = i + 1
      i = this.digits(fraction)
      if (i === fraction) return -1
    }
    if ((this.peek(i) | 32) === 101) {
      const sign = this.peek(i + 1)
      const exponent = sign === 43 || sign === 45 ? i + 2 : i + 1
      i = this.digits(exponent)
      if (i === exponent) return -1
    }
    this.push(Kind.Number, at, i)
    return i
  }

  private digits(at: i32): i32 {
    let i = at
    while (<u32>this.peek(i) - 48 < 10) i += 1
    return i
  }

  private peek(at: i32): i32 {
    return at < this.length ? <i32>load<u8>(this.source + at) : 0
  }

  private word(at: i32, letters: u32, length: i32, kind: Kind): i32 {
    if (at + length > this.length || load<u32>(this.source + at + length - 4) !== letters) return -1
    this.push(kind, at, at + length)
    return at + length
  }

  private space(at: i32): i32 {
    let i = at
    while (i < this.length) {
      const byte = load<u8>(this.source + i)
      if (byte > 32 || (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9)) break
      i += 1
    }
    return i
  }
}
