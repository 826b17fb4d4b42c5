import { Worker } from 'node:worker_threads'
import type { Hits, Job, JobAnswer } from './worker.js'

/** Where names are looked for, and whatever takes longer than the calls may be held up. */
export interface Pool {
  /** Rejects when it takes longer than `deadlineMs`, fails, or cannot be begun for too long. */
  run(task: Omit<Job, 'id'>, deadlineMs: number): Promise<Hits>
  /** Starts a worker ahead of the first task. */
  warm(): void
  stop(): Promise<void>
}

/** How long a task waits for its turn, and how many do. */
const LONGEST_WAIT_MS = 5_000
const MOST_WAITING = 256
const RESOURCES = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 }

interface Task {
  readonly job: Job
  readonly deadlineMs: number
  timer?: NodeJS.Timeout
  readonly settle: (answer: Hits | Error) => void
}
interface Thread {
  readonly worker: Worker
  ready: boolean
  task: Task | null
}

export function createPool(size: number): Pool {
  const threads = new Set<Thread>()
  const waiting: Task[] = []
  let ids = 0
  let stopped = false

  function spawn(): void {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      env: {},
      execArgv: [],
      resourceLimits: RESOURCES,
    })
    const thread: Thread = { worker, ready: false, task: null }
    threads.add(thread)
    worker.unref()
    worker.on('message', (answer: JobAnswer) => receive(thread, answer))
    worker.on('error', (error) => lose(thread, error))
    worker.on('exit', () => lose(thread, new Error('the worker ended')))
  }

  function receive(thread: Thread, answer: JobAnswer): void {
    thread.ready = true
    if (answer.kind !== 'ready') {
      if (thread.task?.job.id !== answer.id) return
      end(thread, answer.kind === 'hits' ? answer.hits : new Error(answer.message))
    }
    next()
  }

  function end(thread: Thread, answer: Hits | Error): void {
    const { task } = thread
    thread.task = null
    if (task === null) return
    clearTimeout(task.timer)
    task.settle(answer)
  }

  function lose(thread: Thread, error: Error): void {
    if (!threads.delete(thread)) return
    end(thread, error)
    next()
  }

  function next(): void {
    if (stopped) return
    for (const thread of threads) {
      if (!thread.ready || thread.task !== null) continue
      const task = waiting.shift()
      if (task === undefined) return
      begin(thread, task)
    }
    if (waiting.length > 0 && threads.size < size) spawn()
  }

  function begin(thread: Thread, task: Task): void {
    clearTimeout(task.timer)
    thread.task = task
    // An answer may lie unread behind a busy loop: it is read before the task is called late.
    task.timer = setTimeout(() => setImmediate(() => giveUp(thread, task)), task.deadlineMs)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    thread.worker.postMessage(task.job)
  }

  function giveUp(thread: Thread, task: Task): void {
    if (thread.task !== task) return
    void thread.worker.terminate()
    lose(thread, new Error(`no answer within ${task.deadlineMs} ms`))
    if (!stopped && threads.size < size) spawn()
  }

  function wait(task: Task): void {
    task.timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(task), 1)
      task.settle(new Error('no worker was free'))
    }, LONGEST_WAIT_MS)
    waiting.push(task)
    next()
  }

  return {
    run: (work, deadlineMs) =>
      new Promise((resolve, reject) => {
        if (stopped || waiting.length >= MOST_WAITING) return reject(new Error('no worker is free'))
        ids += 1
        const settle = (answer: Hits | Error) => (answer instanceof Error ? reject(answer) : resolve(answer))
        wait({ job: { ...work, id: ids }, deadlineMs, settle })
      }),
    warm() {
      if (!stopped && threads.size === 0) spawn()
    },
    async stop() {
      stopped = true
      const leaving = [...threads]
      for (const task of waiting.splice(0)) {
        clearTimeout(task.timer)
        task.settle(new Error('the engine stops'))
      }
      for (const thread of leaving) lose(thread, new Error('the engine stops'))
      await Promise.all(leaving.map(({ worker }) => worker.terminate()))
    },
  }
}
