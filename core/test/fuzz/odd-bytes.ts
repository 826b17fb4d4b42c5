import type { Random } from './random.js'

const BROKEN: readonly Buffer[] = [
  ...[[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x92], [0x00], [0xef, 0xbb, 0xbf], [0xe2, 0x80, 0xa8]],
].map((bytes) => Buffer.from(bytes))
const MARKS = ['"', '{', '}', '[', ']', ',', ':', '\\', '\n', '\r', '\t', ' ', '0', '-', 'e', 'null', '\\u', '/*', '#']

/** A few bytes of a text changed, lost, doubled or put between. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.int(bytes.length + 1)
  const to = Math.min(bytes.length, at + 1 + random.int(12))
  const before = bytes.subarray(0, at)
  const between = bytes.subarray(at, to)
  switch (random.int(9)) {
    case 0:
      return before
    case 1:
      return Buffer.concat([before, bytes.subarray(to)])
    case 2:
      return Buffer.concat([before, between, between, bytes.subarray(to)])
    case 3:
      return Buffer.concat([before, random.pick(BROKEN), bytes.subarray(at)])
    case 4:
      return Buffer.concat([before, Buffer.from(random.pick(MARKS)), bytes.subarray(at)])
    case 5:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])
    case 6:
      return Buffer.concat([bytes, random.chance(0.5) ? bytes : Buffer.from('\r\n\0')])
    case 7:
      return Buffer.from(bytes.toString('utf8'), random.chance(0.5) ? 'utf16le' : 'latin1')
    default: {
      const changed = Buffer.from(bytes)
      if (at < changed.length) changed[at] = (changed[at] ?? 0) ^ (1 << random.int(8))
      return changed
    }
  }
}

/** The same bytes in pieces, cut wherever: in the middle of a character, of a line end, of an event. */
export function inPieces(bytes: Buffer, random: Random): readonly Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = random.chance(0.3) ? 1 : 1 + random.int(Math.max(1, bytes.length))
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}
