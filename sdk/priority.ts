import { getPriority, platform, setPriority } from 'node:os'

/**
 * Of `nice`: how much less than whoever began the thread. With 10 it has a tenth of the weight: enough that it does not delay that one, and
 * still, while all processors are busy, it gets through in two to three times the time. With 19 that would be thirty times.
 */
const LOWER = 10
const LOWEST = 19

/**
 * Lets the calling thread stand back when processors are short. Only on Linux, where the priority is a thread's own and not the whole
 * process's. It cannot be raised again.
 */
export function lowerPriority(): void {
  if (platform() !== 'linux') return
  try {
    setPriority(Math.min(LOWEST, getPriority() + LOWER))
  } catch {
    // Then it is as important as all others.
  }
}
