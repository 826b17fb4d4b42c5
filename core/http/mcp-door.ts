import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Credentials, Json, JsonObject } from '@gatehouse/sdk'
import type { Authenticated, Gone, Inbound, Reply } from '../call.js'
import { clip } from '../domain/clip.js'
import type { Enrolled } from '../domain/roll.js'
import type { Snapshot } from '../domain/snapshot.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { classify, type Classified, type EraHeaders } from '../mcp/classify.js'
import { idOf, isObject } from '../mcp/message.js'
import { ownerOf } from '../mcp/owned-id.js'
import { hasBatches } from '../mcp/versions.js'
import type { LegacySessions } from '../mcp/sessions.js'
import type { Pipeline } from '../pipeline.js'
import { Trail } from '../record/trail.js'
import { readBody } from './body.js'
import { accepts, parse } from './parse.js'
import { openEventStream, type EventStream } from './event-stream.js'
import { watchGone } from './gone.js'
import type { Hop } from './hop.js'
import type { OwnNames } from './origin.js'
import type { SessionStreams } from './session-streams.js'
import { createStanding, type Standing } from './standing.js'
import type { ToOwner } from './to-owner.js'
import { writeJson } from '../mcp/json.js'

export interface DoorOptions {
  readonly pipeline: Pipeline
  /** The first room alone: asked again about calls and streams that last. */
  readonly authenticate: (inbound: Inbound) => Authenticated | Promise<Authenticated>
  readonly snapshot: () => Snapshot
  readonly names: OwnNames
  readonly sessions: LegacySessions
  readonly streams: SessionStreams
  readonly toOwner: ToOwner
  /** The peer's address, after trusted proxies. */
  readonly addressOf: (req: IncomingMessage) => string
  readonly draining: () => boolean
  /** For what cannot be answered any more. */
  readonly onBroken: (thrown: unknown) => void
}

export type Door = (req: IncomingMessage, res: ServerResponse, gatewayName: string | null) => Promise<void>

const MAX_BATCH = 100
const CORS = {
  'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
  'access-control-allow-headers':
    'Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, traceparent, tracestate',
  'access-control-max-age': '600',
}

/** The MCP door: bytes in, `Inbound` to the pipeline, bytes out. Everything it refuses is answered as JSON-RPC. */
export function createDoor(options: DoorOptions): Door {
  const standing = createStanding<Visit>({ stillEnters, end: ({ res }) => void res.destroy() })
  const parts = { ...options, standing }
  return async (req, res, gatewayName) => {
    try {
      await admit(parts, req, res, gatewayName)
    } catch (thrown) {
      refuse(res, thrown, options.onBroken)
    }
  }
}

type DoorParts = DoorOptions & { readonly standing: Standing<Visit> }

async function admit(options: DoorParts, req: IncomingMessage, res: ServerResponse, gatewayName: string | null) {
  const { origin, host } = req.headers
  const hop = options.toOwner.arrived(req)
  if (hop === null && !(options.names.hostIsOurs(host) && options.names.originIsOurs(origin)))
    throw new GatehouseError('GH_DOOR_ORIGIN')
  if (origin !== undefined) {
    res.setHeader('access-control-allow-origin', origin)
    res.setHeader('access-control-expose-headers', 'Mcp-Session-Id, WWW-Authenticate')
    res.setHeader('vary', 'Origin')
  }
  if (req.method === 'OPTIONS') {
    res.writeHead(204, CORS).end()
    return
  }
  if (options.draining()) throw new GatehouseError('GH_DOOR_DRAINING')
  const visit: Visit = {
    options,
    req,
    res,
    gatewayName,
    at: Date.now(),
    gone: watchGone(res),
    hop,
    address: hop?.address ?? options.addressOf(req),
    stream: null,
    place: -1,
  }
  switch (req.method) {
    case 'POST':
      return post(visit)
    case 'GET':
    case 'DELETE':
      return aboutSession(visit)
    default:
      throw notServed('POST, GET, DELETE')
  }
}

/** One HTTP request on its way. */
interface Visit extends Enrolled {
  readonly options: DoorParts
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly gatewayName: string | null
  readonly at: number
  readonly gone: Gone
  /** Set when another replica took the request from its client. */
  readonly hop: Hop | null
  readonly address: string
  stream: EventStream | null
}

/** A failure that says nothing of the caller's right (the database is away) ends nobody. */
async function stillEnters(visit: Visit): Promise<boolean> {
  const snapshot = visit.options.snapshot()
  try {
    await visit.options.authenticate(inbound(visit, snapshot, pingOf(undefined), eraHeaders(visit.req), '', 0))
    return true
  } catch (thrown) {
    return ![401, 403].includes(asGatehouseError(thrown).entry.http)
  }
}

