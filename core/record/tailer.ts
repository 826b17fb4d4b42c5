import { setImmediate as turn } from 'node:timers/promises'
import type { Alert, PluginLog } from '@gatehouse/sdk'
import { Bell } from './bell.js'
import { carry, sqlState } from './carry.js'
import type { Database } from './carry.js'
import type { RecordLog } from './log.js'
import { SegmentReader } from './segment-reader.js'
import { readCarried, writeCarried } from './segments.js'
import type { Position } from './segments.js'

export interface TailerOptions {
  readonly log: RecordLog
  readonly database: Database
  readonly alert: (alert: Alert) => void
  readonly logger: Pick<PluginLog, 'info' | 'warn' | 'error'>
  /** A batch is at most this large; a single longer line is a batch of its own. */
  readonly batch?: { readonly rows: number; readonly bytes: number }
  /** How long a record may wait for company. */
  readonly gatherMs?: number
  /** First and longest pause while the database is away. */
  readonly pauseMs?: readonly [number, number]
}

export interface TailerStatus {
  /** Bytes that wait in the log. */
  readonly waiting: number
  readonly carriedAt: number | null
  readonly failing: { readonly since: number; readonly error: string } | null
  readonly deadLetters: number
  readonly torn: number
}

export interface Tailer {
  start(): void
  /** Resolves when everything appended before the call is in the database. */
  flush(): Promise<void>
  status(): TailerStatus
  /** Carries what is left, for at most so long; the rest stays in the log for the next start. */
  stop(deadlineMs?: number): Promise<void>
}

/** Carries the log to the database, for ever and in order. Nothing is lost while the database is away. */
export function createTailer(options: TailerOptions): Tailer {
  return new LogTailer(options)
}

class LogTailer implements Tailer {
  private readonly bell = new Bell()
  private readonly reader: SegmentReader
  private readonly limits: { readonly rows: number; readonly bytes: number }
  private readonly waiters: { readonly position: Position; readonly done: () => void }[] = []
  private running: Promise<void> | undefined
  private idle = false
  private stopping = false
  private savedAt = 0
  private saved: Position | null
  private carriedAt: number | null = null
  private failing: { since: number; error: string; pause: number } | null = null
  private deadLetters = 0
  private torn = 0

  constructor(private readonly options: TailerOptions) {
    const { log } = options
    this.limits = options.batch ?? { rows: 500, bytes: 1024 * 1024 }
    this.saved = readCarried(log.dir)
    this.reader = new SegmentReader(log, this.saved ?? { segment: 0, offset: 0 }, this.limits)
  }

  start(): void {
    this.options.log.release(this.saved?.segment ?? 0)
    this.options.log.onWrite(() => {
      if (this.idle || this.behind() >= this.limits.bytes) this.bell.ring()
    })
    this.running ??= this.run()
  }

  async flush(): Promise<void> {
    await turn()
    const position = this.options.log.position()
    if (!isBefore(this.reader.position(), position)) return
    await new Promise<void>((done) => {
      this.waiters.push({ position, done })
      this.bell.ring()
    })
  }

  status(): TailerStatus {
    const { failing } = this
    return {
      waiting: Math.max(0, this.options.log.held() - this.reader.position().offset),
      carriedAt: this.carriedAt,
      failing: failing && { since: failing.since, error: failing.error },
      deadLetters: this.deadLetters,
      torn: this.torn,
    }
  }

  async stop(deadlineMs = 5_000): Promise<void> {
    const timer = setTimeout(() => this.end(), deadlineMs)
    if (this.running && !this.failing) void this.flush().then(() => this.end())
    else this.end()
    await this.running
    clearTimeout(timer)
    this.save()
    await this.reader.close()
  }

  private end(): void {
    this.stopping = true
    this.bell.ring()
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.step()
      } catch (error) {
        await this.pause(error)
      }
    }
  }

  private async step(): Promise<void> {
    const chunk = await this.reader.next()
    if (!chunk) return this.gather()
    const { poisoned } = await carry(this.options.database, chunk.lines)
    this.reader.advance(chunk.next)
    this.recovered()
    if (poisoned.length > 0) this.tellPoison(poisoned)
    if (chunk.torn > 0) this.tellTorn(chunk.torn)
    if (chunk.next.segment !== this.saved?.segment || Date.now() - this.savedAt > 1_000) this.save()
    this.settle()
  }

  /** Sleeps until something is written, then lets it have company for a moment. */
  private async gather(): Promise<void> {
    this.settle()
    if (this.behind() > 0) return
    this.idle = true
    await this.bell.wait(Infinity)
    this.idle = false
    if (this.behind() < this.limits.bytes && this.waiters.length === 0 && !this.stopping)
      await this.bell.wait(this.options.gatherMs ?? 200)
  }

  private async pause(error: unknown): Promise<void> {
    const [first, longest] = this.options.pauseMs ?? [200, 5_000]
    const text = sqlState(error) || (error instanceof Error ? error.message : 'unknown')
    if (!this.failing) this.options.logger.error({ error: text }, 'the record cannot be carried to the database')
    const pause = this.failing ? Math.min(this.failing.pause * 2, longest) : first
    this.failing = { since: this.failing?.since ?? Date.now(), error: text, pause }
    const until = Date.now() + pause
    while (!this.stopping && Date.now() < until) await this.bell.wait(until - Date.now())
  }

  private recovered(): void {
    this.carriedAt = Date.now()
    if (!this.failing) return
    this.options.logger.info({ afterMs: Date.now() - this.failing.since }, 'the record is carried again')
    this.failing = null
  }

  /** Harmless when it fails: rows that are carried twice stay one. */
  private save(): void {
    const position = this.reader.position()
    try {
      writeCarried(this.options.log.dir, position)
      this.savedAt = Date.now()
    } catch (error) {
      this.options.logger.warn({ error: sqlState(error) }, 'the position of the record cannot be kept')
    }
    this.saved = position
    this.options.log.release(position.segment)
  }

  private settle(): void {
    const at = this.reader.position()
    for (const waiter of this.waiters.splice(0)) {
      if (isBefore(at, waiter.position)) this.waiters.push(waiter)
      else waiter.done()
    }
  }

  private tellPoison(states: readonly string[]): void {
    this.deadLetters += states.length
    this.options.logger.error({ count: states.length, states }, 'records were refused and lie in the dead letters')
    this.options.alert({
      type: 'audit_overflow',
      severity: 'error',
      key: 'record-dead-letters',
      message: `The database refused ${states.length} records; they are kept as dead letters.`,
      context: { count: states.length, state: states[0] ?? '' },
    })
  }

  private tellTorn(count: number): void {
    this.torn += count
    this.options.logger.warn({ count }, 'the log holds torn lines, as a killed process or a power cut leaves them')
  }

  private behind(): number {
    const end = this.options.log.position()
    const at = this.reader.position()
    return at.segment === end.segment ? end.offset - at.offset : Infinity
  }
}

function isBefore(one: Position, other: Position): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset)
}
