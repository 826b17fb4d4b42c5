import type { Alert, CallContext, JsonObject, Receipt } from '@gatehouse/sdk'
import { answerIn, paramsOf, questionIn, resultOf } from '../bridge/plugin-view.js'
import { enter, type Answered, type Inspected, type Permitted, type Released } from '../call.js'
import { Backlog } from '../domain/backlog.js'
import type { Flow } from '../domain/flow.js'
import { GatehouseError } from '../errors.js'
import type { Bus } from '../hooks/bus.js'
import type { ReceiptPlace, SealBody } from '../record/trail.js'
import { featureRequest, featureResponse, mangled } from '../hooks/features.js'
import { forOlder } from '../mcp/older.js'
import { translateResult } from '../mcp/translate.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'
import type { Outcome } from '../rules/chain.js'
import { originalText } from '../rules/originals.js'
import { runTexts } from '../rules/recorded.js'
import type { KeptRun } from '../rules/recorded.js'
import { toldHeader } from '../rules/engines.js'
import type { Subject } from '../rules/engines.js'
import type { RpcError } from '../upstream/types.js'
import type { Rules } from '../rules/rules.js'
import type { Leg } from '../rules/shape.js'
import { writeJson } from '../mcp/json.js'
import { readNote } from '../mcp/message.js'

export interface InspectOptions {
  readonly rules: Rules
  readonly bus: Bus
  readonly raise: (alert: Alert) => void
  /** For gateways that keep what messages said before the rules. */
  readonly seal: SealBody
  /** Puts the URIs of a result into the terms of the client. */
  readonly publicResult: (call: Answered, result: JsonObject) => JsonObject
}

export interface Inspect {
  request(call: Permitted): Inspected | Promise<Inspected>
  response(call: Answered): Released | Promise<Released>
  /** Notes on their way back before the answer: inspected in order, like the answer. */
  relay(call: Inspected): Relayed
}

/** Notes, questions and answers of a call. */
export interface Relayed {
  readonly onNote: ((note: JsonObject) => void) | null
  readonly flow: Flow | null
  question(question: Question): Promise<Question>
  answer(answer: QuestionAnswer): Promise<QuestionAnswer>
  progress(told: JsonObject): Promise<JsonObject | null>
  settled(): Promise<void> | undefined
}

