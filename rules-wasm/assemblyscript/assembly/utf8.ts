import { Buffer } from './memory'
import { hex4, special, unescaped } from './scan'

/** The UTF-8 bytes of a text. A torn surrogate becomes U+FFFD, as it does wherever the gateway shows texts to a rule. */
export function encode(text: string): Buffer {
  const from = changetype<usize>(text)
  const length = text.length
  const buffer = new Buffer(length * 3)
  let out = buffer.at
  for (let i = 0; i < length; i++) {
    const unit = <i32>load<u16>(from + ((<usize>i) << 1))
    if (unit < 0x80) {
      store<u8>(out, unit)
      out += 1
      continue
    }
    let point = unit
    if ((unit & 0xf800) === 0xd800) {
      const low = i + 1 < length ? <i32>load<u16>(from + ((<usize>i) << 1), 2) : 0
      const isPair = unit < 0xdc00 && (low & 0xfc00) === 0xdc00
      point = isPair ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : 0xfffd
      if (isPair) i += 1
    }
    out += storePoint(out, point)
  }
  buffer.length = <i32>(out - buffer.at)
  buffer.fit()
  return buffer
}

/** The text of UTF-8 bytes. */
export function decode(at: usize, length: i32): string {
  return String.UTF8.decodeUnsafe(at, <usize>length)
}

/** The byte where the UTF-16 unit `unit` begins; the length where the text is shorter. */
export function byteOfUnit(at: usize, length: i32, unit: i32): i32 {
  let units = 0
  let i = 0
  while (i < length && units < unit) {
    const byte = load<u8>(at + i)
    units += byte >= 0xf0 ? 2 : 1
    i += byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
  }
  return min(i, length)
}

/** Writes the content of a JSON string as UTF-8. The string was checked before. */
export function unescape(from: usize, end: usize): Buffer {
  const length = <i32>(end - from)
  // Nothing takes more room than its escape.
  const buffer = new Buffer(length)
  let out = buffer.at
  let at = 0
  while (at < length) {
    const plain = special(from, at, length)
    if (plain > at) {
      copy(out, from + at, plain - at)
      out += plain - at
      at = plain
    }
    while (at < length && load<u8>(from + at) === 92) {
      const letter = <i32>load<u8>(from + at, 1)
      if (letter !== 117) {
        store<u8>(out, unescaped(letter))
        out += 1
        at += 2
        continue
      }
      const point = pointAt(from + at, end)
      at += point > 0xffff ? 12 : 6
      out += storePoint(out, point)
    }
  }
  buffer.length = <i32>(out - buffer.at)
  return buffer
}

/** A bulk copy has its price, which a few bytes are not worth. */
function copy(to: usize, from: usize, length: i32): void {
  if (length > 8) return memory.copy(to, from, length)
  for (let i = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i))
}

/** The character of the `\u` at `at`, and of the one after it where the two are a pair. */
export function pointAt(at: usize, end: usize): i32 {
  const unit = hex4(at + 2)
  if ((unit & 0xf800) !== 0xd800) return unit
  if (unit < 0xdc00 && at + 12 <= end && load<u16>(at + 6) === 0x755c) {
    const low = hex4(at + 8)
    if ((low & 0xfc00) === 0xdc00) return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
  }
  return 0xfffd
}

/** Answers how many bytes it takes. */
export function storePoint(out: usize, point: i32): usize {
  if (point < 0x80) {
    store<u8>(out, point)
    return 1
  }
  if (point < 0x800) {
    store<u8>(out, 0xc0 | (point >> 6))
    store<u8>(out, 0x80 | (point & 0x3f), 1)
    return 2
  }
  const size: usize = point < 0x10000 ? 3 : 4
  if (size === 3) store<u8>(out, 0xe0 | (point >> 12))
  else {
    store<u8>(out, 0xf0 | (point >> 18))
    store<u8>(out, 0x80 | ((point >> 12) & 0x3f), 1)
  }
  store<u8>(out + size - 2, 0x80 | ((point >> 6) & 0x3f))
  store<u8>(out + size - 1, 0x80 | (point & 0x3f))
  return size
}
