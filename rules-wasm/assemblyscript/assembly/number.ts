/** Of a JSON number. Exact for what has up to 15 digits; other values are off by some units in the last place at most. */
export function readNumber(at: usize, end: usize): f64 {
  const isNegative = load<u8>(at) === 45
  let i = isNegative ? at + 1 : at
  let mantissa: u64 = 0
  let exponent = 0
  let hasPoint = false
  for (; i < end; i++) {
    const byte = <i32>load<u8>(i)
    if (byte === 46) {
      hasPoint = true
      continue
    }
    if (byte < 48) break
    if (byte > 57) break
    // Digits past the 18th only move the point.
    if (mantissa < 100_000_000_000_000_000) {
      mantissa = mantissa * 10 + (byte - 48)
      if (hasPoint) exponent -= 1
    } else if (!hasPoint) exponent += 1
  }
  if (i < end) exponent += readExponent(i + 1, end)
  const value = scale(<f64>mantissa, exponent)
  return isNegative ? -value : value
}

function readExponent(at: usize, end: usize): i32 {
  const sign = <i32>load<u8>(at)
  let value = 0
  for (let i = sign === 43 || sign === 45 ? at + 1 : at; i < end; i++) {
    value = min(value * 10 + <i32>load<u8>(i) - 48, 100_000)
  }
  return sign === 45 ? -value : value
}

function scale(mantissa: f64, exponent: i32): f64 {
  if (mantissa === 0 || exponent < -360) return 0
  if (exponent > 310) return Infinity
  let value = mantissa
  let rest = exponent
  for (; rest > 22; rest -= 22) value *= 1e22
  for (; rest < -22; rest += 22) value /= 1e22
  return rest < 0 ? value / power(-rest) : value * power(rest)
}

/** 10 to the power of 0 to 22: exact. */
function power(exponent: i32): f64 {
  let value: f64 = 1
  for (let i = 0; i < exponent; i++) value *= 10
  return value
}

/** A number without fraction and exponent that fits; otherwise `fallback`. */
export function readInteger(at: usize, end: usize, fallback: i64): i64 {
  const isNegative = load<u8>(at) === 45
  const first = isNegative ? at + 1 : at
  if (end - first > 18) return fallback
  let value: i64 = 0
  for (let i = first; i < end; i++) {
    const digit = <i32>load<u8>(i) - 48
    if (digit < 0 || digit > 9) return fallback
    value = value * 10 + digit
  }
  return isNegative ? -value : value
}
