export interface KeptEvent {
  readonly seq: number
  /** As it goes on the wire. */
  readonly text: string
  /** Not to be let go of before everything that is not. */
  readonly must: boolean
}

export interface RingLimits {
  readonly events: number
  readonly bytes: number
}

const LIMITS: RingLimits = Object.freeze({ events: 256, bytes: 1024 * 1024 })

/**
 * The last events of one stream, for a reader that lost its connection. Past the limits the oldest notes go first, then the
 * oldest of the rest; the last one stays, however large: it may be the answer.
 */
export class EventRing {
  readonly #name: string
  readonly #limits: RingLimits
  readonly #onBytes: (delta: number) => void
  #events: KeptEvent[] = []
  #seq = 0
  #bytes = 0

  /** `onBytes` is told how much more, or less, is kept. */
  constructor(name: string, onBytes: (delta: number) => void = () => undefined, limits = LIMITS) {
    this.#name = name
    this.#onBytes = onBytes
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The sequence number of the newest event; 0 before the first. */
  get last(): number {
    return this.#seq
  }

  idOf(seq: number): string {
    return `${this.#name}.${seq}`
  }

  /** Numbers a message and keeps it; gives back how it goes on the wire. */
  push(data: string, must: boolean): string {
    const seq = (this.#seq += 1)
    const text = `id: ${this.idOf(seq)}\nevent: message\ndata: ${data}\n\n`
    this.#events.push({ seq, text, must })
    this.#count(text.length)
    while (this.#events.length > this.#limits.events || this.#bytes > this.#limits.bytes) {
      if (this.#events.length === 1) break
      this.#remove(this.#oldestToGo())
    }
    return text
  }

  /** What came behind this number, as far as it is kept. */
  since(seq: number): readonly string[] {
    return this.#events.filter((event) => event.seq > seq).map(({ text }) => text)
  }

  clear(): void {
    this.#events = []
    this.#count(-this.#bytes)
  }

  #oldestToGo(): number {
    return Math.max(
      0,
      this.#events.findIndex(({ must }) => !must),
    )
  }

  #remove(at: number): void {
    const [gone] = this.#events.splice(at, 1)
    this.#count(-(gone?.text.length ?? 0))
  }

  #count(delta: number): void {
    this.#bytes += delta
    this.#onBytes(delta)
  }
}
