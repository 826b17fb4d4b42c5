import { parentPort, Worker } from 'node:worker_threads'
import type { Transferable } from 'node:worker_threads'

/** Threads for work that cannot be trusted with the time it takes: one that is late is ended, and another one begins. */
export interface WorkerPool<Task, Answer> {
  /** Rejects when it takes longer than `deadlineMs`, fails, or cannot be begun for too long. */
  run(task: Task, deadlineMs: number): Promise<Answer>
  /** Starts a worker ahead of the first task. */
  warm(): void
  stop(): Promise<void>
}

export interface WorkerPoolOptions {
  /** The module that runs in the thread; it calls `serveTasks`. */
  readonly script: URL
  /** Most threads at a time. */
  readonly size: number
}

/** What a thread says. `ready` once, before any task. */
type Said<Answer> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }

interface Given<Task> {
  readonly id: number
  readonly task: Task
}

interface Waiting<Task, Answer> {
  readonly given: Given<Task>
  readonly deadlineMs: number
  timer?: NodeJS.Timeout
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}
interface Thread<Task, Answer> {
  readonly worker: Worker
  ready: boolean
  task: Waiting<Task, Answer> | null
}

/** How long a task waits for its turn, and how many do. */
const LONGEST_WAIT_MS = 5_000
const MOST_WAITING = 256
const RESOURCES = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 }

export function createWorkerPool<Task, Answer>({ script, size }: WorkerPoolOptions): WorkerPool<Task, Answer> {
  const threads = new Set<Thread<Task, Answer>>()
  const waiting: Waiting<Task, Answer>[] = []
  let ids = 0
  let stopped = false

  function spawn(): void {
    const worker = new Worker(script, { env: {}, execArgv: [], resourceLimits: RESOURCES })
    const thread: Thread<Task, Answer> = { worker, ready: false, task: null }
    threads.add(thread)
    worker.unref()
    worker.on('message', (said: Said<Answer>) => receive(thread, said))
    worker.on('error', (error) => lose(thread, error))
    worker.on('exit', () => lose(thread, new Error('the worker ended')))
  }

  function receive(thread: Thread<Task, Answer>, said: Said<Answer>): void {
    thread.ready = true
    if (said.kind !== 'ready') {
      if (thread.task?.given.id !== said.id) return
      const task = release(thread)
      if (said.kind === 'answer') task?.resolve(said.answer)
      else task?.reject(new Error(said.message))
    }
    next()
  }

  function release(thread: Thread<Task, Answer>): Waiting<Task, Answer> | null {
    const { task } = thread
    thread.task = null
    if (task !== null) clearTimeout(task.timer)
    return task
  }

  function lose(thread: Thread<Task, Answer>, error: Error): void {
    if (!threads.delete(thread)) return
    release(thread)?.reject(error)
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

  function begin(thread: Thread<Task, Answer>, task: Waiting<Task, Answer>): void {
    clearTimeout(task.timer)
    thread.task = task
    // An answer may lie unread behind a busy loop: it is read before the task is called late.
    task.timer = setTimeout(() => setImmediate(() => giveUp(thread, task)), task.deadlineMs)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    thread.worker.postMessage(task.given)
  }

  function giveUp(thread: Thread<Task, Answer>, task: Waiting<Task, Answer>): void {
    if (thread.task !== task) return
    void thread.worker.terminate()
    lose(thread, new Error(`no answer within ${task.deadlineMs} ms`))
    if (!stopped && threads.size < size) spawn()
  }

  function wait(task: Waiting<Task, Answer>): void {
    task.timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(task), 1)
      task.reject(new Error('no worker was free'))
    }, LONGEST_WAIT_MS)
    waiting.push(task)
    next()
  }

  return {
    run: (task, deadlineMs) =>
      new Promise((resolve, reject) => {
        if (stopped || waiting.length >= MOST_WAITING) return reject(new Error('no worker is free'))
        ids += 1
        wait({ given: { id: ids, task }, deadlineMs, resolve, reject })
      }),
    warm() {
      if (!stopped && threads.size === 0) spawn()
    },
    async stop() {
      stopped = true
      const leaving = [...threads]
      for (const task of waiting.splice(0)) {
        clearTimeout(task.timer)
        task.reject(new Error('the engine stops'))
      }
      for (const thread of leaving) lose(thread, new Error('the engine stops'))
      await Promise.all(leaving.map(({ worker }) => worker.terminate()))
    },
  }
}

/** In the thread: answers every task in its turn, from now on. What `transfer` names is handed over, not copied. */
export function serveTasks<Task, Answer>(
  run: (task: Task) => Answer,
  transfer: (answer: Answer) => readonly Transferable[] = () => [],
): void {
  const say = (said: Said<Answer>, moved: readonly Transferable[] = []) => parentPort?.postMessage(said, moved)
  parentPort?.on('message', ({ id, task }: Given<Task>) => {
    try {
      const answer = run(task)
      say({ kind: 'answer', id, answer }, transfer(answer))
    } catch (thrown) {
      say({ kind: 'failed', id, message: thrown instanceof Error ? thrown.message : 'the worker failed' })
    }
  })
  say({ kind: 'ready' })
}
