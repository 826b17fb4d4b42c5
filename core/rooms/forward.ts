import type { Credentials, JsonObject } from '@gatehouse/sdk'
import { createModernClient, type ModernOptions } from '../bridge/modern-client.js'
import { sendLegacy } from '../bridge/legacy-client.js'
import { named } from '../bridge/named.js'
import { subjectOf } from '../bridge/subject.js'
import { enter, type Answered, type Inspected } from '../call.js'
import type { CancelSignal } from '../domain/cancel-signal.js'
import type { Flow } from '../domain/flow.js'
import { asGatehouseError, type ErrorCode, GatehouseError } from '../errors.js'
import { hears } from '../mcp/log-levels.js'
import { isObject } from '../mcp/message.js'
import { paramHeaders } from '../mcp/param-headers.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'
import { logLevelOf, progressTokenOf } from '../mcp/translate.js'
import { wayOf } from '../record/trail.js'
import { disabled, type Errand, type Errands } from '../upstream/errands.js'
import { NOT_SENT } from '../upstream/faults.js'
import type { Party, UpstreamReply, UpstreamRequest, Upstreams } from '../upstream/types.js'
import type { WholeRequest } from '../upstream/whole-request.js'

/** What passes between server and client before the answer, inspected like it. */
export interface Aside {
  /** Null when the client takes no notes. */
  readonly onNote: ((note: JsonObject) => void) | null
  /** How fast notes go on to the client; null where there are none. */
  readonly flow: Flow | null
  /** Answers what the rules leave; throws when one blocks it. */
  readonly question: (question: Question) => Promise<Question>
  readonly answer: (answer: QuestionAnswer) => Promise<QuestionAnswer>
  /** The same of what the client tells while it has a question; null when one blocks it. */
  readonly progress: (told: JsonObject) => Promise<JsonObject | null>
}

export type Forward = (call: Inspected, aside: Aside) => Promise<Answered>

export interface ForwardOptions extends ModernOptions {
  readonly upstreams: Upstreams
  readonly limits: () => { readonly call: number; readonly callTotal: number }
  readonly pulseMs?: number
  /** The feature as its server lists it now. */
  readonly definitionNow: (call: Inspected) => Promise<JsonObject | null>
  readonly errands: Errands
  /** Whether whoever brought these credentials would still be let in: asked of a call that sleeps. */
  readonly stillEnters: (credentials: Credentials, gatewayId: string) => Promise<boolean>
}

/** Calls the server with the credential that was lent, and writes the two legs in the middle of the record. */
export function createForward(options: ForwardOptions): Forward {
  const sendModern = createModernClient(options)
  return async (call, aside) => {
    const errand = errandOf(call)
    // Rules may have looked at it for long.
    if (options.errands.isOff(errand)) throw disabled(errand.prefix)
    const sentAt = Date.now()
    const way = wayOf(call.feature.assignment)
    try {
      const whole = options.errands.run(errand, call.gone, (gone) =>
        exchange(call, { aside, gone, errand }, options, sendModern),
      )
      const reply = understood(await whole, call)
      call.trail.leg('mcp_request_success', { offset: sentAt - call.trail.at, bytes: reply.bytesSent }, way)
      const rpcError = reply.error?.code ?? null
      call.trail.leg(
        rpcError === null ? 'mcp_response_success' : 'mcp_response_error',
        { durationMs: Date.now() - sentAt, bytes: reply.bytesReceived, httpStatus: reply.httpStatus, rpcError },
        way,
      )
      return enter(call, 'answered', { reply })
    } catch (thrown) {
      throw failed(call, sentAt, thrown)
    }
  }
}

interface Around {
  readonly aside: Aside
  /** Tells that its client has gone, or that what it is about was switched off. */
  readonly gone: CancelSignal
  readonly errand: Errand
}

