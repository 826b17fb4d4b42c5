import type { JsonObject } from '@gatehouse/sdk'
import type { CancelSignal } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'

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
}

interface Waiting {
  readonly settle: (answer: QuestionAnswer) => void
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
  ask(id: string, line: Line, question: Question, { deadline, signals }: HowAsked): Promise<QuestionAnswer> {
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
      const settle = (answer: QuestionAnswer) => (end(), resolve(answer))
      const fail = (why: string) => (end(), reject(unanswered(why)))
      this.#waiting.set(id, { settle, fail })
      for (const signal of signals) signal.addEventListener('abort', takeBack, { once: true })
      line.must({ jsonrpc: '2.0', id, ...question })
      unwatch = line.onClosed(() => fail('has gone away'))
    })
  }

  /** False when nobody waits for it. Our ids are strings: a number is the answer to nothing. */
  answered(id: string | number, answer: QuestionAnswer): boolean {
    const waiting = typeof id === 'string' ? this.#waiting.get(id) : undefined
    waiting?.settle(answer)
    return waiting !== undefined
  }

  giveUp(why: string): void {
    for (const { fail } of [...this.#waiting.values()]) fail(why)
  }
}

export const unanswered = (why: string): GatehouseError =>
  new GatehouseError('GH_FORWARD_UNANSWERED', { message: `The client ${why}` })