async function post(visit: Visit): Promise<void> {
  const { options, req } = visit
  const snapshot = options.snapshot()
  const body = await readBody(req, snapshot.settings.limits.requestBody)
  visit.hop?.fits(body)
  options.standing.enter(visit)
  try {
    await answer(visit, snapshot, body)
  } finally {
    options.standing.leave(visit)
  }
}

async function answer(visit: Visit, snapshot: Snapshot, body: Buffer): Promise<void> {
  const { options, req } = visit
  const text = body.toString('utf8')
  const headers = eraHeaders(req)
  const parsed = parse(req, text)
  if (parsed.ok && Array.isArray(parsed.value)) return batch(visit, snapshot, parsed.value as readonly Json[], headers)
  const classified = parsed.ok ? classify(parsed.value, headers) : faulty(parsed.error, headers)
  const owner = ownerOfAnswer(classified)
  if (owner !== null && (await options.toOwner.pass(owner, { ...visit, body }))) return
  const reply = await options.pipeline(inbound(visit, snapshot, classified, headers, text, body.length))
  send(visit, reply)
}

/** The replica that asked what this answers. */
const ownerOfAnswer = (item: Classified): string | null =>
  item.kind !== 'fault' && item.message.kind === 'response' ? ownerOf(item.message.id) : null

/** Only a session of 2025-03-26, or a client that states no version at all, may send several messages at once. */
async function batch(visit: Visit, snapshot: Snapshot, values: readonly Json[], headers: EraHeaders): Promise<void> {
  const wrong = batchFault(values, headers)
  const items = wrong === null ? values.map((value) => classify(value, headers)) : [faulty(wrong, headers)]
  const replies = await Promise.all(
    items.map(async (item, n) => {
      const text = writeJson(wrong === null ? values[n] : values)
      const owner = ownerOfAnswer(item)
      const status =
        owner === null ? null : await visit.options.toOwner.deliver(owner, { ...visit, body: Buffer.from(text) })
      if (status !== null) return { ...ACCEPTED, status }
      return visit.options.pipeline({ ...inbound(visit, snapshot, item, headers, text, text.length), batched: true })
    }),
  )
  // What is refused for its caller, its session or its form is refused as a whole.
  const refused =
    replies.find(({ status }) => status === 401 || status === 403 || status === 404) ??
    (replies.every(({ status }) => status >= 400) ? replies[0] : undefined)
  if (refused) return send(visit, refused)
  const texts = replies.flatMap((reply) => (reply.text === null ? [] : [reply.text]))
  send(visit, texts.length === 0 ? ACCEPTED : { status: 200, text: `[${texts.join(',')}]`, headers: {} })
}

const ACCEPTED: Reply = { status: 202, text: null, headers: {} }

function batchFault(values: readonly Json[], headers: EraHeaders): GatehouseError | null {
  if (headers.version !== undefined && !hasBatches(headers.version))
    return new GatehouseError('GH_DOOR_NOT_RPC', { message: 'This protocol version has no batches' })
  if (values.length === 0 || values.length > MAX_BATCH)
    return new GatehouseError('GH_DOOR_NOT_RPC', { message: `A batch holds 1 to ${MAX_BATCH} messages` })
  if (values.some((value) => isObject(value) && value.method === 'initialize'))
    return new GatehouseError('GH_DOOR_NOT_RPC', { message: 'initialize cannot stand in a batch' })
  return null
}

function faulty(error: GatehouseError, headers: EraHeaders): Classified {
  return { kind: 'fault', era: 'legacy', version: headers.version ?? '2025-03-26', id: null, error }
}

function inbound(
  visit: Visit,
  snapshot: Snapshot,
  item: Classified,
  headers: EraHeaders,
  text: string,
  bytes: number,
): Inbound {
  const { req, at } = visit
  const message = item.kind === 'fault' ? null : item.message
  const method = message === null || message.kind === 'response' ? null : message.method
  const id = item.kind === 'fault' ? item.id : message === null || message.kind === 'notification' ? null : message.id
  const limits = snapshot.settings.limits
  const trail = new Trail(
    {
      at,
      method,
      rpcId: id === null ? null : String(id),
      ip: visit.address,
      userAgent: clip(req.headers['user-agent'] ?? '', 300) || null,
      bytes,
    },
    limits.bodyInLog,
  )
  return {
    room: 'door',
    era: item.era,
    version: item.version,
    id: message?.kind === 'response' ? null : id,
    method: method ?? 'notifications/response',
    params: message === null || message.kind === 'response' ? {} : message.params,
    text,
    fault: item.kind === 'fault' ? item.error : null,
    credentials: credentialsOf(visit, snapshot),
    gatewayName: visit.gatewayName,
    sessionId: item.era === 'modern' ? null : (headers.sessionId ?? null),
    batched: false,
    snapshot,
    deadline: at + limits.call,
    gone: visit.gone,
    notify: req.headers.accept?.includes('text/event-stream') ? (note) => streamed(visit).note(note) : null,
    ask: null,
    answer: message?.kind === 'response' ? { id: message.id, body: message.body } : null,
    trail,
  }
}

