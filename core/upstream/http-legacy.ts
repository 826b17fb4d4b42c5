import type { JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { createAnswers, createAsked } from './asked.js'
import type { Asked } from './asked.js'
import { createCalls } from './calls.js'
import type { Call, Calls } from './calls.js'
import { LEGACY_VERSION, LEGACY_VERSIONS } from './envelope.js'
import { PeerLost, brokenProtocol, fault, gist } from './faults.js'
import { holdStream } from './held-stream.js'
import type { HeldStream } from './held-stream.js'
import { header } from './http-call.js'
import type { HttpAnswer } from './http-call.js'
import { exchange, noAnswer, refuseByStatus } from './http-exchange.js'
import type { ExchangeRules } from './http-exchange.js'
import type { HttpWire } from './http-wire.js'
import { readMessage, showable } from './message.js'
import { writeJson } from '../mcp/json.js'
import type { RpcError, ServerInfo, UpstreamRequest } from './types.js'
import { listChangedKind } from './options.js'
import type { Peer, PeerContext } from './options.js'
import type { RpcNote, RpcRequest } from './message.js'

interface Session {
  readonly context: PeerContext
  readonly wire: HttpWire
  readonly calls: Calls
  readonly asked: Asked
  readonly answers: (message: object) => Promise<void>
  id: string | null
  version: string | null
  /** Made once, for the hot path. */
  postHeaders: readonly string[]
}

const POST_HEADERS = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream']

/** Opens a session: `initialize`, `notifications/initialized`, and the side stream where the server has one. */
export async function openLegacyHttp(context: PeerContext, wire: HttpWire): Promise<Peer> {
  const calls = createCalls(context.slug)
  const asked = createAsked(calls, context.events, (note) => answers(note))
  const answers = createAnswers(
    (message) => post(session, message, context.timing.dial),
    (error) => context.log.debug({ server: context.slug, error }, 'the answer to a server was not taken'),
  )
  const session: Session = { context, wire, calls, asked, answers, id: null, version: null, postHeaders: POST_HEADERS }
  const rules = legacyRules(session)
  const reply = await exchange(rules, initializeRequest(context))
  if (!reply.result) throw initializeRefused(context.slug, reply.error)
  const info = readInitialized(context.slug, reply.result)
  session.id = header(reply.headers, 'mcp-session-id') ?? null
  session.version = info.version
  session.postHeaders = POST_HEADERS.concat(sessionHeaders(session))
  await post(session, { jsonrpc: '2.0', method: 'notifications/initialized' }, context.timing.dial)
  const side = openSideStream(session)
  await atMost(side.settled, context.timing.sideStream)
  return {
    info,
    stateful: session.id !== null,
    get busy() {
      return calls.size > 0
    },
    request: (request) => exchange(rules, request),
    notify: (note) => void post(session, note, context.timing.dial).catch(() => undefined),
    async stop() {
      side.stop()
      calls.failAll(fault('GH_UPSTREAM_UNREACHABLE', context.slug, 'was changed or removed meanwhile'))
      asked.end()
      await endSession(session)
    },
  }
}

export function initializeRequest({ clientInfo, timing, of }: PeerContext): UpstreamRequest {
  const { capabilities } = of.target.ability
  return {
    method: 'initialize',
    params: { protocolVersion: LEGACY_VERSION, capabilities, clientInfo: { ...clientInfo } },
    deadline: Date.now() + timing.dial,
  }
}

/** `-32022` is spoken by the modern era only. */
export function initializeRefused(slug: string, error: RpcError | null): Error {
  const refused = fault('GH_UPSTREAM_PROTOCOL', slug, `refused to initialize (${error?.code}: ${error?.message})`)
  return error?.code === -32022 ? new PeerLost('era', refused) : refused
}

export function readInitialized(slug: string, result: JsonObject): ServerInfo {
  const { protocolVersion, capabilities, serverInfo, instructions } = result
  if (typeof protocolVersion !== 'string' || !LEGACY_VERSIONS.has(protocolVersion))
    throw brokenProtocol(slug, 'a protocol version that nobody knows')
  return {
    era: 'legacy',
    version: protocolVersion,
    capabilities: showable(capabilities),
    serverInfo: showable(serverInfo),
    instructions: typeof instructions === 'string' ? instructions : null,
  }
}

function legacyRules(session: Session): ExchangeRules {
  const { context, wire } = session
  const { slug } = context
  const rules: ExchangeRules = {
    era: 'legacy',
    slug,
    wire,
    calls: session.calls,
    dress: (call) => ({ headers: session.postHeaders, params: call.params }),
    contradict(answer, reply) {
      if (session.version === null && isOlderTransport(answer, reply?.error ?? null))
        throw new PeerLost('transport', refusedPost(slug, answer, reply?.error ?? null))
      if (session.id !== null && isSessionUnknown(answer, reply?.id ?? null, reply?.error ?? null))
        throw new PeerLost('session', brokenProtocol(slug, 'word that our new session is unknown'))
      if (session.version !== null && reply?.error?.code === -32022)
        throw new PeerLost('era', brokenProtocol(slug, 'an error of another era'))
    },
    onAside(call, aside) {
      if (!takeAside(session, aside, call)) call.note(aside)
    },
    onGivenUp(call, error) {
      if (call.request.method === 'initialize') return
      const params = { requestId: call.id, reason: error.code }
      void post(session, { jsonrpc: '2.0', method: 'notifications/cancelled', params }, 5_000).catch(() => undefined)
    },
    resume: (lastEventId, how) =>
      wire.send({ method: 'GET', headers: getHeaders(session, lastEventId), body: null, ...how }),
  }
  return rules
}

/** What servers with the two endpoints of 2024-11-05 say to a POST, unless the body speaks of the modern era. */
function isOlderTransport({ status }: HttpAnswer, error: RpcError | null): boolean {
  const isModern = error !== null && error.code <= -32020 && error.code >= -32099
  return (status === 400 || status === 404 || status === 405) && !isModern
}

function refusedPost(slug: string, { status, text }: HttpAnswer, error: RpcError | null): GatehouseError {
  const said = error === null ? '' : `, ${error.code}: ${error.message}`
  return fault('GH_UPSTREAM_PROTOCOL', slug, `refused to initialize (HTTP ${status}${said})`, { detail: gist(text) })
}

/** 404 by the book; servers on older SDKs say 400 with an error that has no id and speaks of the session. */
function isSessionUnknown(answer: HttpAnswer, id: unknown, error: RpcError | null): boolean {
  if (answer.status === 404) return id === null || error?.code === -32001
  return answer.status === 400 && id === null && error !== null && /session/i.test(error.message)
}

/** List changes and requests of the server, wherever they come from; false for notes of a call. */
function takeAside(session: Session, aside: RpcNote | RpcRequest, call: Call | null): boolean {
  const { events } = session.context
  const kind = listChangedKind(aside.method)
  if (kind) events.listChanged(kind)
  else if ('id' in aside) void answerServer(session, aside as RpcRequest, call)
  else return session.asked.takenBack(aside)
  return true
}

/** The call whose a log note outside of any stream is: the one that has the session to itself. */
function leasedTo({ calls, context }: Session, { method }: RpcNote | RpcRequest): Call | null {
  if (method !== 'notifications/message' || context.events.asked !== null) return null
  const [only, other] = calls.conversing()
  return other === undefined ? (only ?? null) : null
}

async function answerServer(session: Session, request: RpcRequest, call: Call | null): Promise<void> {
  await session.answers({ jsonrpc: '2.0', id: request.id, ...(await session.asked.answer(request, call)) })
}

function openSideStream(session: Session): HeldStream {
  const { context, wire } = session
  let lastEventId: string | null = null

  function onMessage(value: unknown): boolean {
    const message = readMessage(value)
    if (message.kind === 'broken') throw brokenProtocol(context.slug, message.why)
    if (message.kind === 'reply') return false
    if (takeAside(session, message.raw, null) || session.calls.progress(message.raw)) return false
    // Of a call that is over: to its client the token could be that of another.
    if (message.raw.method === 'notifications/progress') return false
    const call = leasedTo(session, message.raw)
    if (call === null) context.events.note(message.raw)
    else call.note(message.raw)
    return false
  }

  let current: ReturnType<HttpWire['send']> | undefined
  let wasOpen = false
  return holdStream({
    context,
    ready: wire.ready,
    open(onOpen) {
      lastEventId = current?.mark?.lastEventId ?? lastEventId
      const headers = getHeaders(session, lastEventId)
      const onStream = () => {
        wasOpen = true
        onOpen()
      }
      current = wire.send({ method: 'GET', headers, body: null, onMessage, onStream })
      return current
    },
    again(outcome) {
      if (outcome instanceof GatehouseError || outcome.stream) return true
      const returns = outcome.status >= 500 || outcome.status === 429
      // 405 by the book, 404 where nobody routes GET. Where there was a stream, the session is lost: the next request shows it.
      if (!returns && wasOpen) context.events.reopened()
      return returns
    },
    // What was missed is sent again when the server numbers its events.
    onReopen: () => (current?.mark ?? lastEventId) === null && context.events.reopened(),
  })
}

function getHeaders(session: Session, lastEventId: string | null): string[] {
  const headers = ['accept', 'text/event-stream', ...sessionHeaders(session)]
  // HTML, section 9.2.4: as UTF-8, which a header's bytes are not taken for.
  return lastEventId === null ? headers : [...headers, 'last-event-id', Buffer.from(lastEventId).toString('latin1')]
}

function sessionHeaders({ id, version }: Session): string[] {
  const headers = version === null ? [] : ['mcp-protocol-version', version]
  return id === null ? headers : [...headers, 'mcp-session-id', id]
}

/** Sends a note or an answer, for which the server has nothing to say but "taken". */
async function post(session: Session, message: object, timeoutMs: number): Promise<void> {
  const { context, wire } = session
  const body = Buffer.from(writeJson(message))
  const http = wire.send({ method: 'POST', headers: session.postHeaders, body, onMessage: () => false })
  const timer = setTimeout(() => http.abort(lateFault(context.slug, timeoutMs)), timeoutMs)
  try {
    const answer = await http.answer
    refuseByStatus(context.slug, answer)
    if (answer.status >= 300) throw noAnswer(context.slug, answer)
  } finally {
    clearTimeout(timer)
  }
}

async function endSession(session: Session): Promise<void> {
  if (session.id === null) return
  const http = session.wire.send({ method: 'DELETE', headers: sessionHeaders(session), body: null })
  const timer = setTimeout(() => http.abort(lateFault(session.context.slug, 2_000)), 2_000)
  await http.answer.catch(() => undefined)
  clearTimeout(timer)
}

function lateFault(slug: string, ms: number): GatehouseError {
  return fault('GH_UPSTREAM_TIMEOUT', slug, `did not answer within ${(ms / 1000).toFixed(1)} s`)
}

async function atMost(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([promise, late])
  clearTimeout(timer)
}
