import type { JsonObject } from '@gatehouse/sdk'
import type { CancelSignal } from '../domain/cancel-signal.js'

/** What a server may ask of a client in the middle of a call. */
export const QUESTIONS = ['sampling/createMessage', 'elicitation/create', 'roots/list'] as const
export type QuestionMethod = (typeof QUESTIONS)[number]

export interface Question {
  readonly method: QuestionMethod
  /** Absent where it came without. */
  readonly params?: JsonObject
}

/** A JSON-RPC answer without its id. */
export type QuestionAnswer =
  { readonly result: JsonObject } | { readonly error: { code: number; message: string; data?: unknown } }

/** What a client tells of how far it is with a question: the params of its note, without a token. Settles when that is passed on. */
export type OnProgress = (params: JsonObject) => Promise<void> | void

/**
 * Puts a question to the client and waits for its answer. Throws GH_FORWARD_UNANSWERED when the client goes away, its
 * session ends or the deadline (milliseconds since the epoch) passes; a question that is taken back (`signal`) is
 * withdrawn at the client.
 */
export type Ask = (
  question: Question,
  how: {
    readonly deadline: number
    readonly signal?: CancelSignal | undefined
    /** Set when the server wants to hear of it. */
    readonly onProgress?: OnProgress | undefined
    /** Of the call that it is about: what the client says of it stands under the same. */
    readonly correlationId?: string | undefined
  },
) => Promise<QuestionAnswer>

export const isQuestion = (method: string): method is QuestionMethod =>
  (QUESTIONS as readonly string[]).includes(method)
