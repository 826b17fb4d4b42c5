import type { ServerResponse } from 'node:http'
import type { Gone } from '../call.js'

/** Tells when the client closes before it was answered. Listeners are few: one for a call, one for a hook that asks. */
export function watchGone(res: ServerResponse): Gone {
  return new ClientGone(res)
}

class ClientGone implements Gone {
  aborted = false
  #listeners: (() => void)[] = []
  #controller: AbortController | undefined

  constructor(res: ServerResponse) {
    res.once('close', () => {
      if (!res.writableFinished) this.#tell()
    })
    if (res.destroyed) this.aborted = true
  }

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

  #tell(): void {
    this.aborted = true
    this.#controller?.abort(GONE)
    for (const listener of this.#listeners.splice(0)) listener()
  }
}

const GONE = new Error('the client has gone')
