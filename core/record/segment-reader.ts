import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { linesThat, wholeLines } from './lines.js'
import type { Lines } from './lines.js'
import type { RecordLog } from './log.js'
import { listSegments, segmentPath } from './segments.js'
import type { Position } from './segments.js'

export interface Limits {
  readonly rows: number
  readonly bytes: number
}

/** Whole lines of one segment, in order. Valid until the next read. */
export interface Chunk {
  readonly lines: Lines
  /** Where to go on once the lines are carried. */
  readonly next: Position
  /** Pieces that are no whole line, left behind by a power cut or a killed process. */
  readonly torn: number
}

/** Reads the log from a position on. A line stays the next one until `advance` is told that it is carried. */
export class SegmentReader {
  private room: Buffer
  private open: { readonly number: number; readonly file: FileHandle } | undefined

  constructor(
    private readonly log: RecordLog,
    private at: Position,
    private readonly limits: Limits,
  ) {
    this.room = Buffer.allocUnsafe(limits.bytes)
  }

  position(): Position {
    return this.at
  }

  /** Null when everything that was written has been carried. */
  async next(): Promise<Chunk | null> {
    for (;;) {
      const end = this.log.position()
      const file = await this.fileAt(this.at.segment)
      const limit = this.at.segment === end.segment ? end.offset : ((await file?.stat())?.size ?? 0)
      if (file && this.at.offset < limit) {
        const chunk = await this.read(file, limit)
        if (chunk) return chunk
      } else if (this.at.segment >= end.segment) return null
      else this.at = { segment: this.following(), offset: 0 }
    }
  }

  advance(next: Position): void {
    this.at = next
  }

  async close(): Promise<void> {
    await this.open?.file.close()
    this.open = undefined
  }

  /** Null when not even one whole line fits: the room has been enlarged. */
  private async read(file: FileHandle, limit: number): Promise<Chunk | null> {
    const { segment, offset } = this.at
    const { bytesRead } = await file.read(this.room, 0, Math.min(this.room.length, limit - offset), offset)
    const bytes = this.room.subarray(0, bytesRead)
    const lines = wholeLines(bytes, this.limits.rows)
    if (lines.ends.length > 0) return this.checked(lines, { segment, offset: offset + lines.bytes.length })
    if (offset + bytesRead >= limit || bytesRead === 0) return { lines, next: { segment, offset: limit }, torn: 1 }
    this.room = Buffer.allocUnsafe(this.room.length * 2)
    return null
  }

  /** What another process wrote may be damaged anywhere: after a power cut blocks of a file can be missing. */
  private checked(lines: Lines, next: Position): Chunk {
    if (next.segment >= this.log.firstOwn) return { lines, next, torn: 0 }
    const whole = linesThat(lines, isRecord)
    return { lines: whole, next, torn: lines.ends.length - whole.ends.length }
  }

  private following(): number {
    const numbers = listSegments(this.log.dir).map((segment) => segment.number)
    return numbers.find((number) => number > this.at.segment) ?? this.log.position().segment
  }

  private async fileAt(number: number): Promise<FileHandle | undefined> {
    if (this.open?.number === number) return this.open.file
    await this.close()
    try {
      const file = await open(segmentPath(this.log.dir, number), 'r')
      this.open = { number, file }
      return file
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  }
}

function isRecord(line: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'))
    return typeof value === 'object' && value !== null && 'id' in value && 'at' in value
  } catch {
    return false
  }
}
