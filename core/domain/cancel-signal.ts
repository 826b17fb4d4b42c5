/** What is read of an `AbortSignal`: a real one, which costs a hundred times more, is made only for whoever needs it. */
export interface CancelSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** A signal that somebody holds the other end of. */
export class Cancel implements CancelSignal {
  aborted = false
  #listeners: (() => void)[] = []

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at >= 0) this.#listeners.splice(at, 1)
  }

  /** Each listener hears it once, whatever it does then. */
  tell(): void {
    this.aborted = true
    for (const listener of this.#listeners.splice(0)) listener()
  }
}
