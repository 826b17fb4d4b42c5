import { platform, setPriority } from 'node:os'

/** Of `nice`: how much less than the thread of the calls. */
const LOWER = 5

/**
 * Lets the calling thread stand back when processors are short. Only on Linux, where the priority is a thread's own and not the whole
 * process's. It cannot be raised again.
 */
export function lowerPriority(): void {
  if (platform() !== 'linux') return
  try {
    setPriority(LOWER)
  } catch {
    // Then it is as important as all others.
  }
}
