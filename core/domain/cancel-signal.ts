/** What is read of an `AbortSignal`: a real one, which costs a hundred times more, is made only for whoever needs it. */
export interface CancelSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}
