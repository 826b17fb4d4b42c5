import { createWorkerPool } from '@gatehouse/sdk/workers'
import type { WorkerPool } from '@gatehouse/sdk/workers'
import type { Hits, Job } from './worker.js'

/** Where names are looked for, and whatever would hold up the calls for long. */
export type Pool = WorkerPool<Job, Hits>

export const createPool = (size: number): Pool =>
  createWorkerPool({ script: new URL('./worker.js', import.meta.url), size })
