import { readFileSync, readlinkSync } from 'node:fs'

/** In a thread: its number in the system, which Linux tells; null elsewhere. */
export function systemThread(): number | null {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || null
  } catch {
    return null
  }
}

/** Milliseconds that a thread of this process has run on a processor until now; null where that is not told. */
export function timeRun(thread: number | null): number | null {
  if (thread === null) return null
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'utf8').split(' ')
    return Number(nanoseconds) / 1e6 || null
  } catch {
    return null
  }
}