function exchange(
  call: Inspected,
  { aside, gone, errand }: Around,
  options: ForwardOptions,
  sendModern: ReturnType<typeof createModernClient>,
): Promise<UpstreamReply> {
  const { target } = call
  const params = call.era === 'modern' ? call.upstreamParams : withoutRetry(call.upstreamParams)
  const logLevel = logLevelOf(call)
  const onNote = aside.onNote === null ? null : heard(aside.onNote, logLevel)
  const progressToken = onNote === null ? undefined : progressTokenOf(call.params)
  const { flow } = aside
  const first = () => ({ deadline: call.deadline, hardDeadline: call.trail.at + options.limits().callTotal })
  const send = (own: Own, span = first()) => sendHealed(call, options, requestOf(call, own, { flow, logLevel, span }))
  if (call.era === 'modern') {
    const wantsLog = typeof logLevel === 'string'
    const mayGoOn = whether(call, errand, options)
    return sendModern({
      target,
      subject: subjectOf(call),
      params,
      progressToken,
      wantsLog,
      onNote,
      gone,
      trail: call.trail,
      send,
      mayGoOn,
    })
  }
  return sendLegacy({
    target,
    gone,
    party: partyOf(call),
    ask: askFor(call),
    onQuestion: async (question) => named(await aside.question(question), call.plan, call.feature.assignment),
    onAnswer: (answer) => aside.answer(answer),
    onProgress: (told) => aside.progress(told),
    onNote,
    progressToken,
    pulseMs: options.pulseMs,
    // What a legacy server does to its stream is done to ours: a client that polls is let go in between.
    send: ({ added, conversation, onNotification }) => {
      const onCut = call.interrupt ?? undefined
      const own = { params, signal: gone, progressToken, onNotification, conversation, onCut }
      const isFirst = Object.keys(added).length === 0
      return isFirst ? send(own) : send({ ...own, params: { ...params, ...added } }, anew(options.limits()))
    },
  })
}

function errandOf({ plan, feature, principal, ability }: Inspected): Errand {
  const { server, assignment, prefix } = feature.assignment
  return { gatewayId: plan.gateway.id, assignmentId: assignment.id, serverId: server.id, prefix, principal, ability }
}

/** Asked long after the call has left its rooms: it must not keep the call. */
function whether({ credentials }: Inspected, errand: Errand, { errands, stillEnters }: ForwardOptions) {
  return async () => !errands.isOff(errand) && stillEnters(credentials, errand.gatewayId)
}

/** Its client's answer is on record as a message of its own, under the correlation id of the call. */
function askFor({ ask, trail }: Inspected): Inspected['ask'] {
  return ask && ((question, how) => ask(question, { ...how, correlationId: trail.correlationId }))
}

/** What only the modern era has means nothing from a legacy client: no rule looks at a state that was never sealed. */
function withoutRetry(params: JsonObject): JsonObject {
  if (params.requestState === undefined && params.inputResponses === undefined) return params
  const { requestState: _, inputResponses: __, ...rest } = params
  return rest
}

/** What of a request is not the call's. */
type Own = Pick<UpstreamRequest, 'params' | 'signal' | 'progressToken' | 'onNotification' | 'conversation' | 'onCut'>

interface Passed {
  readonly flow: Flow | null
  readonly logLevel: string | null | undefined
  readonly span: { readonly deadline: number; readonly hardDeadline: number }
}

function requestOf(call: Inspected, own: Own, { flow, logLevel, span }: Passed): WholeRequest {
  return {
    method: call.method,
    params: own.params,
    deadline: span.deadline,
    hardDeadline: span.hardDeadline,
    signal: own.signal,
    progressToken: own.progressToken,
    paramHeaders: headersOf(call.method, call.feature.definition, own.params),
    onNotification: own.onNotification,
    flow: flow ?? undefined,
    onCut: own.onCut,
    conversation: own.conversation,
    logLevel,
  }
}

/** Each round of questions has a call's whole time. */
function anew({ call, callTotal }: { readonly call: number; readonly callTotal: number }) {
  return { deadline: Date.now() + call, hardDeadline: Date.now() + callTotal }
}

