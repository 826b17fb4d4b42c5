import { Buffer } from './memory'
import { hex4, special } from './scan'

/** The UTF-8 bytes of a text. A torn surrogate becomes U+FFFD, as it does wherever the gateway shows texts to a rule. */
export function encode(text: string): Buffer {
  const length = text.length
  const out = new Buffer(length)
  for (let i = 0; i < length; i++) {
    const unit = <i32>text.charCodeAt(i)
    if (unit < 0x80) {
      out.byte(unit)
      continue
    }
    let point = unit
    if ((unit & 0xf800) === 0xd800) {
      const low = i + 1 < length ? <i32>text.charCodeAt(i + 1) : 0
      const paired = unit < 0xdc00 && (low & 0xfc00) === 0xdc00
      point = paired ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : 0xfffd
      if (paired) i += 1
    }
    writePoint(out, point)
  }
  return out
}

export function writePoint(out: Buffer, point: i32): void {
  if (point < 0x80) return out.byte(point)
  if (point < 0x800) out.byte(0xc0 | (point >> 6))
  else {
    if (point < 0x10000) out.byte(0xe0 | (point >> 12))
    else {
      out.byte(0xf0 | (point >> 18))
      out.byte(0x80 | ((point >> 12) & 0x3f))
    }
    out.byte(0x80 | ((point >> 6) & 0x3f))
  }
  out.byte(0x80 | (point & 0x3f))
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
  const out = new Buffer(<i32>(end - from))
  let at = from
  while (at < end) {
    const plain = special(at, 0, <i32>(end - at))
    out.bytes(at, plain)
    at += plain
    if (at < end) at = unescapeOne(out, at, end)
  }
  return out
}

/** What stands at the backslash `at`. Answers where it ends. */
function unescapeOne(out: Buffer, at: usize, end: usize): usize {
  const letter = <i32>load<u8>(at + 1)
  if (letter !== 117) {
    out.byte(
      letter === 110 ? 10 : letter === 116 ? 9 : letter === 114 ? 13 : letter === 98 ? 8 : letter === 102 ? 12 : letter,
    )
    return at + 2
  }
  const unit = hex4(at + 2)
  const next = at + 6
  if ((unit & 0xf800) !== 0xd800) {
    writePoint(out, unit)
    return next
  }
  if (unit < 0xdc00 && next + 6 <= end && load<u16>(next) === 0x755c) {
    const low = hex4(next + 2)
    if ((low & 0xfc00) === 0xdc00) {
      writePoint(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
      return next + 6
    }
  }
  writePoint(out, 0xfffd)
  return next
}
