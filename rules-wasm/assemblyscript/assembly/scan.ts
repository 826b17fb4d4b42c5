// What the reader of JSON looks for, byte by byte or sixteen at a time. Places are offsets from `source`.

/** The first quote, backslash or control character from `from` on; `length` if there is none. */
export function special(source: usize, from: i32, length: i32): i32 {
  let i = from
  if (ASC_FEATURE_SIMD) {
    for (; i + 16 <= length; i += 16) {
      const block = v128.load(source + i)
      const quotes = i8x16.eq(block, i8x16.splat(34))
      const backslashes = i8x16.eq(block, i8x16.splat(92))
      const controls = i8x16.lt_u(block, i8x16.splat(32))
      const mask = i8x16.bitmask(v128.or(v128.or(quotes, backslashes), controls))
      if (mask !== 0) return i + ctz(mask)
    }
  }
  for (; i < length; i++) {
    const byte = <i32>load<u8>(source + i)
    if (byte === 34 || byte === 92 || byte < 32) return i
  }
  return i
}

/** Where an escape ends that begins at `at`; -1 if it is none. */
export function escapeEnd(source: usize, at: i32, length: i32): i32 {
  if (at + 1 >= length || load<u8>(source + at) !== 92) return -1
  const letter = <i32>load<u8>(source + at + 1)
  if (letter === 117) return at + 6 <= length && hex4(source + at + 2) >= 0 ? at + 6 : -1
  return unescaped(letter) >= 0 ? at + 2 : -1
}

/** The character that a letter behind a backslash stands for; -1: none. */
export function unescaped(letter: i32): i32 {
  if (letter === 34 || letter === 92 || letter === 47) return letter
  if (letter === 110) return 10
  if (letter === 116) return 9
  if (letter === 114) return 13
  if (letter === 98) return 8
  return letter === 102 ? 12 : -1
}

/** The number of four hexadecimal digits; -1 if they are none. */
export function hex4(at: usize): i32 {
  const high = (hexDigit(load<u8>(at)) << 4) | hexDigit(load<u8>(at, 1))
  const low = (hexDigit(load<u8>(at, 2)) << 4) | hexDigit(load<u8>(at, 3))
  return (high | low) < 0 ? -1 : (high << 8) | low
}

/** Below 0 for what is none. */
function hexDigit(byte: i32): i32 {
  if (<u32>(byte - 48) < 10) return byte - 48
  const letter = (byte | 32) - 97
  return <u32>letter < 6 ? letter + 10 : i32.MIN_VALUE >> 4
}

/** Where a number of JSON ends that begins at `at`; -1 if it is none. */
export function numberEnd(source: usize, at: i32, length: i32): i32 {
  let i = at
  if (load<u8>(source + i) === 45) i += 1
  const whole = i
  i = digitsEnd(source, i, length)
  if (i === whole || (i > whole + 1 && load<u8>(source + whole) === 48)) return -1
  if (i < length && load<u8>(source + i) === 46) {
    const fraction = i + 1
    i = digitsEnd(source, fraction, length)
    if (i === fraction) return -1
  }
  if (i < length && (load<u8>(source + i) | 32) === 101) {
    i += 1
    if (i < length && (load<u8>(source + i) === 43 || load<u8>(source + i) === 45)) i += 1
    const exponent = i
    i = digitsEnd(source, exponent, length)
    if (i === exponent) return -1
  }
  return i
}

function digitsEnd(source: usize, from: i32, length: i32): i32 {
  let i = from
  while (i < length && <u32>(<i32>load<u8>(source + i) - 48) < 10) i += 1
  return i
}

/** Of JSON. */
export function isSpace(byte: i32): bool {
  return byte <= 32 && (byte === 32 || byte === 10 || byte === 13 || byte === 9)
}
