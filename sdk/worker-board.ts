/**
 * How a thread says where it is while it is too busy to send anything: one word of shared memory, the step of its task and since when,
 * so that neither can be read without the other.
 */
export interface Place {
  /** Null before the first step, and when the task is done. */
  readonly step: number | null
  /** Milliseconds that it has been there; without a step those since the task was given. */
  readonly ms: number
}

export const BOARD_BYTES = 8
const STEP_BITS = 16n
const STEPS = (1n << STEP_BITS) - 1n

/** The same clock in all threads of a process. */
const microseconds = () => process.hrtime.bigint() / 1_000n

/** In the thread: `null` wipes it. */
export function writeStep(board: BigInt64Array, step: number | null): void {
  Atomics.store(board, 0, step === null ? 0n : (microseconds() << STEP_BITS) | ((BigInt(step) + 1n) & STEPS))
}

/** Outside of it. */
export function readPlace(board: BigInt64Array, givenAt: number): Place {
  const word = Atomics.load(board, 0)
  if (word === 0n) return { step: null, ms: performance.now() - givenAt }
  return { step: Number(word & STEPS) - 1, ms: Number(microseconds() - (word >> STEP_BITS)) / 1_000 }
}