const heard = (onNote: (note: JsonObject) => void, level: string | null | undefined) => (note: JsonObject) => {
  if (hears(level, note)) onNote(note)
}

const HEADER_MISMATCH = -32020

/**
 * A server that refuses our headers has changed the tool since we read its list: it is read again, and the request, which
 * was refused before it ran, is sent once more.
 */
async function sendHealed(call: Inspected, options: ForwardOptions, request: WholeRequest): Promise<UpstreamReply> {
  const reply = await options.upstreams.request(call.target, request)
  if (reply.error?.code !== HEADER_MISMATCH || reply.era === 'legacy') return reply
  const paramHeaders = headersOf(call.method, await options.definitionNow(call), request.params)
  const again = await options.upstreams.request(call.target, { ...request, paramHeaders })
  if (again.error?.code !== HEADER_MISMATCH) return again
  throw new GatehouseError('GH_UPSTREAM_PROTOCOL', {
    message: `Server "${call.feature.assignment.server.slug}" refuses headers that agree with its own list`,
  })
}

const UNABLE = -32021
const RESULT_TYPES: readonly unknown[] = [undefined, 'complete', 'input_required']

/** What a server may say only to clients of its own era. */
function understood(reply: UpstreamReply, call: Inspected): UpstreamReply {
  const { error, result } = reply
  if (reply.era === 'legacy') {
    // A legacy server asks nothing by it, and what stands beside it is a text like any other.
    if (result?.resultType !== 'input_required') return reply
    const { resultType: _, ...rest } = result
    return { ...reply, result: rest }
  }
  if (error?.code === UNABLE && call.era === 'legacy') {
    const data = isObject(error.data) ? error.data : {}
    throw new GatehouseError('GH_FORWARD_CAPABILITY', { message: error.message, data })
  }
  if (RESULT_TYPES.includes(result?.resultType)) return reply
  throw new GatehouseError('GH_UPSTREAM_PROTOCOL', {
    message: 'The server gave a kind of result that was not agreed on',
  })
}

function partyOf({ session, principal, plan }: Inspected): Party | null {
  return session === null ? null : { sessionId: session.id, gatewayId: plan.gateway.id, principal }
}

/** Refused here, before anything was sent. */
const REFUSED_HERE: ReadonlySet<ErrorCode> = new Set(['GH_FORWARD_STATE', 'GH_FORWARD_PARKED_LOST', 'GH_DOOR_PARAMS'])
/** The server answered, with questions that went no further. */
const NOT_THE_SERVERS: ReadonlySet<ErrorCode> = new Set([
  'GH_INSPECT_BLOCKED',
  'GH_FORWARD_UNANSWERED',
  'GH_FORWARD_ROUNDS',
  'GH_FORWARD_STATE_SIZE',
])

/** What surely was not sent is a failed request; any other failure is one of the answer: the server may have acted. */
function failed(call: Inspected, sentAt: number, thrown: unknown): unknown {
  const { code, data, detail } = asGatehouseError(thrown)
  if (REFUSED_HERE.has(code)) return thrown
  const way = wayOf(call.feature.assignment)
  const facts = { error: code, durationMs: Date.now() - sentAt }
  const offset = sentAt - call.trail.at
  const isAnswer = code === 'GH_UPSTREAM_RATE_LIMITED' && detail !== NOT_SENT
  if (data?.retryable === true && !isAnswer) {
    call.trail.leg('mcp_request_error', { ...facts, offset }, way)
    return thrown
  }
  call.trail.leg('mcp_request_success', { offset }, way)
  if (NOT_THE_SERVERS.has(code)) call.trail.leg('mcp_response_success', { durationMs: facts.durationMs }, way)
  else call.trail.leg('mcp_response_error', facts, way)
  return thrown
}

function headersOf(
  method: string,
  tool: JsonObject | null,
  params: JsonObject,
): Readonly<Record<string, string>> | undefined {
  if (tool === null || method !== 'tools/call') return undefined
  return paramHeaders(tool, isObject(params.arguments) ? params.arguments : {})
}