const eraHeaders = (req: IncomingMessage): EraHeaders => ({
  version: one(req, 'mcp-protocol-version'),
  sessionId: one(req, 'mcp-session-id'),
  method: one(req, 'mcp-method'),
  name: one(req, 'mcp-name'),
})

const one = (req: IncomingMessage, name: string): string | undefined => {
  const value = req.headers[name]
  return Array.isArray(value) ? value[0] : value
}

function credentialsOf(visit: Visit, snapshot: Snapshot): Credentials {
  const plan = visit.gatewayName === null ? undefined : snapshot.gateways.get(visit.gatewayName)
  return {
    authorization: visit.req.headers.authorization,
    header: (name) => one(visit.req, name.toLowerCase()),
    address: visit.address,
    gatewayId: plan?.gateway.id ?? null,
  }
}

function streamed(visit: Visit): EventStream {
  visit.stream ??= openEventStream(visit.res)
  return visit.stream
}

function send(visit: Visit, reply: Reply): void {
  const { res } = visit
  if (visit.stream !== null) return visit.stream.end(reply.text ?? undefined)
  if (res.destroyed) return
  if (reply.text === null) {
    res.writeHead(reply.status, { ...reply.headers, 'content-length': 0 }).end()
    return
  }
  // A client that takes event streams only gets one event.
  if (reply.status === 200 && !accepts(visit.req, 'application/json')) {
    openEventStream(res, reply.headers).end(reply.text)
    return
  }
  const bytes = Buffer.byteLength(reply.text)
  res.writeHead(reply.status, { ...reply.headers, 'content-type': 'application/json', 'content-length': bytes })
  res.end(reply.text)
}

/** GET and DELETE belong to legacy sessions; the caller is authenticated like any other, by way of a ping. */
async function aboutSession(visit: Visit): Promise<void> {
  const { req, res, options } = visit
  const headers = eraHeaders(req)
  const snapshot = options.snapshot()
  visit.hop?.fits(NOTHING)
  const owner = req.method === 'GET' ? ownerOf(one(req, 'last-event-id')) : null
  if (owner !== null && (await options.toOwner.pass(owner, { ...visit, body: NOTHING }))) return
  const reply = await options.pipeline(inbound(visit, snapshot, pingOf(headers.version), headers, '', 0))
  if (reply.status !== 200) return send(visit, reply)
  const plan = snapshot.gateways.get(visit.gatewayName ?? '')
  if (headers.sessionId === undefined || plan === undefined) throw notServed('POST')
  if (req.method === 'DELETE') {
    await options.sessions.end(headers.sessionId)
    res.writeHead(200, { 'content-length': 0 }).end()
    return
  }
  if (owner !== null && owner !== options.toOwner.self) throw new GatehouseError('GH_DOOR_STREAM_GONE')
  if (!accepts(req, 'text/event-stream')) throw new GatehouseError('GH_DOOR_ACCEPT')
  options.standing.enter(visit)
  res.once('close', () => options.standing.leave(visit))
  options.streams.open(headers.sessionId, plan.gateway.id, res)
}

const NOTHING = Buffer.alloc(0)
const PING = { kind: 'request' as const, id: 0, method: 'ping', params: {} }
const pingOf = (version: string | undefined): Classified => ({
  kind: 'request',
  era: 'legacy',
  version: version ?? '2025-03-26',
  message: PING,
})
const notServed = (allow: string) => new GatehouseError('GH_DOOR_METHOD', { data: { allow } })

/** What is refused before there is a call to put on record. */
function refuse(res: ServerResponse, thrown: unknown, onBroken: (thrown: unknown) => void): void {
  const error = asGatehouseError(thrown)
  if (error.code === 'GH_INTERNAL') onBroken(thrown)
  if (res.headersSent || res.destroyed) return void res.destroy()
  const body: JsonObject = { jsonrpc: '2.0', id: idOf(null), error: { code: error.entry.rpc, message: error.message } }
  const text = JSON.stringify(body)
  res.writeHead(error.entry.http, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(typeof error.data?.allow === 'string' ? { allow: error.data.allow } : {}),
    // The rest of a refused body is not read: the connection ends with the answer.
    ...(error.code === 'GH_DOOR_TOO_LARGE' ? { connection: 'close' } : {}),
  })
  res.end(text)
}
