import { setTimeout as pause } from 'node:timers/promises'

/** Works in short strokes and rests after each, so that of one core no more than a share is used. */
export interface Throttle {
  /** Rests when the stroke is over; to be awaited between two pieces of work. Throws when it is aborted meanwhile. */
  rest(signal: AbortSignal): Promise<void>
}

const STROKE_MS = 20

/** `share` is between 0 and 1. What was waited for the database counts as work: it has a share to keep, too. */
export function createThrottle(share: number, clock: () => number = () => performance.now()): Throttle {
  let since = clock()
  return {
    async rest(signal) {
      const worked = clock() - since
      if (worked < STROKE_MS) return
      await pause((worked * (1 - share)) / share, undefined, { signal })
      since = clock()
    },
  }
}
