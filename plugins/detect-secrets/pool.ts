import { createWorkerPool } from '@gatehouse/sdk/workers'
import type { WorkerPool } from '@gatehouse/sdk/workers'
import type { Found, Job } from './worker.js'

/** Where texts are searched that would hold up the calls. */
export type Pool = WorkerPool<Job, Found>

export const createPool = (size: number): Pool =>
  createWorkerPool({ script: new URL('./worker.js', import.meta.url), size })
