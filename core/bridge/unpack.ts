import { createHash, randomBytes } from 'node:crypto'
import type { JsonObject } from '@gatehouse/sdk'
import { Cancel, type CancelSignal } from '../domain/cancel-signal.js'
import { GatehouseError } from '../errors.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'
import type { Ability } from '../upstream/ability.js'
import type { UpstreamReply } from '../upstream/types.js'
import { MOST_QUESTIONS, mustBeAble, readInputRequired } from './input-requests.js'

export interface UnpackOptions {
  readonly ability: Ability
  /** Sends the request (again): the original params with what is added. */
  readonly send: (added: JsonObject) => Promise<UpstreamReply>
  /** Puts one question to the client and waits for its answer. */
  readonly ask: (question: Question, signal: CancelSignal | undefined) => Promise<QuestionAnswer>
  /** Tells the client something beside the answer. */
  readonly tell: (note: JsonObject) => void
  readonly signal: CancelSignal
  /** Told of the time in which the client is out at a URL. */
  readonly waiting?: (work: Promise<void>) => Promise<void>
  readonly timing?: Partial<UnpackTiming>
}

/** Milliseconds. */
export interface UnpackTiming {
  /** First pause before a server that asks for patience is called again, and the longest. */
  readonly patience: number
  readonly patienceMost: number
  /** The same while a client is out at a URL. */
  readonly url: number
  readonly urlMost: number
  /** How long a server may put off its answer without asking anything new. */
  readonly most: number
}

const TIMING: UnpackTiming = { patience: 250, patienceMost: 4_000, url: 1_000, urlMost: 15_000, most: 600_000 }
const MOST_ROUNDS = 10
const NONE: ReadonlyMap<string, Question> = new Map()

/**
 * A server of the modern era asks in its result; a legacy client is asked by requests on its open stream. All questions of
 * a round are put at once, their answers go with the request that is sent anew, as often as the server asks.
 */
export async function unpack(first: UpstreamReply, options: UnpackOptions): Promise<UpstreamReply> {
  const timing = { ...TIMING, ...options.timing }
  const { waiting = (work) => work } = options
  const pause = createPause(options.signal, timing.most)
  const visits = createVisits(options)
  let reply = first
  for (let rounds = 0; ;) {
    const wanted = readInputRequired(reply)
    const fresh = visits.fresh(wanted?.questions ?? NONE)
    if (wanted === null) return reply
    if (wanted.questions.size > MOST_QUESTIONS || (fresh.length > 0 && (rounds += 1) > MOST_ROUNDS))
      throw new GatehouseError('GH_FORWARD_ROUNDS', {
        message: 'The server asked more than a client is asked in one call',
      })
    mustBeAble(options.ability, wanted.questions.values())
    const isWaiting = fresh.length === 0
    if (isWaiting && wanted.questions.size > 0) await waiting(pause(timing.url, timing.urlMost))
    else if (isWaiting) await pause(timing.patience, timing.patienceMost)
    else pause.reset()
    const inputResponses = await answersTo(wanted.questions, new Set(fresh), options, visits)
    reply = await options.send({
      ...(wanted.questions.size === 0 ? {} : { inputResponses }),
      ...(wanted.requestState === null ? {} : { requestState: wanted.requestState }),
    })
  }
}

type Visits = ReturnType<typeof createVisits>

async function answersTo(
  questions: ReadonlyMap<string, Question>,
  fresh: ReadonlySet<string>,
  options: UnpackOptions,
  visits: Visits,
): Promise<JsonObject> {
  const round = new Cancel()
  const endRound = () => round.tell()
  if (options.signal.aborted) endRound()
  options.signal.addEventListener('abort', endRound)
  const answerTo = async ([key, question]: [string, Question]): Promise<[string, JsonObject]> => {
    if (!fresh.has(key)) return [key, ACCEPTED]
    return [key, settle(question, await answered(question, visits.dressed(question), options, round))]
  }
  try {
    const answers = await Promise.all([...questions].map(answerTo))
    visits.remember(questions, new Map(answers))
    return Object.fromEntries(answers)
  } catch (thrown) {
    // Nobody waits for the others any more.
    round.tell()
    throw thrown
  } finally {
    options.signal.removeEventListener('abort', endRound)
  }
}

/** Who does not fill in a form in time has cancelled it. */
async function answered(
  { method }: Question,
  dressed: Question,
  { ask, signal }: UnpackOptions,
  round: CancelSignal,
): Promise<QuestionAnswer> {
  try {
    return await ask(dressed, round)
  } catch (thrown) {
    const isSilent = thrown instanceof GatehouseError && thrown.code === 'GH_FORWARD_UNANSWERED'
    if (!isSilent || signal.aborted || method !== 'elicitation/create') throw thrown
    return { result: { action: 'cancel' } }
  }
}

const ACCEPTED: JsonObject = Object.freeze({ action: 'accept' })

/** A client that cannot answer has cancelled a form; without a model's or a folder's answer there is no going on. */
function settle(question: Question, answer: QuestionAnswer): JsonObject {
  if ('result' in answer) return answer.result
  if (question.method === 'elicitation/create') return { action: 'cancel' }
  throw new GatehouseError('GH_FORWARD_UNANSWERED', {
    message: `The client refused '${question.method}': ${answer.error.message.slice(0, 200)}`,
  })
}

/**
 * Who was sent to a URL and said yes is not asked again while the server, which waits for what is done there, repeats the
 * question. 2025-11-25 gives such a question an id, and a note when it is done with.
 */
function createVisits({ tell }: UnpackOptions) {
  const open = new Map<string, string>()
  const ids = new Map<Question, string>()
  const digest = (question: Question) => createHash('sha256').update(JSON.stringify(question)).digest('base64url')
  const isUrl = ({ params }: Question) => params?.mode === 'url'
  return {
    /** The keys of those that must be asked; who is done at a URL is told. */
    fresh(questions: ReadonlyMap<string, Question>): string[] {
      const asked = new Set([...questions.values()].filter(isUrl).map(digest))
      for (const [what, elicitationId] of open) {
        if (asked.has(what)) continue
        open.delete(what)
        tell({ jsonrpc: '2.0', method: 'notifications/elicitation/complete', params: { elicitationId } })
      }
      return [...questions]
        .filter(([, question]) => !isUrl(question) || !open.has(digest(question)))
        .map(([key]) => key)
    },
    dressed(question: Question): Question {
      if (!isUrl(question)) return question
      const elicitationId = randomBytes(12).toString('base64url')
      ids.set(question, elicitationId)
      return { ...question, params: { ...question.params, elicitationId } }
    },
    remember(questions: ReadonlyMap<string, Question>, answers: ReadonlyMap<string, JsonObject>): void {
      for (const [key, question] of questions) {
        const id = ids.get(question)
        if (id !== undefined && answers.get(key)?.action === 'accept') open.set(digest(question), id)
      }
    },
  }
}

/** Grows from one call to the next until `reset`; ends the call when it has gone on for too long. */
function createPause(signal: CancelSignal, most: number) {
  let times = 0
  let since: number | null = null
  const pause = async (first: number, longest: number): Promise<void> => {
    since ??= Date.now()
    if (Date.now() - since > most)
      throw new GatehouseError('GH_FORWARD_ROUNDS', { message: 'The server put off its answer for too long' })
    const ms = Math.min(longest, first * 2 ** times)
    times += 1
    await sleep(ms, signal)
  }
  return Object.assign(pause, {
    reset: () => {
      times = 0
      since = null
    },
  })
}

function sleep(ms: number, signal: CancelSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
