import { Worker } from 'node:worker_threads'
import type { ResourceLimits, Transferable } from 'node:worker_threads'
import { BOARD_BYTES, readPlace } from './worker-board.js'
import type { Place } from './worker-board.js'
import type { Said, Told } from './worker-thread.js'

export type { Place } from './worker-board.js'
export { serveDuties, serveTasks } from './worker-thread.js'
export type { Duties } from './worker-thread.js'

/** Threads for work that cannot be trusted with the time it takes: one that is late is ended, and another one begins. */
export interface WorkerPool<Task, Answer> {
  /** Rejects with a `TaskFailure` when it takes longer than it may, fails, or cannot be begun for too long. What `transfer` names is handed over. */
  run(task: Task, limit: number | TaskLimit, transfer?: readonly Transferable[]): Promise<Answer>
  /** Starts its threads ahead of the first task. */
  warm(): void
  stop(): Promise<void>
}

/** What its threads are to hold, each holds before it gets its first task, whenever it begins. */
export interface HoldingPool<Task, Answer, Held> extends WorkerPool<Task, Answer> {
  /** Resolves when all threads hold it. Rejects when one cannot: then none does. */
  hold(key: number, held: Held): Promise<void>
  drop(key: number): void
}

/** Of a task that says at which step it is: how long it may still stay at a place, looked at so often at least. */
export interface TaskLimit {
  readonly left: (place: Place) => number
  readonly lookMs: number
  /**
   * Asked whenever it might be begun: whether its thread is likely to be ended for it. One such task at a time, and only while no thread
   * is missing: the others never wait for a thread that is begun in the place of one that it has cost.
   */
  readonly isRisky?: () => boolean
}

export interface WorkerPoolOptions {
  /** The module that runs in the thread; it calls `serveTasks` or `serveDuties`. */
  readonly script: URL
  /** Most tasks at a time. */
  readonly size: number
  /** So many threads more stand ready: one of them takes over at once when another is ended. None unless told. */
  readonly spares?: number
  readonly resources?: ResourceLimits
  /** How long a task waits for its turn, and how many do. */
  readonly longestWaitMs?: number
  readonly mostWaiting?: number
  /** How long a thread may take to hold one thing. */
  readonly holdMs?: number
}

/** Why a task has no answer. */
export class TaskFailure extends Error {
  /**
   * - `busy`: it was never begun.
   * - `late`: its thread was ended for it, at `step`.
   * - `lost`: its thread ended by itself, at `step`.
   * - `failed`: the thread said so.
   * - `stopped`: the pool stops.
   */
  readonly kind: 'busy' | 'late' | 'lost' | 'failed' | 'stopped'
  readonly step: number | null

  constructor(kind: TaskFailure['kind'], message: string, step: number | null = null) {
    super(message)
    this.kind = kind
    this.step = step
  }
}

/** What a thread works on: a task, or something to hold. */
interface Job<Answer> {
  readonly told: Told<unknown, unknown>
  readonly limit: TaskLimit
  /** What is said when there is no time left. */
  readonly late: string
  readonly transfer: readonly Transferable[]
  timer?: NodeJS.Timeout
  begun: number
  isRisky?: boolean
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: TaskFailure) => void
}
interface Thread<Answer> {
  readonly worker: Worker
  readonly board: BigInt64Array
  isReady: boolean
  job: Job<Answer> | null
  /** What it is still to hold before it gets tasks. */
  readonly owed: Job<Answer>[]
}

/** Of the gateway's own a thread gets nothing. What Node has to say of what it loads, its users can do nothing about. */
const ENVIRONMENT = { NODE_NO_WARNINGS: '1' }
const RESOURCES: ResourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 }
/** Before a thread is begun in place of one that never got ready. */
const PAUSE_MS = 1_000
const MOST_BLAME = 3

