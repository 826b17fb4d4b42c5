import type { ServerResponse } from 'node:http'

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}
/** Unsent bytes of one stream that stop whoever fills it. */
export const HIGH_WATER = 256 * 1024

/** Milliseconds. */
export interface WriterTiming {
  readonly keepAlive: number
  /** A reader that takes nothing of what waits for it this long is cut off. */
  readonly stalled: number
}

export const WRITER_TIMING: WriterTiming = Object.freeze({ keepAlive: 15_000, stalled: 60_000 })

export interface WriterEvents {
  /** What was full is half empty again. */
  drained(): unknown
  /** The connection has ended, by whomever. */
  closed(): void
}

/** The event-stream answer to one HTTP request: headers are flushed at once, a comment keeps it alive. */
export class EventWriter {
  readonly #res: ServerResponse
  readonly #events: WriterEvents
  #unflushed = 0
  #flushedAt = 0
  #full = false
  #over = false

  constructor(
    res: ServerResponse,
    headers: Readonly<Record<string, string>>,
    timing: WriterTiming,
    events: WriterEvents,
  ) {
    this.#res = res
    this.#events = events
    if (res.destroyed) {
      // Its end was told before anyone listened.
      this.#over = true
      queueMicrotask(events.closed)
      return
    }
    res.writeHead(200, { ...HEADERS, ...headers })
    res.flushHeaders()
    this.write(': open\n\n')
    const timer = setInterval(() => this.#beat(timing.stalled), Math.min(timing.keepAlive, timing.stalled)).unref()
    res.once('close', () => {
      clearInterval(timer)
      this.#over = true
      events.closed()
    })
  }

  get unsent(): number {
    return this.#res.writableLength
  }

  get full(): boolean {
    return this.#full
  }

  write(text: string): void {
    // What comes behind the end must not be written: that would be an error that nobody catches.
    if (this.#over) return
    this.#sent()
    this.#res.write(text, this.#onFlushed)
    if (this.unsent >= HIGH_WATER) this.#full = true
  }

  end(): void {
    if (this.#over) return
    this.#over = true
    // The timer goes on: a reader that stopped reading before the end holds the connection.
    this.#sent()
    this.#res.end(this.#onFlushed)
  }

  #sent(): void {
    if (this.#unflushed === 0) this.#flushedAt = Date.now()
    this.#unflushed += 1
  }

  readonly #onFlushed = (): void => {
    // What was cut off has not been read: its end is told, and not that there is room.
    if (this.#res.destroyed) return
    this.#unflushed -= 1
    this.#flushedAt = Date.now()
    if (!this.#full || this.unsent >= HIGH_WATER / 2) return
    this.#full = false
    this.#events.drained()
  }

  #beat(stalled: number): void {
    if (this.#unflushed === 0) this.write(': keep-alive\n\n')
    else if (Date.now() - this.#flushedAt >= stalled) this.#res.destroy()
  }
}
