import type { ResourceLimits, Transferable } from 'node:worker_threads'
import { isShort, MOST_IN_LANE } from './lane.js'
import type { Texts } from './lane.js'
import { PoolThread, TaskFailure } from './pool-thread.js'
import type { Job, Patience } from './pool-thread.js'
import { createVigil } from './vigil.js'

export { TaskFailure } from './pool-thread.js'
export type { Place } from './worker-board.js'
export type { Parcel, Texts } from './lane.js'
export { serveDuties, serveTasks, serveTexts } from './worker-thread.js'
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

/** Of a task that says at which step it is. */
export interface TaskLimit extends Patience {
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

/** For short tasks, many a second. */
export interface TextPoolOptions extends WorkerPoolOptions {
  /** So many tasks are sent to a thread that is busy, when all are; one that becomes free takes them back from it. */
  readonly ahead: number
  /**
   * So many milliseconds this thread's event loop does not sleep behind a task it gave, and a thread of the pool behind one that it answered, while
   * they come that fast.
   */
  readonly awakeMs: number
}

const RESOURCES: ResourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 }
/** Before a thread is begun in place of one that never got ready. */
const PAUSE_MS = 1_000
const MOST_BLAME = 3

/** A task that waits for a thread. */
interface Waiting<Answer> {
  readonly job: Job<Answer>
  timer?: NodeJS.Timeout
}

export function createWorkerPool<Task, Answer, Held = never>(
  options: WorkerPoolOptions,
): HoldingPool<Task, Answer, Held> {
  const workOf = (task: Task, transfer: readonly Transferable[]) => ({ kind: 'task', task, transfer }) as const
  return createPool<Task, Answer, Held>(options, { workOf, ahead: 0, awakeMs: null })
}

/** A pool whose tasks and answers are texts alone: short ones cost no message between threads. Its script calls `serveTexts`. */
export function createTextPool<Held = never>(options: TextPoolOptions): HoldingPool<Texts, string, Held> {
  const workOf = (texts: Texts) => ({ kind: 'texts', texts, isShort: isShort(texts) }) as const
  return createPool<Texts, string, Held>(options, { ...options, workOf })
}

/** How tasks go to the threads. */
interface Sending<Task, Answer> {
  workOf(task: Task, transfer: readonly Transferable[]): Job<Answer>['work']
  readonly ahead: number
  /** Null where they go as messages. */
  readonly awakeMs: number | null
}

