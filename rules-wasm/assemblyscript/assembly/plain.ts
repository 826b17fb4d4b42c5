import { Buffer, take } from './memory'
import { hex4, unescaped } from './scan'
import { Text } from './text'
import { pointAt, storePoint } from './utf8'

/**
 * A text with the escapes of JSON in it undone, for texts that are JSON again, and parts of it: `\n` in them would look like a letter
 * before the next word. However many backslashes stand before the letter. What is no escape stays.
 */
@final
export class Plain {
  text: Text
  /** Where it goes on otherwise than the original: pairs of places, in it and in the original. */
  private breaks: Buffer = new Buffer(0)

  constructor(readonly original: Text) {
    this.text = original
    const end = original.at + original.length
    const first = backslash(original.at, end)
    if (first < end) this.text = this.read(first)
  }

  /** Where in the original this byte came from. */
  place(at: i32): i32 {
    let low = 0
    let high = this.breaks.length >> 3
    while (low < high) {
      const middle = (low + high) >> 1
      if (load<i32>(this.breaks.at + (middle << 3)) <= at) low = middle + 1
      else high = middle
    }
    if (low === 0) return at
    const last = this.breaks.at + ((low - 1) << 3)
    return load<i32>(last, 4) + at - load<i32>(last)
  }

  private read(first: usize): Text {
    const source = this.original.at
    const end = source + this.original.length
    // No escape takes less room than what it stands for.
    const start = take(this.original.length)
    let out = start
    let from = source
    let at = first
    while (at < end) {
      let letter = at + 1
      while (letter < end && load<u8>(letter) === 92) letter += 1
      const byte = letter < end ? <i32>load<u8>(letter) : 0
      const isLong = byte === 117 && letter + 5 <= end && hex4(letter + 1) >= 0
      const point = isLong ? pointAt(letter - 1, end) : unescaped(byte)
      if (point >= 0) {
        memory.copy(out, from, at - from)
        out += at - from
        out += storePoint(out, point)
        from = letter + (!isLong ? 1 : point > 0xffff ? 11 : 5)
        letter = from
        this.breakAt(<i32>(out - start), <i32>(from - source))
      }
      at = backslash(letter, end)
    }
    memory.copy(out, from, end - from)
    return new Text(start, <i32>(out - start) + <i32>(end - from))
  }

  private breakAt(here: i32, there: i32): void {
    const at = this.breaks.ensure(8)
    store<i32>(at, here)
    store<i32>(at, there, 4)
    this.breaks.length += 8
  }
}

/** Where the next one stands; the end, if none does. */
function backslash(from: usize, end: usize): usize {
  let at = from
  if (ASC_FEATURE_SIMD) {
    for (; at + 16 <= end; at += 16) {
      const mask = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(92)))
      if (mask !== 0) return at + ctz(mask)
    }
  }
  while (at < end && load<u8>(at) !== 92) at += 1
  return at
}