export function createWorkerPool<Task, Answer, Held = never>(
  options: WorkerPoolOptions,
): HoldingPool<Task, Answer, Held> {
  const { script, size, spares = 0, resources = RESOURCES } = options
  const { longestWaitMs = 5_000, mostWaiting = 256, holdMs = 5_000 } = options
  const threads = new Set<Thread<Answer>>()
  const waiting: Job<Answer>[] = []
  const holding = new Map<number, Held>()
  const blamed = new Map<number, number>()
  let ids = 0
  let atWork = 0
  let stopped = false

  function spawn(): void {
    const shared = new SharedArrayBuffer(BOARD_BYTES)
    const worker = new Worker(script, { env: ENVIRONMENT, execArgv: [], resourceLimits: resources, workerData: shared })
    const owed = [...holding].map(([key, held]) => holdJob(key, held, { resolve() {}, reject() {} }))
    const thread: Thread<Answer> = { worker, board: new BigInt64Array(shared), isReady: false, job: null, owed }
    threads.add(thread)
    worker.unref()
    worker.on('message', (said: Said<Answer>) => receive(thread, said))
    const lost = (message: string) => lose(thread, { kind: 'lost', message, step: readPlace(thread.board, 0).step })
    worker.on('error', (error) => lost(error.message))
    worker.on('exit', () => lost('the worker ended'))
  }

  /** Those that stand ready are made ahead; without any, a thread begins when a task waits for it. */
  function fill(): void {
    if (stopped) return
    while (threads.size < size + spares) spawn()
  }

  function receive(thread: Thread<Answer>, said: Said<Answer>): void {
    thread.isReady = true
    if (said.kind !== 'ready') {
      if (thread.job === null || idOf(thread.job) !== said.id) return
      const job = release(thread)
      if (said.kind === 'answer') job?.resolve(said.answer as Answer)
      else job?.reject(new TaskFailure('failed', said.message))
    }
    next()
  }

  function release(thread: Thread<Answer>): Job<Answer> | null {
    const { job } = thread
    thread.job = null
    if (job === null) return null
    if (job.told.kind === 'task') atWork -= 1
    clearTimeout(job.timer)
    return job
  }

  function lose(thread: Thread<Answer>, failure: Pick<TaskFailure, 'kind' | 'message' | 'step'>): void {
    if (!threads.delete(thread)) return
    const { kind, message, step } = failure
    const job = release(thread)
    if (job?.told.kind === 'hold') blame(job.told.key)
    job?.reject(new TaskFailure(kind, message, step))
    for (const owed of thread.owed) owed.resolve(undefined as Answer)
    if (spares > 0 && thread.isReady) fill()
    else if (spares > 0) setTimeout(fill, PAUSE_MS).unref()
    next()
  }

  /** What ends threads that are to hold it would end every other one. Once may be the machine's fault. */
  function blame(key: number): void {
    const times = (blamed.get(key) ?? 0) + 1
    blamed.set(key, times)
    if (times < MOST_BLAME) return
    holding.delete(key)
    blamed.delete(key)
  }

  function next(): void {
    if (stopped) return
    for (const thread of threads) {
      if (!thread.isReady || thread.job !== null) continue
      const owed = thread.owed.shift()
      if (owed !== undefined) begin(thread, owed)
      else if (atWork < size) takeNext(thread)
    }
    if (waiting.length > 0 && threads.size < size + spares) spawn()
  }

  function takeNext(thread: Thread<Answer>): void {
    const at = waiting.findIndex((job) => job.limit.isRisky?.() !== true || isSafe())
    const [job] = at < 0 ? [] : waiting.splice(at, 1)
    if (job === undefined) return
    job.isRisky = job.limit.isRisky?.() === true
    begin(thread, job)
  }

  function isSafe(): boolean {
    const all = [...threads]
    const ready = all.filter(({ isReady, owed }) => isReady && owed.length === 0)
    return ready.length >= size + spares && !all.some(({ job }) => job?.isRisky === true)
  }

  function begin(thread: Thread<Answer>, job: Job<Answer>): void {
    clearTimeout(job.timer)
    thread.job = job
    if (job.told.kind === 'task') atWork += 1
    job.begun = performance.now()
    watch(thread, job, Infinity)
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      thread.worker.postMessage(job.told, job.transfer)
    } catch (thrown) {
      release(thread)?.reject(new TaskFailure('failed', String(thrown)))
      queueMicrotask(next)
    }
  }

  /** An answer may lie unread behind a busy loop: it is read before the task is called late. */
  function watch(thread: Thread<Answer>, job: Job<Answer>, left: number): void {
    const ms = Math.ceil(Math.min(left, job.limit.lookMs))
    job.timer = setTimeout(() => setImmediate(() => look(thread, job)), ms)
  }

  function look(thread: Thread<Answer>, job: Job<Answer>): void {
    if (thread.job !== job) return
    const place = readPlace(thread.board, job.begun)
    const left = job.limit.left(place)
    if (left > 0) return watch(thread, job, left)
    void thread.worker.terminate()
    lose(thread, { kind: 'late', message: job.late, step: place.step })
    if (!stopped && threads.size < size) spawn()
  }

  function wait(job: Job<Answer>): void {
    job.timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(job), 1)
      job.reject(new TaskFailure('busy', 'no worker was free'))
    }, longestWaitMs)
    waiting.push(job)
    next()
  }

  function holdJob(key: number, held: Held, settle: Pick<Job<Answer>, 'resolve' | 'reject'>): Job<Answer> {
    const told = { kind: 'hold', id: (ids += 1), key, held } as const
    const late = `not ready within ${holdMs} ms`
    return { told, limit: within(holdMs), late, transfer: [], begun: 0, ...settle }
  }

  const holdIn = (thread: Thread<Answer>, key: number, held: Held) =>
    new Promise<Answer>((resolve, reject) => {
      if (!threads.has(thread)) return resolve(undefined as Answer)
      thread.owed.push(holdJob(key, held, { resolve, reject }))
      next()
    })

  function drop(key: number): void {
    holding.delete(key)
    blamed.delete(key)
    for (const { worker, owed } of threads) {
      const at = owed.findIndex(({ told }) => told.kind === 'hold' && told.key === key)
      if (at >= 0) owed.splice(at, 1)[0]?.resolve(undefined as Answer)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage({ kind: 'drop', key } satisfies Told<Task, Held>)
    }
  }

  return {
    run: (task, limit, transfer = []) =>
      new Promise((resolve, reject) => {
        if (stopped) return reject(new TaskFailure('stopped', 'no worker is free'))
        if (waiting.length >= mostWaiting) return reject(new TaskFailure('busy', 'no worker is free'))
        const isFixed = typeof limit === 'number'
        const late = isFixed ? `no answer within ${limit} ms` : 'no answer in time'
        wait({
          told: { kind: 'task', id: (ids += 1), task },
          limit: isFixed ? within(limit) : limit,
          late,
          transfer,
          begun: 0,
          resolve,
          reject,
        })
      }),
    warm() {
      if (stopped) return
      if (spares > 0) fill()
      else if (threads.size === 0) spawn()
    },
    async hold(key, held) {
      if (stopped) throw new TaskFailure('stopped', 'the engine stops')
      fill()
      const standing = [...threads]
      holding.set(key, held)
      try {
        // One after another: the others answer meanwhile.
        for (const thread of standing) await holdIn(thread, key, held)
      } catch (thrown) {
        drop(key)
        throw thrown
      }
    },
    drop,
    async stop() {
      stopped = true
      const leaving = [...threads]
      for (const job of waiting.splice(0)) {
        clearTimeout(job.timer)
        job.reject(new TaskFailure('stopped', 'the engine stops'))
      }
      for (const thread of leaving) lose(thread, { kind: 'stopped', message: 'the engine stops', step: null })
      await Promise.all(leaving.map(({ worker }) => worker.terminate()))
    },
  }
}

const idOf = ({ told }: Pick<Job<never>, 'told'>) => (told.kind === 'drop' ? null : told.id)

const within = (mostMs: number): TaskLimit => ({ left: ({ ms }) => mostMs - ms, lookMs: mostMs })
