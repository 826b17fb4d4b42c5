import type { JsonObject } from '@gatehouse/sdk'
import type { CancelSignal } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import { isObject } from '../mcp/message.js'
import type { Question } from '../mcp/questions.js'
import type { Target, UpstreamReply, UpstreamRequest } from '../upstream/types.js'
import type { Completions } from './completions.js'
import { MOST_QUESTIONS, mustBeAble, readInputRequired, withoutId } from './input-requests.js'
import type { ParkedCalls } from './parked-calls.js'
import type { RequestState, RequestStates, StateSubject } from './request-state.js'
import { Suspended, type Started } from './suspended.js'

export interface ModernOptions {
  readonly parked: ParkedCalls
  readonly states: RequestStates
  readonly completions: Completions
  /** The name of this replica, by which a sealed state finds back to it. */
  readonly replica: string
  /** Milliseconds that a call waits for what is done at a URL before it is made again. */
  readonly urlWait?: number
}

/** One request of a modern client on its way to a server. */
export interface ModernCall {
  readonly target: Target
  readonly subject: StateSubject
  readonly params: JsonObject
  readonly progressToken: string | number | undefined
  /** Whether it asked for log notes: the level is set for a whole upstream session, so the call needs one of its own. */
  readonly wantsLog: boolean
  readonly onNote: ((note: JsonObject) => void) | null
  readonly gone: CancelSignal
  /** Where it is on record: the rounds of one call stand under one correlation id. */
  readonly trail: { readonly correlationId: string; belongsTo(correlationId: string): void }
  readonly send: (request: Pick<UpstreamRequest, 'params'> & Partial<Started>) => Promise<UpstreamReply>
  /** Whether it would be let in still: asked while it sleeps. */
  readonly mayGoOn?: () => Promise<boolean>
}

export type SendModern = (call: ModernCall) => Promise<UpstreamReply>

/** Longer than a server takes to say that all is done at its URL, shorter than a client waits. */
const URL_WAIT_MS = 20_000
/** No others may end in a question (2026-07-28). */
export const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/**
 * For a client of the modern era, whatever its server speaks. A modern server's questions go through, its state sealed; a
 * legacy one's end the request, and the call sleeps until the client comes back with the answers.
 */
export function createModernClient(options: ModernOptions): SendModern {
  const { states, completions, urlWait = URL_WAIT_MS } = options

  async function start(call: ModernCall, params: JsonObject, round: number): Promise<UpstreamReply> {
    const { progressToken, onNote, gone } = call
    const needsLane = call.target.ability.key !== '' || call.wantsLog
    if (!needsLane || !MAY_ASK.has(call.subject.method)) {
      const reply = await call.send({ params, progressToken, onNotification: onNote ?? undefined, signal: gone })
      return pack(reply, call, states, round)
    }
    const suspended = new Suspended(call.target.ability, whoseOf(call.subject))
    suspended.start((started) => call.send({ params, ...started, onNotification: heard(call, started) }))
    return awake(suspended, call, options, round)
  }

  /** That a URL is done with has no note in this era; a call that waits for it is made again. */
  const heard =
    ({ target }: ModernCall, { onNotification }: Started) =>
    (note: JsonObject) => {
      if (note.method !== 'notifications/elicitation/complete') return onNotification?.(note)
      const id = isObject(note.params) ? note.params.elicitationId : undefined
      if (typeof id === 'string') completions.done(target.server.id, id)
    }

  return async (call) => {
    const { requestState, ...rest } = call.params
    if (requestState === undefined) return start(call, call.params, 0)
    const { inputResponses, ...first } = rest
    const state = states.open(requestState, call.subject)
    call.trail.belongsTo(state.correlationId)
    switch (state.kind) {
      case 'forward':
        return start(call, { ...rest, requestState: state.state }, state.round)
      case 'parked':
        return resume(call, state, readAnswers(inputResponses), options)
      case 'again':
        mustAccept(inputResponses)
        return start(call, first, state.round)
      case 'rerun':
        mustAccept(inputResponses)
        await completions.wait(call.target.server.id, state.elicitationIds, urlWait, call.gone)
        return start(call, first, state.round)
    }
  }
}

/** Everything that decides which rules and which eyes a question meets. */
const whoseOf = ({ user, host, gateway, assignment }: StateSubject) => `${user} ${host} ${gateway} ${assignment}`

const REFUSED = 'The client did not go to where the server sent it'
function mustAccept(inputResponses: unknown): void {
  if ([...readAnswers(inputResponses).values()].some(({ action }) => action !== 'accept'))
    throw new GatehouseError('GH_FORWARD_UNANSWERED', { message: REFUSED })
}

