import { configRead } from './host'
import { take } from './memory'
import { readInteger, readNumber } from './number'
import { Text } from './text'
import { encode } from './utf8'
import { parse } from './value'

// The configuration that an operator gave the rule. Needs the capability `config`. A key that the manifest does not name, or
// that nobody has set, is an empty text.

const FIRST_ROOM = 256

export function text(key: string): Text {
  const name = encode(key)
  let room = FIRST_ROOM
  for (;;) {
    const out = take(room)
    const length = configRead(name.at, name.length, out, room)
    if (length < 0) return new Text(out, 0)
    if (length <= room) return new Text(out, length)
    room = length
  }
}

export function string(key: string): string {
  return text(key).toString()
}

/** `fallback` for what is no whole number. */
export function integer(key: string, fallback: i64 = 0): i64 {
  const value = text(key).trim()
  return value.isEmpty ? fallback : readInteger(value.at, value.at + value.length, fallback)
}

/** `fallback` for what is no number of JSON. */
export function number(key: string, fallback: f64 = 0): f64 {
  const value = parse(text(key).trim())
  return value.isNumber ? readNumber(value.raw.at, value.raw.at + value.raw.length) : fallback
}

export function isTrue(key: string): bool {
  return text(key).trim().equals('true')
}

/** The parts between commas or ends of lines, trimmed; empty ones left out. */
export function list(key: string): Text[] {
  const whole = text(key)
  const parts: Text[] = []
  let start = 0
  for (let i = 0; i <= whole.length; i++) {
    const byte = whole.byteAt(i)
    if (i < whole.length && byte !== 44 && byte !== 10) continue
    const part = whole.slice(start, i).trim()
    if (!part.isEmpty) parts.push(part)
    start = i + 1
  }
  return parts
}
