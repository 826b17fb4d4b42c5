import type { JsonObject } from '@gatehouse/sdk'
import { Cancel, type CancelSignal } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'
import { abilityOf, type Ability } from '../upstream/ability.js'
import type { RpcError, UpstreamReply } from '../upstream/types.js'
import type { StateSubject } from './request-state.js'
import type { Leg, Started } from './suspended.js'

/** Builders for tests of this folder. */

/** Where a call is on record, as far as this folder is concerned. */
export function trailOf(correlationId = CORRELATION) {
  return {
    correlationId,
    belongsTo(other: string) {
      this.correlationId = other
    },
  }
}
export const CORRELATION = '01a20572-8e94-71c0-9575-e2e50448baa7'

/** A client that can be asked everything. */
export const ABLE: Ability = abilityOf(
  { sampling: { tools: {} }, elicitation: { form: {}, url: {} }, roots: {} },
  '2026-07-28',
)

export const SUBJECT: StateSubject = {
  user: 'user-1',
  host: 'host-1',
  gateway: 'gateway-1',
  server: 'server-1',
  assignment: 'assignment-1',
  method: 'tools/call',
  feature: 'act',
  arguments: { a: 1 },
}

export const elicit = (message: string, more: JsonObject = {}): Question => ({
  method: 'elicitation/create',
  params: { message, requestedSchema: { type: 'object', properties: {} }, ...more },
})
export const sample = (text: string): Question => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens: 10 },
})
export const ROOTS: Question = { method: 'roots/list' }
export const visit = (url: string, more: JsonObject = {}): Question => ({
  method: 'elicitation/create',
  params: { mode: 'url', message: 'Please sign in', url, ...more },
})

const NO_SIZES = { httpStatus: 200, bytesSent: 1, bytesReceived: 1 }

export const modernReply = (result: JsonObject): UpstreamReply => ({ result, error: null, era: 'modern', ...NO_SIZES })
export const legacyReply = (result: JsonObject): UpstreamReply => ({ ...modernReply(result), era: 'legacy' })
export const legacyError = (error: RpcError): UpstreamReply => ({ ...legacyReply({}), result: null, error })
export const done = (text: string): UpstreamReply =>
  modernReply({ resultType: 'complete', content: [{ type: 'text', text }] })

/** What a modern server answers that asks. */
export const asks = (questions: Readonly<Record<string, Question>>, requestState?: string): UpstreamReply =>
  modernReply({
    resultType: 'input_required',
    ...(Object.keys(questions).length === 0 ? {} : { inputRequests: questions as unknown as JsonObject }),
    ...(requestState === undefined ? {} : { requestState }),
  })

/** One call to a legacy server, which does what the test says. */
export interface HeldCall {
  readonly send: (started: Started) => Promise<UpstreamReply>
  readonly started: Started
  readonly isCancelled: boolean
  ask(question: Question, signal?: CancelSignal): Promise<QuestionAnswer>
  note(note: JsonObject): void
  reply(reply: UpstreamReply): void
  fail(error: Error): void
}

export function heldCall(): HeldCall {
  let started: Started | undefined
  let resolve: (reply: UpstreamReply) => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const mustRun = (): Started => {
    if (started === undefined) throw new Error('the call has not been sent')
    return started
  }
  return {
    send(given) {
      started = given
      return new Promise((yes, no) => {
        resolve = yes
        reject = no
        const end = () => no(new GatehouseError('GH_UPSTREAM_CANCELLED'))
        given.signal?.addEventListener('abort', end)
      })
    },
    get started() {
      return mustRun()
    },
    get isCancelled() {
      return mustRun().signal?.aborted ?? false
    },
    ask(question, signal = new Cancel()) {
      const { conversation } = mustRun()
      if (conversation === undefined) throw new Error('the call cannot be asked')
      return conversation.onQuestion(question, signal)
    },
    note: (note) => mustRun().onNotification?.(note),
    reply: (reply) => resolve(reply),
    fail: (error) => reject(error),
  }
}

/** One request of a client; `close` is its hanging up. */
export function legOf(facts: Partial<Leg> = {}): Leg & { readonly notes: JsonObject[]; close(): void } {
  const gone = new Cancel()
  const notes: JsonObject[] = []
  return {
    ability: ABLE,
    progressToken: undefined,
    onNote: (note) => void notes.push(note),
    gone,
    ...facts,
    notes,
    close: () => gone.tell(),
  }
}

/** Numbers as by chance, the same for the same seed. */
export function chance(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
