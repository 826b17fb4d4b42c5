import { mkdirSync, unlinkSync } from 'node:fs'
import type { MessageRecord } from '../domain/record.js'
import { storable } from '../domain/storable.js'
import { GatehouseError } from '../errors.js'
import { lockFolder } from './folder-lock.js'
import { gapRecord } from './gap.js'
import type { Overflow } from './gap.js'
import { lineOf } from './line.js'
import { SegmentWriter } from './segment-writer.js'
import type { Disk } from './segment-writer.js'
import { listSegments, readCarried, segmentPath } from './segments.js'
import type { Position, Segment } from './segments.js'
import type { Recorder } from './types.js'

const MiB = 1024 * 1024
const overflowEveryMs = 10_000

export interface RecorderOptions {
  readonly dir: string
  /** Asked at every write, so that the setting may change while it runs. */
  readonly mode: () => 'fast' | 'strict'
  /** Most bytes that wait for the database; 4 GiB unless told. */
  readonly maxBytes?: number
  readonly segmentBytes?: number
  /** Called when the first record of a gap is lost or refused, and every 10 s while that goes on. Must not throw. */
  readonly onOverflow: (facts: Overflow) => void
  readonly clock?: () => number
  /** For tests: the two calls that a disk can refuse. */
  readonly disk?: Partial<Disk>
}

/** The write-ahead log as the tailer sees it: appended at one end, carried to the database and deleted at the other. */
export interface RecordLog extends Recorder {
  readonly dir: string
  /** Number of the first segment that this process wrote: what lies before may end in a torn line. */
  readonly firstOwn: number
  /** The end of what was written. */
  position(): Position
  /** Bytes that lie in the folder. */
  held(): number
  /** Messages lost and refused since the start. */
  missing(): { readonly lost: number; readonly refused: number }
  /** The segments before this one are in the database: they are deleted. */
  release(before: number): void
  /** One listener, called after every write. */
  onWrite(listener: () => void): void
  /** Writes what was appended and frees the folder. What is appended later is refused. */
  stop(): Promise<void>
}

