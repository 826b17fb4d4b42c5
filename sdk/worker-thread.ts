import { parentPort, workerData } from 'node:worker_threads'
import type { Transferable } from 'node:worker_threads'
import { following, openLane, parcelOf } from './lane.js'
import type { Lane, Parcel, Texts } from './lane.js'
import { systemThread } from './thread-time.js'
import { createVigil } from './vigil.js'
import { writeStep } from './worker-board.js'

/** What a thread gets when it begins. */
export interface Provision {
  readonly board: SharedArrayBuffer
  /** Of a pool whose tasks are texts. */
  readonly lane: {
    readonly shared: SharedArrayBuffer
    /** Whether the thread looks without being called, and whether its owner does. */
    readonly thread: Int32Array
    readonly owner: Int32Array
    /** So long the thread stays awake behind a task, while they come that fast. */
    readonly awakeMs: number
  } | null
}

/** What a thread is told. What it is to hold stays until it is to drop it. */
export type Told<Task, Held> =
  | { readonly kind: 'task'; readonly id: number; readonly task: Task }
  | { readonly kind: 'hold'; readonly id: number; readonly key: number; readonly held: Held }
  | { readonly kind: 'drop'; readonly key: number }
  | Call

/** What a thread says. `ready` once, before anything else. */
export type Said<Answer> =
  | { readonly kind: 'ready'; readonly thread: number | null }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | Call

/** That something lies in the lane, to who does not look by itself. */
interface Call {
  readonly kind: 'call'
}
export const CALL: Call = { kind: 'call' }

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
  const { board } = workerData as Provision
  serve(duties, { board: new BigInt64Array(board), way: byMessages(duties.transfer) })
}

/** The same for tasks alone. What `transfer` names is handed over, not copied. */
export function serveTasks<Task, Answer>(
  run: (task: Task) => Answer | Promise<Answer>,
  transfer: (answer: Answer) => readonly Transferable[] = () => [],
): void {
  serveDuties<Task, Answer, never>({ run: (task) => run(task), transfer })
}

/** The same where tasks and answers are texts (`createTextPool`): what is short comes and goes through shared memory. */
export function serveTexts<Held>(duties: Omit<Duties<Parcel, string, Held>, 'transfer'>): void {
  const { board, lane } = workerData as Provision
  if (lane === null) throw new Error('the pool of this thread is none of texts')
  const run = (task: Parcel | Texts, at: (step: number) => void) =>
    duties.run('text' in task ? task : parcelOf(task), at)
  serve<Parcel | Texts, string, Held>({ ...duties, run }, { board: new BigInt64Array(board), way: byLane(lane) })
}

/** How tasks come and answers go, besides the messages that are read anyway. */
interface Way<Task, Answer> {
  /** The next task that did not come as a message. */
  take(): { readonly id: number; readonly task: Task } | undefined
  begins(id: number): void
  answers(id: number, answer: Answer | undefined): void
  /** There is nothing left to do. False: whoever saw the thread at work until now has not called, so it looks once more. */
  rests(): boolean
  /** Whenever nobody has called. */
  onLook(look: () => void): void
}

interface Seat<Task, Answer> {
  readonly board: BigInt64Array
  readonly way: Way<Task, Answer>
}

function serve<Task, Answer, Held>(duties: Duties<Task, Answer, Held>, { board, way }: Seat<Task, Answer>): void {
  const waiting: Told<Task, Held>[] = []
  let isBusy = false
  let hasWorked = false

  function run(told: Told<Task, Held>): void | Promise<void> {
    if (told.kind === 'call') return
    if (told.kind === 'drop') return duties.drop?.(told.key)
    const { id } = told
    hasWorked = true
    way.begins(id)
    const done = (answer?: Answer) => {
      writeStep(board, id, null)
      way.answers(id, answer)
    }
    const failed = (thrown: unknown) => {
      writeStep(board, id, null)
      say({ kind: 'failed', id, message: thrown instanceof Error ? thrown.message : 'the worker failed' })
    }
    try {
      const at = (step: number) => writeStep(board, id, step)
      const answer = told.kind === 'task' ? duties.run(told.task, at) : duties.hold?.(told.key, told.held)
      if (answer instanceof Promise) return answer.then(done as () => void).catch(failed)
      done(answer as Answer)
    } catch (thrown) {
      failed(thrown)
    }
  }

  function take(): Told<Task, Held> | undefined {
    const taken = waiting.shift() ?? way.take()
    return taken === undefined || 'kind' in taken ? taken : { kind: 'task', ...taken }
  }

  function next(): void {
    if (isBusy) return
    for (;;) {
      const told = take()
      if (told === undefined) {
        if (!hasWorked) return
        hasWorked = false
        if (way.rests()) return
        continue
      }
      const pending = run(told)
      if (pending === undefined) continue
      isBusy = true
      void pending.then(() => {
        isBusy = false
        next()
      })
      return
    }
  }

  way.onLook(next)
  parentPort?.on('message', (told: Told<Task, Held>) => {
    waiting.push(told)
    next()
  })
  say({ kind: 'ready', thread: systemThread() })
}

const say = <Answer>(said: Said<Answer>, moved: readonly Transferable[] = []) => parentPort?.postMessage(said, moved)

function byMessages<Task, Answer>(transfer: (answer: Answer) => readonly Transferable[] = () => []): Way<Task, Answer> {
  return {
    take: () => undefined,
    begins() {},
    answers: (id, answer) => say({ kind: 'answer', id, answer }, answer === undefined ? [] : transfer(answer)),
    rests: () => true,
    onLook() {},
  }
}

/** Awake behind a task only if that one came while it would have been: who comes now and then costs nothing. */
function byLane({ shared, thread, owner, awakeMs }: NonNullable<Provision['lane']>): Way<Parcel | Texts, string> {
  const lane: Lane = openLane(shared)
  let look = () => {}
  const isAwake = (is: boolean) => void Atomics.store(thread, 0, is ? 1 : 0)
  const vigil = createVigil(() => look(), isAwake)
  let nextId = 1
  let rested = -Infinity
  let isFast = false
  return {
    take: () => (lane.take(nextId) ? { id: nextId, task: lane.read(nextId) } : undefined),
    begins(id) {
      nextId = following(id)
      isFast = performance.now() - rested < awakeMs
      isAwake(true)
    },
    answers(id, answer) {
      if (answer === undefined || !lane.answer(id, answer)) say({ kind: 'answer', id, answer })
      else if (Atomics.load(owner, 0) === 0) say(CALL)
    },
    rests() {
      rested = performance.now()
      if (isFast && vigil.stay(awakeMs)) return true
      isAwake(false)
      return false
    },
    onLook: (then) => void (look = then),
  }
}
