import { parentPort, workerData } from 'node:worker_threads'
import type { Transferable } from 'node:worker_threads'
import { writeStep } from './worker-board.js'

/** What a thread is told. What it is to hold stays until it is to drop it. */
export type Told<Task, Held> =
  | { readonly kind: 'task'; readonly id: number; readonly task: Task }
  | { readonly kind: 'hold'; readonly id: number; readonly key: number; readonly held: Held }
  | { readonly kind: 'drop'; readonly key: number }

/** What a thread says. `ready` once, before anything else. */
export type Said<Answer> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }

/** What runs in a thread. Whatever throws is a failure of that task, or of what was to be held, alone. */
export interface Duties<Task, Answer, Held> {
  /** `at` tells at which step of the task the thread is, for whoever may end it. */
  run(task: Task, at: (step: number) => void): Answer | Promise<Answer>
  hold?(key: number, held: Held): void | Promise<void>
  drop?(key: number): void
  /** What of an answer is handed over, not copied. */
  transfer?(answer: Answer): readonly Transferable[]
}

/** In the thread: answers every task in its turn, from now on. */
export function serveDuties<Task, Answer, Held>(duties: Duties<Task, Answer, Held>): void {
  const board = new BigInt64Array(workerData as SharedArrayBuffer)
  const at = (step: number | null) => writeStep(board, step)
  const say = (said: Said<Answer>, moved: readonly Transferable[] = []) => parentPort?.postMessage(said, moved)

  function doWhatIsTold(told: Told<Task, Held>): void | Promise<void> {
    if (told.kind === 'drop') return duties.drop?.(told.key)
    const { id } = told
    const done = (answer?: Answer) => {
      at(null)
      say({ kind: 'answer', id, answer }, answer === undefined ? [] : duties.transfer?.(answer))
    }
    const failed = (thrown: unknown) => {
      at(null)
      say({ kind: 'failed', id, message: thrown instanceof Error ? thrown.message : 'the worker failed' })
    }
    try {
      const answer = told.kind === 'task' ? duties.run(told.task, at) : duties.hold?.(told.key, told.held)
      if (answer instanceof Promise) return answer.then(done as () => void).catch(failed)
      done(answer as Answer)
    } catch (thrown) {
      failed(thrown)
    }
  }

  const waiting: Told<Task, Held>[] = []
  let isBusy = false
  function next(): void {
    for (let told = waiting.shift(); told !== undefined; told = waiting.shift()) {
      const pending = doWhatIsTold(told)
      if (pending === undefined) continue
      isBusy = true
      void pending.then(() => {
        isBusy = false
        next()
      })
      return
    }
  }
  parentPort?.on('message', (told: Told<Task, Held>) => {
    waiting.push(told)
    if (!isBusy) next()
  })
  say({ kind: 'ready' })
}

/** The same for tasks alone. What `transfer` names is handed over, not copied. */
export function serveTasks<Task, Answer>(
  run: (task: Task) => Answer | Promise<Answer>,
  transfer: (answer: Answer) => readonly Transferable[] = () => [],
): void {
  serveDuties<Task, Answer, never>({ run: (task) => run(task), transfer })
}