async function resume(
  call: ModernCall,
  state: RequestState & { kind: 'parked' },
  answers: ReadonlyMap<string, JsonObject>,
  options: ModernOptions,
): Promise<UpstreamReply> {
  if (state.owner !== options.replica) throw new GatehouseError('GH_FORWARD_PARKED_LOST', { data: { retryable: true } })
  const suspended = options.parked.take(state.callId, state.round)
  if (suspended === null) throw new GatehouseError('GH_FORWARD_STATE', { message: 'Invalid or expired requestState' })
  suspended.answer(answers)
  return awake(suspended, call, options, state.round)
}

/** Until the server has answered, or its questions have to go to the client. */
async function awake(
  suspended: Suspended,
  call: ModernCall,
  options: ModernOptions,
  round: number,
): Promise<UpstreamReply> {
  const { subject, target } = call
  for (;;) {
    const end = await suspended.leg({ ...call, ability: target.ability })
    if (end.kind === 'reply') return pack(end.reply, call, options.states, round)
    const { mayGoOn = always } = call
    if (options.parked.park(suspended, { user: subject.user, server: subject.server, mayGoOn }))
      return asleep(suspended, end.questions, call, options)
    suspended.refuse(end.questions.keys())
  }
}

const always = async () => true

/** What its client gets to see of a call that sleeps; one that cannot be woken ends. */
function asleep(
  suspended: Suspended,
  questions: ReadonlyMap<string, Question>,
  { subject, trail }: ModernCall,
  { parked, states, replica }: ModernOptions,
): UpstreamReply {
  const { id: callId, round } = suspended
  const unseen = () => parked.take(callId, round)?.cancel()
  const { correlationId } = trail
  try {
    const state = states.seal({ kind: 'parked', round, correlationId, callId, owner: replica }, subject)
    return { ...asking(questions, state), unseen }
  } catch (thrown) {
    unseen()
    throw thrown
  }
}

function asking(questions: ReadonlyMap<string, Question>, requestState: string): UpstreamReply {
  const inputRequests = Object.fromEntries([...questions].map(([name, question]) => [name, { ...question }]))
  const result = { resultType: 'input_required', inputRequests, requestState } as JsonObject
  return { result, error: null, era: 'modern', httpStatus: null, bytesSent: 0, bytesReceived: 0 }
}

/** What is neither an object of answers nor absent, and an answer that is no object, was never a client's. */
function readAnswers(given: unknown): ReadonlyMap<string, JsonObject> {
  if (given === undefined) return new Map()
  const entries = isObject(given) ? Object.entries(given) : null
  if (entries === null || !entries.every((entry): entry is [string, JsonObject] => isObject(entry[1])))
    throw new GatehouseError('GH_DOOR_PARAMS', { message: 'params.inputResponses must be an object of objects' })
  return new Map(entries)
}

/** A server's own questions and its way of sending a client to a URL, in the terms of the modern era. */
function pack(reply: UpstreamReply, call: ModernCall, states: RequestStates, round: number): UpstreamReply {
  if (reply.error?.code === URL_REQUIRED && reply.era === 'legacy') return sentToUrl(reply, call, states, round)
  const { result } = reply
  const wanted = readInputRequired(reply)
  if (wanted === null || result === null) return reply
  mustBeAble(call.target.ability, wanted.questions.values())
  if (wanted.requestState === null) return reply
  const { correlationId } = call.trail
  const state = { kind: 'forward', round: round + 1, correlationId, state: wanted.requestState } as const
  return { ...reply, result: { ...result, requestState: states.seal(state, call.subject) } }
}

const URL_REQUIRED = -32042

/** The error of 2025-11-25 that sends the client to URLs first. */
function sentToUrl(reply: UpstreamReply, call: ModernCall, states: RequestStates, round: number): UpstreamReply {
  const data = reply.error?.data
  const named = isObject(data) && Array.isArray(data.elicitations) ? data.elicitations.filter(isObject) : []
  if (named.length === 0) return reply
  if (named.length > MOST_QUESTIONS)
    throw new GatehouseError('GH_FORWARD_ROUNDS', { message: 'The server names more URLs than a person would visit' })
  const questions = new Map(
    named.map((params, at): [string, Question] => [
      `u${at + 1}`,
      withoutId({ method: 'elicitation/create', params: { ...params, mode: 'url' } }),
    ]),
  )
  mustBeAble(call.target.ability, questions.values())
  const elicitationIds = named.flatMap(({ elicitationId }) =>
    typeof elicitationId === 'string' ? [elicitationId] : [],
  )
  const { correlationId } = call.trail
  const state = { kind: 'rerun', round: round + 1, correlationId, elicitationIds } as const
  return asking(questions, states.seal(state, call.subject))
}
