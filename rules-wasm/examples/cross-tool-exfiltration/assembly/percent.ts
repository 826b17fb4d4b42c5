import { Buffer, Text } from '@gatehouse/rule-assemblyscript/assembly'

/** With the bytes that `%40` and its like stand for. */
export function decodePercent(text: Text): Text {
  const out = new Buffer(text.length)
  for (let i = 0; i < text.length; i++) {
    const high = text.byteAt(i) == 0x25 ? hexOf(text.byteAt(i + 1)) : -1
    const low = high < 0 ? -1 : hexOf(text.byteAt(i + 2))
    out.byte(low < 0 ? text.byteAt(i) : (high << 4) | low)
    if (low >= 0) i += 2
  }
  return new Text(out.at, out.length)
}

function hexOf(c: i32): i32 {
  if (c >= 0x30 && c <= 0x39) return c - 0x30
  const small = c | 32
  return small >= 0x61 && small <= 0x66 ? small - 0x57 : -1
}
