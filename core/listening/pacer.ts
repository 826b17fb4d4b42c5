/** Tells at once, and then at most once in a while: what happens meanwhile is told together, at its end. */
export class Pacer<Kind> {
  readonly #waiting = new Map<Kind, { isDue: boolean; timer: NodeJS.Timeout }>()

  constructor(
    private readonly everyMs: number,
    private readonly tell: (kind: Kind) => void,
  ) {}

  hit(kind: Kind): void {
    const waiting = this.#waiting.get(kind)
    if (waiting !== undefined) {
      waiting.isDue = true
      return
    }
    this.#wait(kind)
    this.tell(kind)
  }

  /** What is due is not told any more. */
  stop(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
  }

  #wait(kind: Kind): void {
    const timer = setTimeout(() => {
      const isDue = this.#waiting.get(kind)?.isDue ?? false
      this.#waiting.delete(kind)
      if (isDue) this.hit(kind)
    }, this.everyMs)
    this.#waiting.set(kind, { isDue: false, timer: timer.unref() })
  }
}
