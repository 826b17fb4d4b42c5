import { encode } from './utf8'

/** The first byte from `from` on where `needle` stands; -1 if nowhere. With `fold`, the case of ASCII letters does not matter. */
export function find(at: usize, length: i32, needle: string, from: i32, fold: bool): i32 {
  const size = needle.length
  if (from < 0) from = 0
  if (size === 0) return from <= length ? from : -1
  if (size > length - from) return -1
  if (isAscii(needle)) return search(at, length, changetype<usize>(needle), 1, size, from, fold)
  const bytes = encode(needle)
  return search(at, length, bytes.at, 0, bytes.length, from, fold)
}

/** `shift` is 1 for a needle of UTF-16 units, 0 for one of bytes. */
function search(at: usize, length: i32, needle: usize, shift: usize, size: i32, from: i32, fold: bool): i32 {
  const last = length - size
  const first = <i32>load<u8>(needle)
  const tail = <i32>load<u8>(needle + ((<usize>size - 1) << shift))
  const firstMask = fold && isLetter(first) ? 32 : 0
  const tailMask = fold && isLetter(tail) ? 32 : 0
  let i = from
  if (ASC_FEATURE_SIMD) {
    const firsts = i8x16.splat(<i8>(first | firstMask))
    const tails = i8x16.splat(<i8>(tail | tailMask))
    const firstMasks = i8x16.splat(<i8>firstMask)
    const tailMasks = i8x16.splat(<i8>tailMask)
    const reach = <usize>size - 1
    for (; i + 15 <= last; i += 16) {
      const heads = i8x16.eq(v128.or(v128.load(at + i), firstMasks), firsts)
      const ends = i8x16.eq(v128.or(v128.load(at + i + reach), tailMasks), tails)
      let hits = i8x16.bitmask(v128.and(heads, ends))
      while (hits !== 0) {
        const place = i + ctz(hits)
        if (same(at + place, needle, shift, size, fold)) return place
        hits &= hits - 1
      }
    }
  }
  for (; i <= last; i++) {
    if ((load<u8>(at + i) | firstMask) !== (first | firstMask)) continue
    if (same(at + i, needle, shift, size, fold)) return i
  }
  return -1
}

/** Whether `needle`, as long as the bytes at `at` or not, is what stands there. */
export function isEqual(at: usize, length: i32, needle: string, fold: bool): bool {
  if (!isAscii(needle)) {
    const bytes = encode(needle)
    return bytes.length === length && same(at, bytes.at, 0, length, fold)
  }
  return needle.length === length && same(at, changetype<usize>(needle), 1, length, fold)
}

function same(at: usize, needle: usize, shift: usize, size: i32, fold: bool): bool {
  for (let i: usize = 0; i < <usize>size; i++) {
    const one = <i32>load<u8>(at + i)
    const other = <i32>load<u8>(needle + (i << shift))
    if (one === other) continue
    if (!fold || (one ^ other) !== 32 || !isLetter(one)) return false
  }
  return true
}

function isAscii(text: string): bool {
  const at = changetype<usize>(text)
  const length = <usize>text.length
  for (let i: usize = 0; i < length; i++) if (load<u16>(at + (i << 1)) > 127) return false
  return true
}

/** Of ASCII. */
export function isLetter(byte: i32): bool {
  return <u32>((byte | 32) - 97) < 26
}

/** Whether a byte belongs to a word: a letter, a digit, an underscore, or part of a character outside of ASCII. */
export function isWordByte(byte: i32): bool {
  return isLetter(byte) || <u32>(byte - 48) < 10 || byte === 95 || byte > 127
}
