import { Buffer } from './memory'
import { special } from './scan'
import { Text } from './text'
import { encode } from './utf8'
import { Value } from './value'

const HEX = '0123456789abcdef'

/** A JSON string of UTF-8 bytes. */
export function writeBytes(out: Buffer, at: usize, length: i32): void {
  out.byte(34)
  let i = 0
  for (;;) {
    const stop = special(at, i, length)
    out.bytes(at + i, stop - i)
    if (stop >= length) break
    const byte = <i32>load<u8>(at + stop)
    if (byte >= 32) {
      out.byte(92)
      out.byte(byte)
    } else {
      out.ascii('\\u00')
      out.byte(HEX.charCodeAt(byte >> 4))
      out.byte(HEX.charCodeAt(byte & 15))
    }
    i = stop + 1
  }
  out.byte(34)
}

export function writeString(out: Buffer, text: string): void {
  const bytes = encode(text)
  writeBytes(out, bytes.at, bytes.length)
}

/** The JSON of a string, a `Text`, a number, a boolean or a `Value`. What JSON has no number for is null. */
export function jsonOf<T>(value: T): Buffer {
  const out = new Buffer(32)
  if (isString<T>()) writeString(out, changetype<string>(value))
  else if (isBoolean<T>()) out.ascii(value ? 'true' : 'false')
  else if (isInteger<T>()) out.integer(<i64>value)
  else if (isFloat<T>()) out.ascii(isFinite(value) ? value.toString() : 'null')
  else if (value instanceof Text) writeBytes(out, value.at, value.length)
  else if (value instanceof Value && value.exists) out.bytes(value.raw.at, value.raw.length)
  else out.ascii('null')
  return out
}
