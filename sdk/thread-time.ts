import { readFileSync, readlinkSync } from 'node:fs'

/** Milliseconds that a thread has run on a processor until now, and that it was ready to and had none. */
export interface ThreadTime {
  readonly ran: number
  readonly waited: number
}

/** The number of the calling thread in the system, which Linux tells; null elsewhere. */
export function systemThread(): number | null {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || null
  } catch {
    return null
  }
}

/** Of a thread of this process; null where that is not told. */
export function timeOf(thread: number | null): ThreadTime | null {
  if (thread === null) return null
  try {
    const [ran = 0, waited = 0] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ').map(Number)
    return ran > 0 ? { ran: ran / 1e6, waited: waited / 1e6 } : null
  } catch {
    return null
  }
}
