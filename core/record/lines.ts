/** Lines of the log as they lie in the file: each ends in a newline, the last one too. */
export interface Lines {
  readonly bytes: Buffer
  /** Where the newlines are. */
  readonly ends: readonly number[]
}

const newline = 10

/** The whole lines at the beginning of the bytes, at most so many. */
export function wholeLines(bytes: Buffer, most = Infinity): Lines {
  const ends: number[] = []
  for (let end = bytes.indexOf(newline); end >= 0 && ends.length < most; end = bytes.indexOf(newline, end + 1))
    ends.push(end)
  return { bytes: bytes.subarray(0, (ends.at(-1) ?? -1) + 1), ends }
}

export function someLines({ bytes, ends }: Lines, from: number, to: number): Lines {
  const start = from === 0 ? 0 : (ends[from - 1] ?? 0) + 1
  const past = (ends[to - 1] ?? -1) + 1
  return { bytes: bytes.subarray(start, past), ends: ends.slice(from, to).map((end) => end - start) }
}

export function linesThat(lines: Lines, holds: (line: Buffer) => boolean): Lines {
  const all = lines.ends.map((_, i) => someLines(lines, i, i + 1).bytes)
  const kept = all.filter((line) => holds(line))
  return kept.length === all.length ? lines : wholeLines(Buffer.concat(kept))
}

/**
 * All lines as one JSON array in the binary form of jsonb: a version byte, then the text. Nothing is decoded or parsed:
 * JSON text on one line has no raw newline, so each becomes the comma.
 */
export function jsonbArray({ bytes, ends }: Lines): Buffer {
  const out = Buffer.allocUnsafe(bytes.length + 2)
  out[0] = 1
  out[1] = 0x5b
  bytes.copy(out, 2)
  for (const end of ends) out[end + 2] = 0x2c
  out[out.length - 1] = 0x5d
  return out
}
