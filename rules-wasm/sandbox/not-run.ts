import type { Ran } from './types.js'

/** What is said of a rule that did not get as far as running. */
export const notRun = (failure: NonNullable<Ran['failure']>): Ran => ({
  answer: null,
  failure,
  fuel: 0,
  ms: 0,
  memoryPages: 0,
  outputBytes: 0,
  log: [],
  dropped: 0,
  counters: {},
  reads: {},
  writes: [],
})