function createPool<Task, Answer, Held>(
  options: WorkerPoolOptions,
  { workOf, ahead, awakeMs }: Sending<Task, Answer>,
): HoldingPool<Task, Answer, Held> {
  const { script, size, spares = 0, resources = RESOURCES } = options
  const { longestWaitMs = 5_000, mostWaiting = 256, holdMs = 5_000 } = options
  const threads = new Set<PoolThread<Answer>>()
  const waiting: Waiting<Answer>[] = []
  const holding = new Map<number, Held>()
  const blamed = new Map<number, number>()
  const mostGiven = 1 + Math.min(ahead, MOST_IN_LANE - 1)
  const owner = new Int32Array(new SharedArrayBuffer(4))
  const vigil = createVigil(collect, (isAwake) => void Atomics.store(owner, 0, isAwake ? 1 : 0))
  const lane = awakeMs === null ? null : { owner, awakeMs }
  let stopped = false

  function spawn(): void {
    const thread: PoolThread<Answer> = new PoolThread(
      { script, resources, lane },
      { free: next, gone: (failure) => lose(thread, failure) },
    )
    for (const [key, held] of holding) thread.owed.push(holdJob(key, held, { resolve() {}, reject() {} }))
    threads.add(thread)
  }

  /** Those that stand ready are made ahead; without any, a thread begins when a task waits for it. */
  function fill(): void {
    if (stopped) return
    while (threads.size < size + spares) spawn()
  }

  function collect(): void {
    for (const thread of threads) thread.collect()
  }

  /** What it was at is over; what it was only sent waits anew, before all others. */
  function lose(thread: PoolThread<Answer>, { kind, message, step }: Failure): void {
    if (!threads.delete(thread)) return
    const { job, others } = thread.leave(kind)
    if (job?.work.kind === 'hold') blame(job.work.key)
    job?.reject(new TaskFailure(kind, message, step))
    if (stopped) for (const other of others) other.reject(new TaskFailure(kind, message))
    else waitAnew(others)
    for (const owed of thread.owed) owed.resolve(undefined as Answer)
    if (spares > 0 && thread.isReady) fill()
    else if (spares > 0) setTimeout(fill, PAUSE_MS).unref()
    else if (kind === 'late' && !stopped && threads.size < size) spawn()
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
    let atWork = 0
    for (const thread of threads) if (thread.isAtWork) atWork += 1
    for (const thread of threads) {
      if (!thread.isReady || thread.load > 0) continue
      const owed = thread.owed.shift()
      const job = owed ?? (atWork < size ? (takeNext() ?? takeBack()) : undefined)
      if (job === undefined) continue
      give(thread, job)
      if (owed === undefined) atWork += 1
    }
    if (waiting.length > 0 && mostGiven > 1 && atWork >= size) sendAhead()
    if (waiting.length > 0 && threads.size < size + spares) spawn()
    if (atWork === 0) vigil.end()
  }

  function give(thread: PoolThread<Answer>, job: Job<Answer>): void {
    thread.give(job)
    if (awakeMs !== null && awakeMs > 0) vigil.stay(awakeMs)
  }

  /** Of what waits the first that may be begun, if it fits. */
  function takeNext(fits: (job: Job<Answer>) => boolean = isAny): Job<Answer> | undefined {
    const at = waiting.findIndex(({ job }) => job.isRisky?.() !== true || isSafe())
    const found = waiting[at]
    if (found === undefined || !fits(found.job)) return undefined
    waiting.splice(at, 1)
    clearTimeout(found.timer)
    return found.job
  }

  function isSafe(): boolean {
    const all = [...threads]
    const ready = all.filter(({ isReady, owed }) => isReady && owed.length === 0)
    return ready.length >= size + spares && !all.some(({ isAtRisk }) => isAtRisk)
  }

  function takeBack(): Job<Answer> | undefined {
    for (const thread of threads) {
      const job = thread.load > 1 ? thread.takeBack() : null
      if (job === null) continue
      if (job.isRisky?.() !== true || isSafe()) return job
      // It has become so while it waited there.
      waitAnew([job])
    }
    return undefined
  }

  /** To the least busy first. Behind what may cost its thread nothing is sent. */
  function sendAhead(): void {
    const open = [...threads].filter((one) => one.isAtWork && !one.isAtRisk && one.owed.length === 0)
    for (let load = 1; load < mostGiven; load += 1)
      for (const thread of open) {
        if (thread.load !== load) continue
        const job = takeNext(mayGoAhead)
        if (job === undefined) return
        give(thread, job)
      }
  }

  function wait(job: Job<Answer>): void {
    const one: Waiting<Answer> = { job }
    waiting.push(one)
    next()
    if (waiting.at(-1) === one) limitWait(one)
  }

  /** Before all others. */
  function waitAnew(jobs: readonly Job<Answer>[]): void {
    const again = jobs.map((job): Waiting<Answer> => ({ job }))
    for (const one of again) limitWait(one)
    waiting.unshift(...again)
  }

  function limitWait(one: Waiting<Answer>): void {
    one.timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(one), 1)
      one.job.reject(new TaskFailure('busy', 'no worker was free'))
    }, longestWaitMs)
  }

  function holdJob(key: number, held: Held, settle: Pick<Job<Answer>, 'resolve' | 'reject'>): Job<Answer> {
    const late = `not ready within ${holdMs} ms`
    return { work: { kind: 'hold', key, held }, patience: within(holdMs), late, ...settle }
  }

  const holdIn = (thread: PoolThread<Answer>, key: number, held: Held) =>
    new Promise<Answer>((resolve, reject) => {
      if (!threads.has(thread)) return resolve(undefined as Answer)
      thread.owed.push(holdJob(key, held, { resolve, reject }))
      next()
    })

  function drop(key: number): void {
    holding.delete(key)
    blamed.delete(key)
    for (const thread of threads) thread.drop(key)
  }

  return {
    run: (task, limit, transfer = []) =>
      new Promise((resolve, reject) => {
        if (stopped) return reject(new TaskFailure('stopped', 'no worker is free'))
        if (waiting.length >= mostWaiting) return reject(new TaskFailure('busy', 'no worker is free'))
        wait({ work: workOf(task, transfer), ...limitOf(limit), resolve, reject })
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
      for (const { job, timer } of waiting.splice(0)) {
        clearTimeout(timer)
        job.reject(new TaskFailure('stopped', 'the engine stops'))
      }
      for (const thread of leaving) lose(thread, { kind: 'stopped', message: 'the engine stops', step: null })
      await Promise.all(leaving.map((thread) => thread.end()))
    },
  }
}

const isAny = () => true
const mayGoAhead = ({ work, isRisky }: Job<never>) => work.kind === 'texts' && work.isShort && isRisky?.() !== true

type Failure = Pick<TaskFailure, 'kind' | 'message' | 'step'>

const within = (mostMs: number): Patience => ({ left: ({ ms }) => mostMs - ms, lookMs: mostMs })

function limitOf(limit: number | TaskLimit): Pick<Job<never>, 'patience' | 'late' | 'isRisky'> {
  if (typeof limit === 'number') return { patience: within(limit), late: `no answer within ${limit} ms` }
  return { patience: limit, late: 'no answer in time', ...(limit.isRisky && { isRisky: limit.isRisky }) }
}
