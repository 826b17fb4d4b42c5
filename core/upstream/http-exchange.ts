import type { Era, JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import type { Call, Calls } from './calls.js'
import { brokenProtocol, fault } from './faults.js'
import { header, parseJson } from './http-call.js'
import type { HttpAnswer, HttpCall, HttpHeaders } from './http-call.js'
import type { HttpWire, WireSend } from './http-wire.js'
import { readMessage } from './message.js'
import type { Message, RpcNote, RpcRequest } from './message.js'
import type { UpstreamReply, UpstreamRequest } from './types.js'
import { parseJson as parseWire, writeJson } from '../mcp/json.js'

type Reply = Message & { kind: 'reply' }

/** What the two eras do differently about one POST. */
export interface ExchangeRules {
  readonly era: Era
  readonly slug: string
  readonly wire: HttpWire
  readonly calls: Calls
  /** How a call looks on the wire. */
  dress(call: Call): { headers: readonly string[]; params: JsonObject }
  /** May throw `PeerLost` when the answer shows that this is no peer of ours any more. */
  contradict(answer: HttpAnswer, reply: Reply | null): void
  /** A note or a request of the server on the response stream. */
  onAside(call: Call, aside: RpcNote | RpcRequest): void
  /** The call was given up while the server may be at it. */
  onGivenUp(call: Call, error: GatehouseError): void
  /** Takes up a response stream that ended before the answer; eras without it cannot. */
  resume?(lastEventId: string, how: Pick<WireSend, 'onMessage' | 'flow'>): HttpCall
}

export interface Exchanged extends UpstreamReply {
  readonly headers: HttpHeaders
}

/** Sends one request and waits for its one answer. Sent again only after a 401, which comes before anything ran. */
export async function exchange(rules: ExchangeRules, request: UpstreamRequest): Promise<Exchanged> {
  const { wire } = rules
  const ready = wire.ready(request)
  if (ready !== undefined) await ready
  const { generation } = wire
  for (let again = false; ; again = true) {
    const line = new Line(rules, request)
    try {
      const answer = await line.send()
      if (answer.status === 403) await wire.stepUp(header(answer.headers, 'www-authenticate'))
      if (again || answer.status !== 401 || !(await wire.renew(generation, request))) return line.settle(answer)
    } catch (error) {
      line.tellGivenUp()
      throw error
    } finally {
      line.end()
    }
  }
}

const RESUMES = 5

/** One POST on its way, over as many streams as the server cuts its answer into (SSE polling of 2025-11-25). */
class Line {
  readonly #call: Call
  #http: HttpCall | undefined
  #givenUp: GatehouseError | undefined
  #wake: (() => void) | undefined
  #streamed: Reply | null = null
  #sent = 0

  constructor(
    private readonly rules: ExchangeRules,
    request: UpstreamRequest,
  ) {
    this.#call = rules.calls.begin(request, (error) => {
      this.#givenUp ??= error
      this.#http?.abort(error)
      this.#wake?.()
    })
  }

  send(): Promise<HttpAnswer> {
    const { rules } = this
    const { signal, method, flow } = this.#call.request
    if (signal?.aborted) throw fault('GH_UPSTREAM_CANCELLED', rules.slug, 'was no longer waited for')
    const { headers, params } = rules.dress(this.#call)
    const body = Buffer.from(writeJson({ jsonrpc: '2.0', id: this.#call.id, method, params }))
    this.#sent = body.length
    this.#http = rules.wire.send({ method: 'POST', headers, body, onMessage: this.#onMessage, flow })
    const { answer } = this.#http
    if (!rules.resume) return answer
    const orResumed = (lost: HttpAnswer | GatehouseError) => this.#resumed(lost)
    return answer.then((first) => (first.stream?.answered === false ? orResumed(first) : first), orResumed)
  }

  settle(answer: HttpAnswer): Exchanged {
    const { rules } = this
    refuseByStatus(rules.slug, answer)
    const reply = this.#streamed ?? readBody(rules, answer, this.#call.id)
    rules.contradict(answer, reply)
    if (!reply) throw noAnswer(rules.slug, answer)
    return {
      result: reply.result,
      error: reply.error,
      era: rules.era,
      httpStatus: answer.status,
      bytesSent: this.#sent,
      bytesReceived: answer.bytes,
      headers: answer.headers,
    }
  }

  tellGivenUp(): void {
    if (this.#http && this.#givenUp) this.rules.onGivenUp(this.#call, this.#givenUp)
  }

  end(): void {
    this.rules.calls.end(this.#call)
  }

  readonly #onMessage = (value: unknown): boolean => {
    this.#streamed = readStreamed(this.rules, this.#call, value)
    return this.#streamed !== null
  }

  /** Takes the stream up again as long as the server says where; in vain, what was lost first is the outcome. */
  async #resumed(first: HttpAnswer | GatehouseError): Promise<HttpAnswer> {
    let lost = first
    let lastEventId: string | undefined
    for (let tries = 0; ; tries++) {
      if (this.#givenUp) throw this.#givenUp
      if (tries > 0 && !(lost instanceof GatehouseError) && lost.stream?.answered) return lost
      const mark = this.#http?.mark
      lastEventId = mark?.lastEventId ?? lastEventId
      const isLostStream = lost instanceof GatehouseError ? lost.code === 'GH_UPSTREAM_UNREACHABLE' : lost.stream
      if (!this.rules.resume || lastEventId === undefined || !isLostStream || tries === RESUMES) break
      if (!(lost instanceof GatehouseError)) this.#call.request.onCut?.()
      await this.#pause(mark?.retry ?? 1_000 * 2 ** tries)
      this.#http = this.rules.resume(lastEventId, { onMessage: this.#onMessage, flow: this.#call.request.flow })
      lost = await this.#http.answer.catch((error: GatehouseError) => error)
    }
    if (first instanceof GatehouseError) throw first
    return first
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, 30_000))
      this.#wake = () => (clearTimeout(timer), resolve())
    })
    if (this.#givenUp) throw this.#givenUp
  }
}

/** One message of the response stream: the answer, or null when it was something beside it. */
function readStreamed(rules: ExchangeRules, call: Call, value: unknown): Reply | null {
  const message = readMessage(value)
  if (message.kind === 'broken') throw brokenProtocol(rules.slug, message.why)
  if (message.kind === 'reply') return checkId(rules.slug, message, call.id)
  rules.onAside(call, message.raw)
  return null
}

function checkId(slug: string, reply: Reply, id: number): Reply {
  if (reply.id === id || (reply.id === null && reply.error)) return reply
  throw brokenProtocol(slug, 'an answer to a request that was not asked')
}

/** The JSON-RPC answer in a body; null when there is none and the status tells enough. */
function readBody({ slug }: ExchangeRules, answer: HttpAnswer, id: number): Reply | null {
  const ok = answer.status < 300
  if (answer.stream || answer.status === 202 || (ok && answer.text === '')) return null
  const type = header(answer.headers, 'content-type') ?? 'application/json'
  if (!/json/i.test(type)) {
    if (ok) throw brokenProtocol(slug, `${type.split(';')[0]} instead of JSON`)
    return null
  }
  return ok ? readGood(slug, answer.text, id) : readBad(answer.text, id)
}

function readGood(slug: string, text: string, id: number): Reply {
  const message = readMessage(parseJson(slug, text))
  if (message.kind === 'reply') return checkId(slug, message, id)
  throw brokenProtocol(slug, message.kind === 'broken' ? message.why : 'a message that is no answer')
}

/** Beside an error status only a JSON-RPC error counts, and anything else is silence. */
function readBad(text: string, id: number): Reply | null {
  try {
    const message = readMessage(parseWire(text))
    return message.kind === 'reply' && message.error && (message.id === null || message.id === id) ? message : null
  } catch {
    return null
  }
}

/** Statuses that are an answer by themselves, whatever the body says. */
export function refuseByStatus(slug: string, { status, headers }: HttpAnswer): void {
  if (status >= 300 && status < 400) throw brokenProtocol(slug, `a redirect (HTTP ${status}), which is never followed`)
  if (status === 401 || status === 403) {
    const challenge = header(headers, 'www-authenticate')
    throw fault('GH_UPSTREAM_AUTH', slug, `refused the credential (HTTP ${status})`, {
      httpStatus: status,
      ...(challenge === undefined ? {} : { detail: challenge }),
    })
  }
  if (status !== 429) return
  const retryAfterMs = readRetryAfter(header(headers, 'retry-after'))
  throw fault('GH_UPSTREAM_RATE_LIMITED', slug, 'asks for patience (HTTP 429)', {
    retryable: true,
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  })
}

export function noAnswer(slug: string, answer: HttpAnswer): GatehouseError {
  if (answer.status >= 500) return fault('GH_UPSTREAM_UNREACHABLE', slug, `is failing (HTTP ${answer.status})`)
  if (answer.stream) return brokenProtocol(slug, 'half an event stream: it ended before the answer')
  return brokenProtocol(slug, `HTTP ${answer.status} without a JSON-RPC answer`)
}

/** RFC 9110, section 10.2.3: seconds or a date. */
function readRetryAfter(value: string | undefined): number | null {
  if (value === undefined) return null
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now())
}