/** Takes the folder (GH_RECORD_HELD when another process has it) and begins a new segment in it. */
export async function createRecorder(options: RecorderOptions): Promise<RecordLog> {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  const unlock = await lockFolder(options.dir)
  try {
    return new WriteAheadLog(options, unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

interface Batch {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

class WriteAheadLog implements RecordLog {
  readonly dir: string
  readonly firstOwn: number
  private readonly writer: SegmentWriter
  private readonly older: Segment[]
  private readonly clock: () => number
  private readonly maxBytes: number
  private buffer = Buffer.allocUnsafe(MiB)
  private used = 0
  private count = 0
  private batch: Batch | undefined
  private toSync: Batch[] = []
  private syncing: Promise<void> | undefined
  private overflow: Overflow | undefined
  private toldAt = 0
  private readonly total = { lost: 0, refused: 0 }
  private listener: () => void = () => undefined
  private stopped = false

  constructor(
    private readonly options: RecorderOptions,
    private readonly unlock: () => Promise<void>,
  ) {
    this.dir = options.dir
    this.clock = options.clock ?? Date.now
    this.maxBytes = options.maxBytes ?? 4096 * MiB
    this.older = listSegments(options.dir)
    this.firstOwn = Math.max(this.older.at(-1)?.number ?? 0, readCarried(options.dir)?.segment ?? 0) + 1
    this.writer = new SegmentWriter(options.dir, this.firstOwn, options.segmentBytes ?? 64 * MiB, options.disk)
  }

  append(record: MessageRecord): Promise<void> {
    if (this.stopped) return Promise.reject(new GatehouseError('GH_RECORD_FULL', { detail: 'the log is closed' }))
    this.put(record)
    this.count += 1
    if (!this.batch) {
      this.batch = openBatch()
      setImmediate(() => this.flush())
    }
    return this.batch.promise
  }

  position(): Position {
    return this.writer.position()
  }

  held(): number {
    const own = this.older.reduce((sum, segment) => sum + segment.bytes, 0)
    return own + this.writer.position().offset
  }

  missing(): { readonly lost: number; readonly refused: number } {
    return { ...this.total }
  }

  release(before: number): void {
    while (this.older[0] && this.older[0].number < before) {
      unlinkSync(segmentPath(this.dir, this.older[0].number))
      this.older.shift()
    }
  }

  onWrite(listener: () => void): void {
    this.listener = listener
  }

  async stop(): Promise<void> {
    if (this.stopped) return
    this.stopped = true
    this.flush()
    await this.syncing
    await this.writer.close()
    await this.unlock()
  }

  private put(record: MessageRecord): void {
    const line = storable(lineOf(record))
    this.reserve(line.length * 3 + 1)
    this.used += this.buffer.write(line, this.used)
    this.buffer[this.used++] = 10
  }

  /** Room for the worst case of UTF-8, so that no line is measured before it is written. */
  private reserve(bytes: number): void {
    if (this.used + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.used + bytes))
    this.buffer.copy(larger, 0, 0, this.used)
    this.buffer = larger
  }

  /** All that one turn of the event loop appended, in one write. */
  private flush(): void {
    const { batch, count, used } = this
    if (!batch) return
    this.batch = undefined
    this.count = 0
    this.used = 0
    const strict = this.options.mode() === 'strict'
    const failure = this.write(used)
    if (failure) this.miss(batch, { count, strict, ...failure })
    else if (strict) this.sync(batch)
    else batch.resolve()
    if (this.buffer.length > 4 * MiB) this.buffer = Buffer.allocUnsafe(MiB)
    this.listener()
  }

  private write(used: number): Failure | undefined {
    if (this.held() + used > this.maxBytes) return { reason: 'bound', cause: undefined }
    try {
      if (this.overflow) this.appendWithGap(this.overflow, used)
      else this.appendBytes(this.buffer, used)
      return undefined
    } catch (cause) {
      return { reason: 'disk', cause }
    }
  }

  private appendWithGap(overflow: Overflow, used: number): void {
    const bytes = this.buffer.subarray(0, used)
    const marker = `${JSON.stringify(gapRecord(overflow, this.clock()))}\n`
    const both = overflow.lost > 0 ? Buffer.concat([Buffer.from(marker), bytes]) : bytes
    this.appendBytes(both, both.length)
    this.overflow = undefined
  }

  private appendBytes(bytes: Buffer, length: number): void {
    const before = this.writer.position()
    try {
      this.writer.append(bytes, length)
    } finally {
      const { segment } = this.writer.position()
      if (segment !== before.segment) this.older.push({ number: before.segment, bytes: before.offset })
    }
  }

  private miss(batch: Batch, { count, strict, reason, cause }: Failure & { count: number; strict: boolean }): void {
    const now = this.clock()
    const former = this.overflow ?? { lost: 0, refused: 0, since: now }
    const due = this.overflow === undefined || now - this.toldAt >= overflowEveryMs
    const lost = strict ? 0 : count
    const refused = strict ? count : 0
    this.overflow = { lost: former.lost + lost, refused: former.refused + refused, since: former.since, reason }
    this.total.lost += lost
    this.total.refused += refused
    if (due) {
      this.toldAt = now
      this.options.onOverflow(this.overflow)
    }
    if (strict) batch.reject(new GatehouseError('GH_RECORD_FULL', { detail: `record: ${reason}`, cause }))
    else batch.resolve()
  }

  private sync(batch: Batch): void {
    this.toSync.push(batch)
    this.syncing ??= this.syncAll().finally(() => (this.syncing = undefined))
  }

  /** One sync answers for every batch that was written before it began; a failure for all that waited in the same file. */
  private async syncAll(): Promise<void> {
    while (this.toSync.length > 0) {
      const batches = this.toSync
      this.toSync = []
      try {
        await this.writer.sync()
        for (const batch of batches) batch.resolve()
      } catch (cause) {
        const error = new GatehouseError('GH_RECORD_FULL', { detail: 'record: the disk did not sync', cause })
        for (const batch of [...batches, ...this.toSync.splice(0)]) batch.reject(error)
      }
    }
  }
}

interface Failure {
  readonly reason: Overflow['reason']
  readonly cause: unknown
}

function openBatch(): Batch {
  let resolve: () => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<void>((done, fail) => {
    resolve = done
    reject = fail
  })
  return { promise, resolve, reject }
}
