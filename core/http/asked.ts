import type { JsonObject } from '@gatehouse/sdk'
import type { CancelSignal } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import { isObject } from '../mcp/message.js'
import type { About } from '../mcp/session-lines.js'
import type { OnProgress, Question, QuestionAnswer } from '../mcp/questions.js'

/** Where a question goes out. */
export interface Line {
  /** Never dropped; nothing happens once the line is closed. */
  must(message: JsonObject): void
  /** Told at once when it is closed already. Gives back how to listen no more. */
  onClosed(listener: () => void): () => void
}

export interface HowAsked {
  readonly deadline: number
  /** Any of them takes the question back. */
  readonly signals: readonly CancelSignal[]
  /** Told of what its client says of it before the answer: one at a time, and of several meanwhile the newest. */
  readonly onProgress?: OnProgress | undefined
  readonly correlationId?: string | undefined
}

interface Waiting extends About {
  readonly settle: (answer: QuestionAnswer) => void
  readonly told: Told | null
  readonly fail: (why: string) => void
}

const MOST_WAITING = 32
const LONGEST_TIMER = 2_147_483_647

/** The questions that the client of one session has not answered yet. */
export class Asked {
  readonly #waiting = new Map<string, Waiting>()

  get size(): number {
    return this.#waiting.size
  }

  /** Settles once: with the answer, or with GH_FORWARD_UNANSWERED. */
  ask(id: string, line: Line, question: Question, how: HowAsked): Promise<QuestionAnswer> {
    const { deadline, signals, onProgress, correlationId } = how
    if (this.#waiting.size >= MOST_WAITING) return Promise.reject(unanswered('has too many questions before it'))
    if (signals.some(({ aborted }) => aborted)) return Promise.reject(unanswered('is not asked any more'))
    return new Promise((resolve, reject) => {
      const withdraw = (why: string) => {
        line.must({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
        fail(why)
      }
      const takeBack = () => withdraw('is not asked any more')
      const left = Math.min(Math.max(0, deadline - Date.now()), LONGEST_TIMER)
      const timer = setTimeout(() => withdraw('did not answer in time'), left).unref()
      let unwatch = () => {}
      const end = () => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        unwatch()
        for (const signal of signals) signal.removeEventListener('abort', takeBack)
      }
      const told = onProgress === undefined ? null : new Told(onProgress)
      // What it told before comes before its answer.
      const settle = (answer: QuestionAnswer) => (end(), resolve(told === null ? answer : told.over.then(() => answer)))
      const fail = (why: string) => (end(), reject(unanswered(why)))
      this.#waiting.set(id, { settle, fail, told, correlationId })
      for (const signal of signals) signal.addEventListener('abort', takeBack, { once: true })
      line.must({ jsonrpc: '2.0', id, ...withToken(question, told === null ? undefined : id) })
      unwatch = line.onClosed(() => fail('has gone away'))
    })
  }

  /** Null when nobody waits for it. Our ids are strings: a number is the answer to nothing. */
  answered(id: string | number, answer: QuestionAnswer): About | null {
    const waiting = typeof id === 'string' ? this.#waiting.get(id) : undefined
    waiting?.settle(answer)
    return waiting ?? null
  }

  /** A note of progress, whose token is the question's id. Null when nobody wants to hear of it. */
  progressed({ progressToken, ...params }: JsonObject): About | null {
    const waiting = typeof progressToken === 'string' ? this.#waiting.get(progressToken) : undefined
    if (waiting === undefined || waiting.told === null) return null
    waiting.told.enter(params)
    return waiting
  }

  giveUp(why: string): void {
    for (const { fail } of [...this.#waiting.values()]) fail(why)
  }
}

/** Passes on one thing after another; what comes meanwhile takes the place of what waits. */
class Told {
  over: Promise<void> = Promise.resolve()
  #next: JsonObject | null = null
  #isBusy = false

  constructor(private readonly onProgress: OnProgress) {}

  enter(params: JsonObject): void {
    this.#next = params
    if (!this.#isBusy) this.over = this.#pass()
  }

  async #pass(): Promise<void> {
    this.#isBusy = true
    while (this.#next !== null) {
      const params = this.#next
      this.#next = null
      try {
        await this.onProgress(params)
      } catch {
        // Nobody waits for it.
      }
    }
    this.#isBusy = false
  }
}

/** A token of ours where progress is wanted, and none that a server gave: it could be the id of another's question. */
function withToken(question: Question, progressToken: string | undefined): Question {
  const meta = isObject(question.params?._meta) ? question.params._meta : undefined
  if (progressToken === undefined && meta?.progressToken === undefined) return question
  const { progressToken: _, ...kept } = meta ?? {}
  return {
    ...question,
    params: { ...question.params, _meta: progressToken === undefined ? kept : { ...kept, progressToken } },
  }
}

export const unanswered = (why: string): GatehouseError =>
  new GatehouseError('GH_FORWARD_UNANSWERED', { message: `The client ${why}` })
