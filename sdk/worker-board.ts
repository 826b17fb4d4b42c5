/**
 * How a thread says where it is while it is too busy to send anything: one word of shared memory, the task, its step and since when, so
 * that none can be read without the others.
 */
export interface Place {
  /** Null before the first step, and when the task is done. */
  readonly step: number | null
  /** Milliseconds that it has been there; without a step those since the task was given. */
  readonly ms: number
}

export const BOARD_BYTES = 8

const STEP_BITS = 16n
const TASK_BITS = 8n
const maskOf = (bits: bigint) => (1n << bits) - 1n
const STEPS = maskOf(STEP_BITS)
const TASKS = maskOf(TASK_BITS)
const TIMES = maskOf(64n - STEP_BITS - TASK_BITS)

/** The same clock in all threads of a process; in the word it begins anew after twelve days. */
const microseconds = () => process.hrtime.bigint() / 1_000n

/** In the thread: `null` wipes it. */
export function writeStep(board: BigInt64Array, id: number, step: number | null): void {
  Atomics.store(board, 0, step === null ? 0n : wordOf(BigInt(id), BigInt(step)))
}

/** Never 0. */
function wordOf(id: bigint, step: bigint): bigint {
  const word = (((microseconds() << TASK_BITS) | (id & TASKS)) << STEP_BITS) | ((step + 1n) & STEPS)
  return BigInt.asIntN(64, word)
}

/** Outside of it: where it is with a task; null while it is at another one. */
export function readPlace(board: BigInt64Array, id: number, givenAt: number): Place | null {
  const word = Atomics.load(board, 0)
  if (word === 0n) return { step: null, ms: performance.now() - givenAt }
  if (((word >> STEP_BITS) & TASKS) !== (BigInt(id) & TASKS)) return null
  const since = (microseconds() - (word >> (STEP_BITS + TASK_BITS))) & TIMES
  return { step: Number(word & STEPS) - 1, ms: Number(since) / 1_000 }
}
