import { find, isEqual, isWordByte } from './find'
import { byteOfUnit, decode } from './utf8'

/**
 * A text as UTF-8 bytes in memory. Places in it are counted in bytes, from 0. Nothing is copied until `toString` asks for it.
 * Letter case is that of ASCII.
 */
@final
export class Text {
  constructor(
    public at: usize,
    public length: i32,
    /** Its number in the list of texts, or of keys, of the message; -1: it is in none. */
    public index: i32 = -1,
    public isKey: bool = false,
  ) {}

  get isEmpty(): bool {
    return this.length === 0
  }

  /** 0 outside of the text. */
  byteAt(place: i32): i32 {
    return <u32>place < <u32>this.length ? <i32>load<u8>(this.at + place) : 0
  }

  /** -1 when it does not stand there. */
  indexOf(needle: string, from: i32 = 0): i32 {
    return find(this.at, this.length, needle, from, false)
  }

  indexOfIgnoreCase(needle: string, from: i32 = 0): i32 {
    return find(this.at, this.length, needle, from, true)
  }

  /** The same, as a word of its own: `drop` stands in `DROP TABLE`, not in `dropped`. */
  indexOfWord(word: string, from: i32 = 0): i32 {
    let place = this.indexOfIgnoreCase(word, from)
    while (place >= 0) {
      // A needle of ASCII has as many bytes as units; for others, the end is found where the bytes of the word end.
      const end = place + sizeOf(word)
      if (!(place > 0 && isWordByte(this.byteAt(place - 1))) && !isWordByte(this.byteAt(end))) return place
      place = this.indexOfIgnoreCase(word, place + 1)
    }
    return -1
  }

  contains(needle: string): bool {
    return this.indexOf(needle) >= 0
  }

  containsIgnoreCase(needle: string): bool {
    return this.indexOfIgnoreCase(needle) >= 0
  }

  containsWord(word: string): bool {
    return this.indexOfWord(word) >= 0
  }

  equals(other: string): bool {
    return isEqual(this.at, this.length, other, false)
  }

  equalsIgnoreCase(other: string): bool {
    return isEqual(this.at, this.length, other, true)
  }

  startsWith(prefix: string): bool {
    return this.slice(0, sizeOf(prefix)).equals(prefix)
  }

  endsWith(suffix: string): bool {
    const size = sizeOf(suffix)
    return size <= this.length && this.slice(this.length - size).equals(suffix)
  }

  /** Part of it, no longer of any list. */
  slice(start: i32, end: i32 = i32.MAX_VALUE): Text {
    const to = max(0, min(end, this.length))
    const from = max(0, min(start, to))
    return new Text(this.at + from, to - from)
  }

  trim(): Text {
    let start = 0
    let end = this.length
    while (start < end && isSpace(this.byteAt(start))) start += 1
    while (end > start && isSpace(this.byteAt(end - 1))) end -= 1
    return this.slice(start, end)
  }

  /** The parts between the separators; one part where there is none. */
  split(separator: string): Text[] {
    const parts: Text[] = []
    const size = sizeOf(separator)
    let start = 0
    while (size > 0) {
      const place = this.indexOf(separator, start)
      if (place < 0) break
      parts.push(this.slice(start, place))
      start = place + size
    }
    parts.push(this.slice(start))
    return parts
  }

  /** The byte where a UTF-16 unit of `toString()` begins. */
  byteOfUnit(unit: i32): i32 {
    return byteOfUnit(this.at, this.length, unit)
  }

  toString(): string {
    return decode(this.at, this.length)
  }
}

/** The text of a string. */
export function textOf(value: string): Text {
  const bytes = String.UTF8.encode(value)
  return new Text(changetype<usize>(bytes), bytes.byteLength)
}

/** Bytes of UTF-8. */
function sizeOf(text: string): i32 {
  return String.UTF8.byteLength(text)
}

function isSpace(byte: i32): bool {
  return byte === 32 || (byte >= 9 && byte <= 13)
}