/** Shows both legs of a call to the gateway's rules, then to the plugins. What is blocked here goes no further. */
export function createInspect(options: InspectOptions): Inspect {
  const { rules, bus } = options
  /** Notes and errors are of no feature's shape; every text in them is looked at. */
  const inspectLoose = (call: Inspected | Answered, content: JsonObject) => {
    const [subject, message] = [{ ...subjectOf(call), shape: 'tool' as const }, { structuredContent: content }]
    keep(call, 'response', subject, message)
    return rules.inspectResponse(call.plan.rules, subject, message)
  }
  const keep = (call: Permitted | Inspected | Answered, leg: Leg, subject: Subject, message: JsonObject) => {
    if (call.plan.gateway.capture !== 'sealed') return
    call.trail.original(leg, originalText(subject, call.feature.assignment.server.id, message), options.seal)
  }
  /** Writes down what the rules of a leg did, and what their engines looked at where the message itself is kept. */
  const settle = (call: Permitted | Answered, leg: Leg, outcome: Outcome, message: JsonObject) => {
    const { trail, plan } = call
    if (outcome.recorded.length > 0 && plan.gateway.capture === 'sealed')
      trail.recorded(leg, runTexts(runsOf(outcome, trail.nextReceipt())), options.seal)
    return settleOutcome(call, outcome, message, options.raise)
  }
  /** A server's error carries text like any answer: no side door. */
  const ruledError = async (call: Answered): Promise<RpcError> => {
    const error = call.reply.error ?? { code: -32603, message: 'The server answered nothing' }
    const { code, ...seen } = error as RpcError & JsonObject
    const outcome = await inspectLoose(call, seen)
    const ruled = settle(call, 'response', outcome, { structuredContent: seen }).structuredContent
    if (ruled === seen) return error
    const { message, ...rest } = ruled as JsonObject
    return { ...rest, code, message: typeof message === 'string' ? message : 'The server answered an error' }
  }
  const afterRequest = async (call: Permitted, subject: Subject, seen: Outcome | Promise<Outcome>) => {
    const outcome = await seen
    const ruled = settle(call, 'request', outcome, call.upstreamParams)
    return letIn(
      call,
      outcome,
      bus.has('feature.request')
        ? await featureRequest(
            bus,
            { context: subject.context(), params: ruled },
            { deadline: call.deadline, parent: call.gone.signal },
          )
        : ruled,
    )
  }
  const afterResponse = async (
    call: Answered,
    subject: Subject,
    given: JsonObject,
    seen: Outcome | Promise<Outcome>,
  ) => {
    const ruled = settle(call, 'response', await seen, given)
    return letOut(
      call,
      bus.has('feature.response')
        ? await featureResponse(bus, { context: subject.context(), result: ruled }, call.gone.signal)
        : ruled,
    )
  }
  /**
   * What the record keeps is what left the rules; a message that no rule looked at is kept as it came. One that rules
   * passed is not: a key that is given twice hides its first value from them and not from a reader of the text.
   */
  const letIn = (call: Permitted, { receipts }: Outcome, params: JsonObject): Inspected => {
    const isAsItCame = receipts.length === 0 && params === call.upstreamParams
    call.trail.request(isAsItCame ? call.text : writeJson({ method: call.method, params }))
    return enter(call, 'inspected', { upstreamParams: params })
  }
  const letOut = (call: Answered, ruled: JsonObject): Released => {
    const translated = translateResult(ruled, call.reply.era, call.era, call.method)
    const result = call.era === 'legacy' ? forOlder(translated, call.version) : translated
    return enter(call, 'released', { result: options.publicResult(call, result), error: null })
  }
  return {
    // Both legs answer at once when every engine does and no plugin wants to see the message.
    request(call) {
      const subject = subjectOf(call)
      keep(call, 'request', subject, call.upstreamParams)
      const seen = rules.inspectRequest(call.plan.rules, subject, call.upstreamParams)
      if (seen instanceof Promise || bus.has('feature.request')) return afterRequest(call, subject, seen)
      return letIn(call, seen, settle(call, 'request', seen, call.upstreamParams))
    },
    response(call) {
      const { result: given, error } = call.reply
      if (given === null || error !== null)
        return ruledError(call).then((ruled) => enter(call, 'released', { result: null, error: ruled }))
      const subject = subjectOf(call)
      keep(call, 'response', subject, given)
      const seen = rules.inspectResponse(call.plan.rules, subject, given)
      if (seen instanceof Promise || bus.has('feature.response')) return afterResponse(call, subject, given, seen)
      return letOut(call, settle(call, 'response', seen, given))
    },
    relay: (call) => new Relay(call, options),
  }
}

/**
 * What passes besides request and answer. One is made for each call, and most are never needed: what it does stands in its
 * prototype. What rules did stands on the legs of request and answer, so as not to be lost.
 */
class Relay implements Relayed {
  readonly onNote: ((note: JsonObject) => void) | null
  /** Rules may be slower than a server talks. */
  readonly flow: Backlog | null
  readonly #call: Inspected
  readonly #options: InspectOptions
  /** Of what comes from the server, like the answer: the newest. */
  #receipts: Receipt[] | undefined
  /** Of what the client says, which is the request's. */
  #kept = 0
  #last: Promise<void> | undefined

  constructor(call: Inspected, options: InspectOptions) {
    const { notify } = call
    this.#call = call
    this.#options = options
    this.flow = notify === null ? null : new Backlog(call.flow)
    this.onNote = notify === null ? null : (note) => this.#enter(note, notify)
  }

