/** The first quote, backslash or control character from `from` on. */
export function special(source: usize, from: i32, length: i32): i32 {
  let i = from
  if (ASC_FEATURE_SIMD) {
    const quote = i8x16.splat(34)
    const backslash = i8x16.splat(92)
    const control = i8x16.splat(32)
    for (; i + 16 <= length; i += 16) {
      const block = v128.load(source + i)
      const hits = v128.or(v128.or(i8x16.eq(block, quote), i8x16.eq(block, backslash)), i8x16.lt_u(block, control))
      const mask = i8x16.bitmask(hits)
      if (mask !== 0) return i + ctz(mask)
    }
  }
  for (; i < length; i++) {
    const byte = load<u8>(source + i)
    if (byte === 34 || byte === 92 || byte < 32) return i
  }
  return i
}

/** The number of four hexadecimal digits; -1 if they are none. */
export function hex4(at: usize): i32 {
  let value = 0
  for (let i: usize = 0; i < 4; i++) {
    const digit = hexDigit(load<u8>(at + i))
    if (digit < 0) return -1
    value = (value << 4) | digit
  }
  return value
}

function hexDigit(byte: i32): i32 {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}
