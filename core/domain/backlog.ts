import type { Flow } from './flow.js'

/** Past this many it is full; whoever cannot be held up is refused past ten times as many. */
const MOST = 1_000

/** Things that wait for their turn on the way to a reader: full when either has too much before it. */
export class Backlog implements Flow {
  readonly #reader: Flow | null
  #waiting = 0
  #wakes: (() => void)[] = []

  constructor(reader: Flow | null) {
    this.#reader = reader
  }

  get full(): boolean {
    return this.#waiting >= MOST || (this.#reader?.full ?? false)
  }

  /** False when there is no room left for one more. */
  enter(): boolean {
    if (this.#waiting >= MOST * 10) return false
    this.#waiting += 1
    return true
  }

  leave(): void {
    this.#waiting -= 1
    if (this.#waiting < MOST) for (const wake of this.#wakes.splice(0)) wake()
  }

  async drained(): Promise<void> {
    while (this.full) {
      if (this.#waiting >= MOST) await new Promise<void>((resolve) => this.#wakes.push(resolve))
      else await this.#reader?.drained()
    }
  }
}
