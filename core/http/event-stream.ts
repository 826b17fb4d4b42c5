import type { ServerResponse } from 'node:http'
import type { JsonObject } from '@gatehouse/sdk'
import type { Flow } from '../domain/flow.js'
import { writeJson } from '../mcp/json.js'
import type { Line } from './asked.js'
import type { EventRing } from './event-ring.js'
import { EventWriter, WRITER_TIMING, type WriterTiming } from './event-writer.js'
import { slotOf } from './note-slots.js'

export interface StreamOptions {
  readonly timing?: WriterTiming
  /** Keeps the events, which get ids then: the stream outlives its reader. */
  readonly ring?: EventRing
  /** Told when the stream is lost before it ended: its reader has gone for good. */
  readonly onLost?: () => void
  /** Told at the end how many notes a slow reader has missed, if any. */
  readonly onDropped?: (notes: number) => void
}

/** Unsent bytes past which nothing is written but what must be. */
const HARD_LIMIT = 1024 * 1024
const MOST_HELD = 256
const RETRY = 'retry: 1000\n'

/**
 * Messages on their way to one client. A slow reader makes it full: then of the notes that say how things stand the newest
 * are held, others are dropped; questions and answers never are. One that keeps its events waits without a reader, too.
 */
export class EventStream implements Flow, Line {
  readonly #options: StreamOptions
  readonly #held = new Map<string, JsonObject>()
  readonly #onClosed = new Set<() => void>()
  #waiters: (() => void)[] = []
  #writer: EventWriter | null = null
  #ring: EventRing | undefined
  #leftAt: number | null = Date.now()
  #lost = false
  #dropped = 0
  #closed = false

  constructor(options: StreamOptions = {}) {
    this.#options = options
    this.#ring = options.ring
  }

  /** Nothing more comes: it has ended, or was lost. */
  get closed(): boolean {
    return this.#closed
  }

  /** Nobody can come back to it. */
  get lost(): boolean {
    return this.#lost
  }

  /** Since when nobody reads it; null while somebody does. */
  get leftAt(): number | null {
    return this.#leftAt
  }

  get full(): boolean {
    return this.#writer?.full ?? false
  }

  drained(): Promise<void> {
    return this.full ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve()
  }

  /**
   * Makes this answer its reader, in the place of the one before; `after` is the last event that it has seen, `first` an event
   * that comes before all others.
   */
  attach(
    res: ServerResponse,
    { headers = {}, after, first }: { headers?: Record<string, string>; after?: number; first?: string } = {},
  ): void {
    const { timing = WRITER_TIMING } = this.#options
    const ring = this.#ring
    const before = this.#writer
    const writer = new EventWriter(res, headers, timing, {
      drained: () => writer === this.#writer && this.#flush(),
      closed: () => this.#left(writer),
    })
    this.#writer = writer
    this.#leftAt = null
    before?.end()
    this.#release()
    if (first !== undefined) writer.write(first)
    if (ring !== undefined && after === undefined) writer.write(`${RETRY}id: ${ring.idOf(ring.last)}\ndata: \n\n`)
    else if (ring !== undefined) for (const text of ring.since(after as number)) writer.write(text)
    if (this.#closed) writer.end()
  }

  note(message: JsonObject): void {
    if (this.#closed) return
    if (!this.full) return this.#write(writeJson(message), false)
    const slot = slotOf(message)
    const isHeld = slot.kind === 'newest' && (this.#held.has(slot.name) || this.#held.size < MOST_HELD)
    if (isHeld) this.#held.set(slot.name, message)
    else if (slot.kind === 'keep' && (this.#writer?.unsent ?? 0) < HARD_LIMIT) this.#write(writeJson(message), false)
    else this.#dropped += 1
  }

  must(message: JsonObject): void {
    if (!this.#closed) this.#write(writeJson(message), true)
  }

  /** The answer of one call, on a stream that goes on; behind the notes that came before it. */
  answer(text: string): void {
    if (this.#closed) return
    this.#flush()
    this.#write(text, true)
  }

  end(text?: string): void {
    if (this.#closed) return
    if (text === undefined) this.#flush()
    else this.answer(text)
    this.#close()
    this.#writer?.end()
  }

  /** Lets its reader go, to come back for the rest: only where the rest is kept. */
  interrupt(): void {
    const writer = this.#writer
    if (this.#ring === undefined || writer === null || this.#closed) return
    this.#flush()
    this.#writer = null
    this.#leftAt = Date.now()
    writer.end()
  }

  /** Ends it, whatever might have come, and forgets its events. */
  drop(): void {
    const wasClosed = this.#closed
    this.#lost = true
    this.end()
    this.#ring?.clear()
    if (!wasClosed) this.#options.onLost?.()
  }

  /** Nobody may come back to it: it ends with its reader, at once when it has none. */
  abandon(): void {
    this.#ring?.clear()
    this.#ring = undefined
    if (this.#writer === null) this.drop()
  }

  onClosed(listener: () => void): () => void {
    if (this.#closed) listener()
    else this.#onClosed.add(listener)
    return () => this.#onClosed.delete(listener)
  }

  #write(data: string, must: boolean): void {
    const text = this.#ring?.push(data, must) ?? `event: message\ndata: ${data}\n\n`
    this.#writer?.write(text)
  }

  #flush(): void {
    const held = [...this.#held.values()]
    this.#held.clear()
    for (const message of held) this.#write(writeJson(message), false)
    if (!this.full) this.#release()
  }

  #release(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  #left(writer: EventWriter): void {
    if (writer !== this.#writer) return
    this.#writer = null
    this.#leftAt = Date.now()
    if (this.#ring === undefined) this.drop()
    else this.#flush()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#release()
    for (const listener of [...this.#onClosed]) listener()
    this.#onClosed.clear()
    if (this.#dropped > 0) this.#options.onDropped?.(this.#dropped)
  }
}
