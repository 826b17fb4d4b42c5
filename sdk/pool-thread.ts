import { Worker } from 'node:worker_threads'
import type { ResourceLimits, Transferable } from 'node:worker_threads'
import { following, LANE_BYTES, openLane } from './lane.js'
import type { Lane, Texts } from './lane.js'
import { timeOf } from './thread-time.js'
import { BOARD_BYTES, readPlace } from './worker-board.js'
import type { Place } from './worker-board.js'
import { CALL } from './worker-thread.js'
import type { Provision, Said, Told } from './worker-thread.js'

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

/** How long a task may still stay at a place, looked at so often at least. */
export interface Patience {
  readonly left: (place: Place) => number
  readonly lookMs: number
}

/** What a thread works on. */
export interface Job<Answer> {
  readonly work:
    | { readonly kind: 'task'; readonly task: unknown; readonly transfer: readonly Transferable[] }
    | { readonly kind: 'texts'; readonly texts: Texts; readonly isShort: boolean }
    | { readonly kind: 'hold'; readonly key: number; readonly held: unknown }
  readonly patience: Patience
  /** What is said when there is no time left. */
  readonly late: string
  readonly isRisky?: () => boolean
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: TaskFailure) => void
}

/** A job as a thread has it. */
interface Given<Answer> {
  readonly id: number
  readonly job: Job<Answer>
  isRisky: boolean
  begun: number
  /** When it was first looked at in its step, and what the thread had run by then. */
  seen?: { readonly step: number; readonly ms: number; readonly ran: number }
  timer?: NodeJS.Timeout
}

/** What whoever owns a thread is told of it. */
export interface ThreadEvents {
  /** It is ready, or done with jobs. */
  free(): void
  /** It is no more; at once, for whatever reason. */
  gone(failure: Pick<TaskFailure, 'kind' | 'message' | 'step'>): void
}

export interface ThreadOptions {
  readonly script: URL
  readonly resources: ResourceLimits
  /** Of a pool whose tasks are texts: whether its owner looks without being called, and how long the thread does. */
  readonly lane: { readonly owner: Int32Array; readonly awakeMs: number } | null
}

/** Of the gateway's own a thread gets nothing. What Node has to say of what it loads, its users can do nothing about. */
const ENVIRONMENT = { NODE_NO_WARNINGS: '1' }

/** One thread of a pool: does jobs in the order in which they were given, and is ended when one of them is late. */
export class PoolThread<Answer> {
  readonly #worker: Worker
  readonly #board: BigInt64Array
  /** With it, whether the thread looks into it without being called. */
  readonly #lane: (Lane & { readonly thread: Int32Array }) | null
  readonly #events: ThreadEvents
  readonly #given: Given<Answer>[] = []
  #lastId = 0
  /** In the system; null where that is not told. */
  #thread: number | null = null
  isReady = false
  /** What it is still to hold before it gets tasks. */
  readonly owed: Job<Answer>[] = []

  constructor({ script, resources, lane }: ThreadOptions, events: ThreadEvents) {
    const board = new SharedArrayBuffer(BOARD_BYTES)
    const shared = new SharedArrayBuffer(lane === null ? 0 : LANE_BYTES)
    const thread = new Int32Array(new SharedArrayBuffer(4))
    const workerData: Provision = { board, lane: lane && { ...lane, shared, thread } }
    this.#board = new BigInt64Array(board)
    this.#lane = lane && { ...openLane(shared), thread }
    this.#events = events
    this.#worker = new Worker(script, { env: ENVIRONMENT, execArgv: [], resourceLimits: resources, workerData })
    this.#worker.unref()
    this.#worker.on('message', (said: Said<Answer>) => this.#receive(said))
    this.#worker.on('error', (error) => this.#lose(error.message))
    this.#worker.on('exit', () => this.#lose('the worker ended'))
  }

  /** Jobs that it has and has not answered; it is at the first. */
  get load(): number {
    return this.#given.length
  }

  /** Whether it is at a task. */
  get isAtWork(): boolean {
    return this.#given.length > 0 && this.#given[0]?.job.work.kind !== 'hold'
  }

  get isAtRisk(): boolean {
    return this.#given.some(({ isRisky }) => isRisky)
  }

