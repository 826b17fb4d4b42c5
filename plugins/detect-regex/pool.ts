import { createWorkerPool } from '@gatehouse/sdk/workers'
import type { WorkerPool } from '@gatehouse/sdk/workers'
import type { Hits } from './scan.js'
import type { Job } from './worker.js'

/** Where patterns run that cannot be trusted with the time they take. */
export type Pool = WorkerPool<Job, Hits>

export const createPool = (size: number): Pool =>
  createWorkerPool({ script: new URL('./worker.js', import.meta.url), size })
