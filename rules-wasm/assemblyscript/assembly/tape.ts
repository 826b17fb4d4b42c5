import { take } from './memory'
import { escapeEnd, isDigit, notPlain, numberEnd, skip, wordKind } from './scan'

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
 * Values, keys and ends of objects and arrays. A text of more is not read: it would take most of what a call may use, and the rule would fail,
 * by the doing of whoever sent it, where it can say that it cannot tell.
 */
const MAX_TOKENS = 32_768

/**
 * A JSON text, read once: a list of tokens, eight bytes each. The first word holds where the token begins and its kind, the second
 * where it ends (strings: at the closing quote) or, of an object or array, the number of the token after it. `count` is 0 when the text is not JSON.
 */
@final
export class Tape {
  count: i32 = 0
  private tokens: usize
  private room: i32

  constructor(
    public source: usize,
    public length: i32,
  ) {
    this.room = min((length >> 3) + 16, MAX_TOKENS)
    this.tokens = take(this.room << 3)
    if (length < MAX_LENGTH) this.count = <i32>((this.read() - this.tokens) >> 3)
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

  isString(token: i32): bool {
    const kind = this.kind(token)
    return kind === Kind.String || kind === Kind.Escaped
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
    return this.isString(token) ? this.end(token) + 1 : this.end(token)
  }

  /**
   * Answers where the tokens end; their beginning if it is no JSON. All in one loop with variables of its own, since here is spent most of
   * what a rule costs, and what somebody sends must never cost more than a rule may. A few bytes behind the text are looked at and given
   * no meaning: the tokens lie there.
   */
  private read(): usize {
    const source = this.source
    const end = source + this.length
    const tokens = this.tokens
    let out = tokens
    let limit = tokens + ((<usize>this.room) << 3)
    // The innermost object or array that has not ended; its second word holds the one around it.
    let open: usize = 0
    let isObject = false
    let wantsKey = false
    let depth = 0
    let at = source
    while (at < end) {
      let byte = <i32>load<u8>(at)
      if (byte <= 32) {
        at = skip(at, end)
        byte = load<u8>(at)
      }
      if (at >= end) return tokens
      if (out === limit) {
        limit = this.grow()
        if (limit === 0) return tokens
      }
      const start = (<u64>(at - source)) << 4
      if (byte === 34) {
        let kind: u64 = Kind.String
        let to = notPlain(at + 1, end)
        while (to < end && load<u8>(to) !== 34) {
          to = escapeEnd(to, end)
          if (to === 0) return tokens
          kind = Kind.Escaped
          // Escapes come in rows where they come in numbers.
          if (load<u8>(to) !== 92) to = notPlain(to, end)
        }
        if (to >= end) return tokens
        store<u64>(out, ((<u64>(to - source)) << 32) | start | kind)
        out += 8
        at = to + 1
        if (wantsKey) {
          if (load<u8>(at) !== 58) at = skip(at, end)
          if (load<u8>(at) !== 58) return tokens
          at += 1
          wantsKey = false
          continue
        }
      } else if (wantsKey) {
        return tokens
      } else if ((byte | 32) === 123) {
        depth += 1
        if (depth > MAX_DEPTH) return tokens
        isObject = byte === 123
        store<u64>(out, ((<u64>open) << 32) | start | (isObject ? Kind.Object : Kind.Array))
        open = out
        out += 8
        at += 1
        if (load<u8>(at) <= 32) at = skip(at, end)
        // An empty one ends below.
        if (load<u8>(at) !== byte + 2) {
          wantsKey = isObject
          continue
        }
      } else if (isDigit(byte)) {
        let to = at + 1
        while (isDigit(load<u8>(to))) to += 1
        const next = <i32>load<u8>(to)
        if (to >= end || byte === 48 || next === 46 || (next | 32) === 101) to = numberEnd(at, end)
        if (to === 0) return tokens
        store<u64>(out, ((<u64>(to - source)) << 32) | start | Kind.Number)
        out += 8
        at = to
      } else {
        const kind = wordKind(at, end)
        const to = kind === Kind.Number ? numberEnd(at, end) : at + (kind === Kind.False ? 5 : 4)
        if (kind === Kind.Missing || to === 0) return tokens
        store<u64>(out, ((<u64>(to - source)) << 32) | start | kind)
        out += 8
        at = to
      }
      byte = load<u8>(at)
      while (byte !== 44 || open === 0 || at >= end) {
        if (byte <= 32) {
          at = skip(at, end)
          byte = load<u8>(at)
          if (byte === 44 && open !== 0 && at < end) break
        }
        if (open === 0) return at === end ? out : tokens
        if (at >= end || byte !== (isObject ? 125 : 93)) return tokens
        if (out === limit) {
          limit = this.grow()
          if (limit === 0) return tokens
        }
        const place = at - source
        store<u64>(out, ((<u64>place + 1) << 32) | ((<u64>place) << 4) | Kind.Close)
        out += 8
        const around = <usize>load<u32>(open, 4)
        store<u32>(open, <u32>((out - tokens) >> 3), 4)
        isObject = around !== 0 && (load<u32>(around) & 15) === Kind.Object
        open = around
        depth -= 1
        at += 1
        byte = load<u8>(at)
      }
      wantsKey = isObject
      at += 1
    }
    return tokens
  }

  /** Answers where the room ends now; 0: there is no more. Nothing else is taken while a text is read, so the tokens stay where they are. */
  private grow(): usize {
    if (this.room === MAX_TOKENS) return 0
    this.room = min(this.room * 2, MAX_TOKENS)
    const size = (<usize>this.room) << 3
    if (heap.realloc(this.tokens, size) !== this.tokens) unreachable()
    return this.tokens + size
  }
}
