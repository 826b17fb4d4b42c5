import { Kind } from './tape'

// What the reader of JSON looks for, byte by byte or sixteen at a time.

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

/** The same for what lies in memory that goes on behind `end`. What is found there, beyond `end`, counts as none. */
export function notPlain(from: usize, end: usize): usize {
  if (!ASC_FEATURE_SIMD) return from + special(from, 0, <i32>(end - from))
  for (let at = from; at < end; at += 16) {
    const block = v128.load(at)
    const quotes = i8x16.eq(block, i8x16.splat(34))
    const backslashes = i8x16.eq(block, i8x16.splat(92))
    const controls = i8x16.lt_u(block, i8x16.splat(32))
    const mask = i8x16.bitmask(v128.or(v128.or(quotes, backslashes), controls))
    if (mask !== 0) return at + ctz(mask)
  }
  return end
}

/** Where an escape ends that begins at `at`; 0 if it is none. */
export function escapeEnd(at: usize, end: usize): usize {
  if (at + 1 >= end || load<u8>(at) !== 92) return 0
  const letter = <i32>load<u8>(at, 1)
  if (letter === 117) return at + 6 <= end && hex4(at + 2) >= 0 ? at + 6 : 0
  return unescaped(letter) >= 0 ? at + 2 : 0
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

/** Where a number of JSON ends that begins at `at`; 0 if it is none. */
export function numberEnd(at: usize, end: usize): usize {
  const whole = load<u8>(at) === 45 ? at + 1 : at
  let i = digitsEnd(whole, end)
  if (i === whole || (i > whole + 1 && load<u8>(whole) === 48)) return 0
  if (i < end && load<u8>(i) === 46) {
    const fraction = i + 1
    i = digitsEnd(fraction, end)
    if (i === fraction) return 0
  }
  if (i >= end || (load<u8>(i) | 32) !== 101) return i
  const sign = i + 1 < end ? <i32>load<u8>(i, 1) : 0
  const exponent = sign === 43 || sign === 45 ? i + 2 : i + 1
  i = digitsEnd(exponent, end)
  return i === exponent ? 0 : i
}

function digitsEnd(from: usize, end: usize): usize {
  let i = from
  while (i < end && isDigit(load<u8>(i))) i += 1
  return i
}

/** What a value is that is neither a string, nor an object or array, nor begins with a digit. */
export function wordKind(at: usize, end: usize): Kind {
  if (load<u8>(at) === 45) return Kind.Number
  if (at + 4 > end) return Kind.Missing
  const letters = load<u32>(at)
  if (letters === 0x65757274) return Kind.True
  if (letters === 0x6c6c756e) return Kind.Null
  return letters === 0x736c6166 && at + 5 <= end && load<u8>(at, 4) === 101 ? Kind.False : Kind.Missing
}

export function isDigit(byte: i32): bool {
  return <u32>(byte - 48) < 10
}

/** Past what JSON calls space. */
export function skip(from: usize, end: usize): usize {
  let at = from
  while (at < end && isSpace(load<u8>(at))) at += 1
  return at
}

function isSpace(byte: i32): bool {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}
