import { configRead } from './host'
import { take } from './memory'
import { readInteger, readNumber } from './number'
import { Text } from './text'
import { encode } from './utf8'
import { parse } from './value'

const FIRST_ROOM = 256

/**
 * The configuration that an operator gave the rule. Needs the capability `config`. A key that the manifest does not name, or
 * that nobody has set, is an empty text.
 */
export abstract class Config {
  static text(key: string): Text {
    const name = encode(key)
    const out = take(FIRST_ROOM)
    const length = configRead(name.at, name.length, out, FIRST_ROOM)
    if (length <= FIRST_ROOM) return new Text(out, max(length, 0))
    const whole = take(length)
    configRead(name.at, name.length, whole, length)
    return new Text(whole, length)
  }

  static string(key: string): string {
    return Config.text(key).toString()
  }

  /** `fallback` for what is no whole number. */
  static integer(key: string, fallback: i64 = 0): i64 {
    const value = Config.text(key).trim()
    return value.isEmpty ? fallback : readInteger(value.at, value.at + value.length, fallback)
  }

  /** `fallback` for what is no number of JSON. */
  static number(key: string, fallback: f64 = 0): f64 {
    const value = parse(Config.text(key).trim())
    return value.isNumber ? readNumber(value.raw.at, value.raw.at + value.raw.length) : fallback
  }

  static isTrue(key: string): bool {
    return Config.text(key).trim().equals('true')
  }

  /** The parts between commas or ends of lines, trimmed; empty ones left out. */
  static list(key: string): Text[] {
    const whole = Config.text(key)
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
}
