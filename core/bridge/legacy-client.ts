import type { JsonObject } from '@gatehouse/sdk'
import type { CancelSignal } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import { isObject } from '../mcp/message.js'
import type { Ask, OnProgress, Question, QuestionAnswer } from '../mcp/questions.js'
import { lacks } from '../upstream/ability.js'
import type { Conversation, Party, Target, UpstreamReply, UpstreamRequest } from '../upstream/types.js'
import { createPulse, type Pulse } from './pulse.js'
import { unpack } from './unpack.js'

/** One request of a legacy client on its way to a server. */
export interface LegacyCall {
  readonly target: Target
  readonly party: Party | null
  readonly ask: Ask | null
  /** What the rules leave of a question and of its answer; they throw when a rule blocks it. */
  readonly onQuestion: (question: Question) => Promise<Question>
  readonly onAnswer: (answer: QuestionAnswer) => Promise<QuestionAnswer>
  /** The same of what the client tells before it answers; null when a rule blocks it. */
  readonly onProgress: (told: JsonObject) => Promise<JsonObject | null>
  /** Null when the client takes no notes. */
  readonly onNote: ((note: JsonObject) => void) | null
  readonly progressToken: string | number | undefined
  /** How often a client that gave a token hears that its call waits for an answer; 15 s unless told. */
  readonly pulseMs?: number | undefined
  readonly gone: CancelSignal
  readonly send: (
    request: { readonly added: JsonObject } & Pick<UpstreamRequest, 'conversation' | 'onNotification'>,
  ) => Promise<UpstreamReply>
}

/** A question waits so long for a person. */
const QUESTION_MS = 600_000

/**
 * For a client of the legacy eras, whatever its server speaks: it is asked by requests on its open stream. A legacy server
 * gets the answer in the middle of its call, a modern one with the call made anew.
 */
export async function sendLegacy(call: LegacyCall): Promise<UpstreamReply> {
  const pulse = pulseOf(call)
  const put = async (question: Question, signal?: CancelSignal, toServer?: OnProgress): Promise<QuestionAnswer> => {
    const { ask } = call
    if (ask === null) return CANNOT
    const allowed = await call.onQuestion(question)
    const onProgress = toServer && ruled(call, toServer)
    const answer = ask(allowed, { deadline: Date.now() + QUESTION_MS, signal, onProgress })
    return call.onAnswer(await pulse.during(answer))
  }
  const { party } = call
  const onQuestion: Conversation['onQuestion'] = (...asked) => answered(call, put, asked)
  const conversation = party === null ? undefined : { party, whose: party.sessionId, onQuestion }
  const { onNote } = call
  const heardNext = onNote === null ? () => undefined : rising((note) => pulse.mayPass(note) && onNote(note))
  const send = (added: JsonObject) => call.send({ added, conversation, onNotification: heardNext() })
  const first = await send({})
  if (first.era === 'legacy' || first.result?.resultType !== 'input_required') return first
  const { ability } = call.target
  const tell = (note: JsonObject) => onNote?.(note)
  return unpack(first, { ability, send, ask: put, tell, signal: call.gone, waiting: pulse.during })
}

const ruled =
  ({ onProgress }: LegacyCall, toServer: OnProgress): OnProgress =>
  async (told) => {
    const left = await onProgress(told)
    if (left !== null) await toServer(left)
  }

/** None for a client that asked for no progress. */
function pulseOf({ onNote, progressToken: token, pulseMs: everyMs }: LegacyCall): Pulse {
  if (onNote === null || token === undefined) return { mayPass: () => true, during: (work) => work }
  return createPulse({ token, tell: onNote, everyMs })
}

const CANNOT: QuestionAnswer = { error: { code: -32601, message: 'The client cannot be asked in this call' } }

/** A legacy server that asks for what it was not told the client can do is refused, and goes on as it likes. */
async function answered(
  call: LegacyCall,
  put: Conversation['onQuestion'],
  [question, signal, onProgress]: Parameters<Conversation['onQuestion']>,
): Promise<QuestionAnswer> {
  if (lacks(call.target.ability, question.method, question.params) !== null)
    return { error: { code: -32601, message: `The client has not declared '${question.method}'` } }
  try {
    return await put(question, signal, onProgress)
  } catch (thrown) {
    const isSilent = thrown instanceof GatehouseError && thrown.code === 'GH_FORWARD_UNANSWERED'
    if (isSilent && question.method === 'elicitation/create') return { result: { action: 'cancel' } }
    throw thrown
  }
}

/** A call that is made anew tells its progress from the start: its client hears only what goes beyond all before. */
function rising(onNote: (note: JsonObject) => void): () => (note: JsonObject) => void {
  let highest = -Infinity
  return () => {
    const floor = highest
    return (note) => {
      const value = note.method === 'notifications/progress' && isObject(note.params) ? note.params.progress : undefined
      if (typeof value === 'number' && value <= floor) return
      if (typeof value === 'number') highest = Math.max(highest, value)
      onNote(note)
    }
  }
}