  /** One after the other, or, of what is short, ahead: `takeBack` gets it again. */
  give(job: Job<Answer>): void {
    const before = this.#lastId
    this.#lastId = following(before)
    const given: Given<Answer> = { id: this.#lastId, job, isRisky: job.isRisky?.() === true, begun: 0 }
    if (this.#given.push(given) === 1) this.#begin(given)
    try {
      this.#send(given)
    } catch (thrown) {
      this.#given.pop()
      // The thread has not seen it.
      this.#lastId = before
      clearTimeout(given.timer)
      job.reject(new TaskFailure('failed', String(thrown)))
      queueMicrotask(() => this.#events.free())
    }
  }

  /** The last job that was sent ahead, if it has not begun with it: from now on it will not. */
  takeBack(): Job<Answer> | null {
    const last = this.#given.at(-1)
    if (last === undefined || this.#given.length === 1 || this.#lane?.take(last.id) !== true) return null
    this.#given.pop()
    // The thread waits for this one.
    this.#lastId = this.#given.at(-1)?.id ?? 0
    return last.job
  }

  drop(key: number): void {
    const at = this.owed.findIndex(({ work }) => work.kind === 'hold' && work.key === key)
    if (at >= 0) this.owed.splice(at, 1)[0]?.resolve(undefined as Answer)
    this.#tell({ kind: 'drop', key })
  }

  /** Reads the answers that lie there. */
  collect(): void {
    if (this.#lane === null) return
    let isFree = false
    for (let given = this.#given[0]; given !== undefined; given = this.#given[0]) {
      const text = this.#lane.answerTo(given.id)
      if (text === null) break
      this.#done(given)
      given.job.resolve(text as Answer)
      isFree = true
    }
    if (isFree) this.#events.free()
  }

  /** It is given up: what it was at, and what it had not begun with, such as what came when it had ended by itself already. */
  leave(why: TaskFailure['kind']): { readonly job: Job<Answer> | null; readonly others: readonly Job<Answer>[] } {
    for (const { timer } of this.#given) clearTimeout(timer)
    const [first, ...behind] = this.#given.splice(0)
    const others = behind.map(({ job }) => job)
    if (first === undefined) return { job: null, others }
    const isBegun = why !== 'lost' || first.job.work.kind !== 'texts' || this.#lane?.take(first.id) !== true
    return isBegun ? { job: first.job, others } : { job: null, others: [first.job, ...others] }
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #send({ id, job: { work } }: Given<Answer>): void {
    if (work.kind === 'hold') return this.#tell({ ...work, id })
    if (work.kind === 'task') return this.#tell({ kind: 'task', id, task: work.task }, work.transfer)
    if (this.#lane === null || !work.isShort) return this.#tell({ kind: 'task', id, task: work.texts })
    this.#lane.put(id, work.texts)
    if (Atomics.load(this.#lane.thread, 0) === 0) this.#tell(CALL)
  }

  #tell(told: Told<unknown, unknown>, transfer: readonly Transferable[] = []): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(told, transfer)
  }

  #receive(said: Said<Answer>): void {
    this.isReady = true
    this.collect()
    if (said.kind === 'call') return
    if (said.kind === 'ready') this.#thread = said.thread
    else {
      const [given] = this.#given
      if (given?.id !== said.id) return
      this.#done(given)
      if (said.kind === 'answer') given.job.resolve(said.answer as Answer)
      else given.job.reject(new TaskFailure('failed', said.message))
    }
    this.#events.free()
  }

  /** The one behind it is begun. */
  #done(given: Given<Answer>): void {
    clearTimeout(given.timer)
    this.#given.shift()
    const [behind] = this.#given
    if (behind !== undefined) this.#begin(behind)
  }

  #begin(given: Given<Answer>): void {
    given.begun = performance.now()
    this.#watch(given, Infinity)
  }

  /** An answer may lie unread behind a busy loop: it is read before the task is called late. */
  #watch(given: Given<Answer>, left: number): void {
    const ms = Math.ceil(Math.min(left, given.job.patience.lookMs / 2))
    given.timer = setTimeout(() => setImmediate(() => this.#look(given)), ms)
  }

  #look(given: Given<Answer>): void {
    this.collect()
    if (this.#given[0] !== given) return
    const place = readPlace(this.#board, given.id, given.begun)
    // It is at the next one: what it answered before that is on its way.
    if (place === null) return this.#watch(given, Infinity)
    const left = given.job.patience.left(place) + this.#waited(given, place)
    if (left > 0) return this.#watch(given, left)
    void this.end()
    this.#events.gone({ kind: 'late', message: given.job.late, step: place.step })
  }

  /** How long its step has waited for a processor since half its time was over: it gets as much again, up to three times its time. */
  #waited(given: Given<Answer>, { step, ms }: Place): number {
    const time = step === null ? null : timeOf(this.#thread)
    if (step === null || time === null) return 0
    const { ran } = time
    const { lookMs } = given.job.patience
    if (given.seen?.step !== step) given.seen = { step, ms: Math.min(ms, lookMs / 2), ran }
    const waited = ms - given.seen.ms - (ran - given.seen.ran)
    return Math.min(Math.max(0, waited), 3 * lookMs)
  }

  #lose(message: string): void {
    this.collect()
    const [given] = this.#given
    const place = given === undefined ? null : readPlace(this.#board, given.id, given.begun)
    this.#events.gone({ kind: 'lost', message, step: place?.step ?? null })
  }
}