  /** After the rules, plugins: as they see a modern client's. */
  async question(question: Question): Promise<Question> {
    const ruled = await this.#ruledQuestion(question)
    const { bus } = this.#options
    if (!bus.has('feature.response')) return ruled
    const shown = { context: contextOf(this.#call), result: resultOf(ruled) }
    return questionIn(await featureResponse(bus, shown, this.#call.gone.signal), ruled) ?? mangled()
  }

  async answer(answer: QuestionAnswer): Promise<QuestionAnswer> {
    const ruled = await this.#ruledAnswer(answer)
    const { bus } = this.#options
    if (!bus.has('feature.request')) return ruled
    const shown = { context: contextOf(this.#call), params: paramsOf(this.#call.upstreamParams, ruled) }
    return answerIn(await featureRequest(bus, shown, { parent: this.#call.gone.signal }), ruled) ?? mangled()
  }

  async #ruledQuestion(question: Question): Promise<Question> {
    const { params } = question
    if (params === undefined) return question
    const seen = { structuredContent: params }
    const outcome = await this.#options.rules.inspectResponse(this.#call.plan.rules, this.#subject, seen)
    const ruled = conclude(this.#call, outcome, seen, {
      raise: this.#options.raise,
      keep: (some) => this.#keep(some),
    })
    return { ...question, params: ruled.structuredContent as JsonObject }
  }

  async #ruledAnswer(answer: QuestionAnswer): Promise<QuestionAnswer> {
    const isResult = 'result' in answer
    const seen = { structuredContent: isResult ? answer.result : { message: answer.error.message } } as JsonObject
    const outcome = await this.#options.rules.inspectRequest(this.#call.plan.rules, this.#subject, seen)
    const ruled = conclude(this.#call, outcome, seen, {
      raise: this.#options.raise,
      keep: (some) => this.#keepRequest(some),
    })
    const left = ruled.structuredContent as JsonObject
    return isResult ? { result: left } : { error: { code: answer.error.code, message: String(left.message) } }
  }

  async progress(told: JsonObject): Promise<JsonObject | null> {
    const { rules, raise } = this.#options
    const outcome = await rules.inspectRequest(this.#call.plan.rules, this.#subject, { structuredContent: told })
    for (const alert of outcome.alerts) raise(alert)
    this.#keepRequest(outcome.receipts.filter((receipt) => receipt.verdict !== 'pass'))
    if (outcome.kind === 'blocked') return null
    return outcome.kind === 'pass' ? told : (outcome.message.structuredContent as JsonObject)
  }

  settled(): Promise<void> | undefined {
    if (this.#last === undefined && this.#receipts === undefined) return undefined
    return (this.#last ?? Promise.resolve()).then(() => this.#call.trail.ruled(this.#receipts?.splice(0) ?? []))
  }

  get #subject(): Subject {
    return { ...subjectOf(this.#call), shape: 'tool' }
  }

  #keep(some: readonly Receipt[]): void {
    if (some.length === 0) return
    const receipts = (this.#receipts ??= [])
    receipts.push(...some)
    receipts.splice(0, receipts.length - MOST_ASIDE_RECEIPTS)
  }

  /** What goes beyond so many is lost. */
  #keepRequest(some: readonly Receipt[]): void {
    if (this.#kept + some.length > MOST_ASIDE_RECEIPTS) return
    this.#kept += some.length
    this.#call.trail.ruled(some)
  }

  #enter(note: JsonObject, notify: (note: JsonObject) => void): void {
    if (this.flow?.enter() !== true) return
    this.#last = (this.#last ?? Promise.resolve())
      .then(() => this.#pass(note, notify))
      .catch(() => undefined)
      .finally(() => this.flow?.leave())
  }

  async #pass(aside: JsonObject, notify: (note: JsonObject) => void): Promise<void> {
    const note = readNote(aside)
    if (note === null) return
    const { method, params } = note
    const jsonrpc = '2.0'
    if (params === undefined) return notify({ jsonrpc, method })
    const { rules, raise } = this.#options
    const outcome = await rules.inspectResponse(this.#call.plan.rules, this.#subject, { structuredContent: params })
    for (const alert of outcome.alerts) raise(alert)
    this.#keep(outcome.receipts.filter((receipt) => receipt.verdict !== 'pass'))
    // What stands beside the params was not inspected, and belongs to no note.
    if (outcome.kind === 'pass') notify({ jsonrpc, method, params })
    if (outcome.kind === 'changed') notify({ jsonrpc, method, params: outcome.message.structuredContent })
  }
}

/** A call may send notes without end; its record may not. */
const MOST_ASIDE_RECEIPTS = 100

type Keep = (receipts: readonly Receipt[]) => void

/** Writes the receipts, raises the alerts and gives the message as the rules left it; throws when they blocked it. */
function settleOutcome(
  call: Permitted | Inspected | Answered,
  outcome: Outcome,
  message: JsonObject,
  raise: (alert: Alert) => void,
): JsonObject {
  return conclude(call, outcome, message, { raise, keep: (receipts) => call.trail.ruled(receipts) })
}

/** The same, where the receipts do not stand on the next leg. */
function conclude(
  call: Permitted | Inspected | Answered,
  outcome: Outcome,
  message: JsonObject,
  { raise, keep }: { readonly raise: (alert: Alert) => void; readonly keep: Keep },
): JsonObject {
  keep(outcome.receipts)
  for (const alert of outcome.alerts) raise(alert)
  switch (outcome.kind) {
    case 'pass':
      return message
    case 'changed':
      return outcome.message
    case 'blocked':
      // Bodies of what was blocked are kept nowhere.
      call.trail.request(null)
      throw new GatehouseError('GH_INSPECT_BLOCKED', {
        message: `Blocked by policy: rule '${outcome.blockedBy.name}'. ${outcome.reason}`.trim(),
        detail: outcome.receipts.some((receipt) => receipt.fell === 'closed') ? 'undecided' : 'blocked',
        data: { rule: outcome.blockedBy.name },
      })
  }
}

/** Of each receipt whose engine told what it had looked at; `next` is where the first receipt of the leg will stand. */
function runsOf({ recorded: all }: Outcome, { leg, receipt: first }: ReceiptPlace): readonly KeptRun[] {
  return all.map(({ receipt, compiled, message, recorded }) => {
    const { id, version, action, config } = compiled.rule
    const rule = { ruleId: id, ruleVersion: version, action, config: config as JsonObject }
    return { receipt: `${leg}.${first + receipt}`, ...rule, artifact: compiled.artifact, message, recorded }
  })
}

function subjectOf(call: Permitted | Answered | Inspected): Subject {
  const { feature } = call
  return {
    prefix: feature.assignment.prefix,
    serverSlug: feature.assignment.server.slug,
    kind: feature.kind,
    feature: feature.name,
    context: () => contextOf(call),
    header: (name) => toldHeader(call.credentials, name),
    keeps: call.plan.gateway.capture === 'sealed',
  }
}

function contextOf(call: Permitted | Answered | Inspected): CallContext {
  const { principal, plan, feature } = call
  return {
    correlationId: call.trail.correlationId,
    method: call.method,
    rpcId: call.id,
    era: call.era,
    gateway: { id: plan.gateway.id, slug: plan.gateway.slug },
    server: { id: feature.assignment.server.id, slug: feature.assignment.server.slug },
    feature: { kind: feature.kind, name: feature.name },
    user: principal.user === null ? null : { id: principal.user.id, email: principal.user.email },
    host: { id: principal.host.id, name: principal.host.name },
    connection: { id: principal.connection.id },
    attributes: principal.attributes,
  }
}
