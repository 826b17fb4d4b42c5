/**
 * One question to the database for all who ask at once. A question that is under way may have been read before the
 * caller's change: such a caller waits for the next one.
 */
export interface Asking<T> {
  (): Promise<T>
  /** Whether a question is under way. */
  readonly busy: () => boolean
}

export function asking<T>(question: () => Promise<T>): Asking<T> {
  let running: Promise<T> | undefined
  let next: Promise<T> | undefined
  const ask = (): Promise<T> => {
    if (running === undefined) return (running = question().finally(() => (running = undefined)))
    return (next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return ask()
      }))
  }
  return Object.assign(ask, { busy: () => running !== undefined })
}
