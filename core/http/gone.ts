import type { Gone } from '../call.js'

/**
 * Tells a call that nobody waits for it any more: its client has gone, or has taken it back. Listeners are few: one for a
 * call, one for a hook that asks.
 */
export class CallGone implements Gone {
  aborted = false
  #listeners: (() => void)[] = []
  #controller: AbortController | undefined

  readonly signal = (): AbortSignal => {
    this.#controller ??= new AbortController()
    if (this.aborted) this.#controller.abort(GONE)
    return this.#controller.signal
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at >= 0) this.#listeners.splice(at, 1)
  }

  /** The end of one of several that came together: told alone, and with all of them. */
  branch(): CallGone {
    const one = new CallGone()
    if (this.aborted) one.aborted = true
    this.addEventListener('abort', () => one.tell())
    return one
  }

  tell(): void {
    this.aborted = true
    this.#controller?.abort(GONE)
    for (const listener of this.#listeners.splice(0)) listener()
  }
}

const GONE = new Error('the client has gone')
