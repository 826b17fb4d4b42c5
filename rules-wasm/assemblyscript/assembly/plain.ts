import { Buffer } from './memory'
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
    const first = original.indexOf('\\')
    if (first >= 0) this.text = this.read(first)
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

  private read(first: i32): Text {
    const original = this.original
    const end = original.at + original.length
    // No escape takes less room than what it stands for.
    const out = new Buffer(original.length)
    let from = 0
    let at = first
    while (at >= 0) {
      let letter = at + 1
      while (original.byteAt(letter) === 92) letter += 1
      const isLong = original.byteAt(letter) === 117 && letter + 5 <= original.length
      if (isLong && hex4(original.at + letter + 1) < 0) {
        at = original.indexOf('\\', letter)
        continue
      }
      const point = isLong ? pointAt(original.at + letter - 1, end) : unescaped(original.byteAt(letter))
      if (point >= 0) {
        out.bytes(original.at + from, at - from)
        from = letter + (!isLong ? 1 : point > 0xffff ? 11 : 5)
        this.breakAt(out.length, at)
        out.length += <i32>storePoint(out.at + out.length, point)
        this.breakAt(out.length, from)
        letter = from
      }
      at = original.indexOf('\\', letter)
    }
    out.bytes(original.at + from, original.length - from)
    return new Text(out.at, out.length)
  }

  private breakAt(here: i32, there: i32): void {
    const at = this.breaks.ensure(8)
    store<i32>(at, here)
    store<i32>(at, there, 4)
    this.breaks.length += 8
  }
}
