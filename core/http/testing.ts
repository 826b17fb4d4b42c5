import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject, Principal } from '@gatehouse/sdk'
import type { Inbound, LegacySession, Reply } from '../call.js'
import { createStreamPlaces } from '../mcp/stream-places.js'
import { asGatehouseError, GatehouseError, retryAfter } from '../errors.js'
import { createHear } from '../rooms/hear.js'
import { inSession, PRINCIPAL } from '../rooms/testing.js'
import { plan } from '../upstream/catalog-testing.js'
import { createDoor } from './mcp-door.js'
import { createOlderLines } from './older-lines.js'
import type { ToOwner } from './to-owner.js'
import type { Tolerated } from './tolerances.js'
import { createSessionLines, type Lines, type LinesOptions } from './session-lines.js'

/** Builders for tests of the door: the real one over HTTP, before a corridor of one's own. */

export interface DoorBench {
  readonly url: string
  readonly lines: Lines
  /** What broke, which nothing should. */
  readonly broken: readonly unknown[]
  readonly tolerated: readonly Tolerated[]
  /** The sessions that were ended. */
  readonly ended: readonly string[]
  /** Whether the gateway offers what clients of 2024-11-05 have. */
  offerOlder(offers: boolean): void
  /** From now on nobody has the right to come in. */
  bar(): void
  /** From now on it stops. */
  drain(): void
  stop(): Promise<void>
}

/** There is no other replica. */
const ALONE: ToOwner = {
  arrived: () => null,
  pass: async () => false,
  deliver: async () => null,
  isHere: (owner) => owner === 'r1r1',
  drain: () => undefined,
  stop: async () => undefined,
}

/** How a call with an id is answered; null: nothing but the reply's status. */
export type Does = (call: Inbound) => Promise<JsonObject>

/** Every session id that is sent is a live session: of the version behind its `@`, else of the one that its header states. */
export async function openDoor(does: Does, options: Partial<LinesOptions> = {}): Promise<DoorBench> {
  const broken: unknown[] = []
  const tolerated: Tolerated[] = []
  const ended: string[] = []
  let isBarred = false
  let isDraining = false
  let sessions = 0
  const bare = plan(['crm'])
  let house = bare
  const lines = createSessionLines({ replica: 'r1r1', ...options })
  const hear = createHear({ lines, cancel: lines.cancel, upstreams: { toldBySession: () => undefined } })
  const end = async (id: string) => {
    ended.push(id)
    lines.close(id)
    return true
  }
  const { timing } = options
  const older = createOlderLines({
    replica: 'r1r1',
    lines,
    sessions: { end },
    ...(timing === undefined ? {} : { timing }),
  })
  const walk = async (call: Inbound): Promise<Reply> => {
    if (call.fault !== null) throw call.fault
    const session =
      call.sessionId === null ? null : sessionOf(call.sessionId, call.sessionId.split('@')[1] ?? call.version)
    call.joins(principalOf(call), session, call.trail.correlationId)
    if (call.id === null) {
      hear({ ...inSession(house, call), session })
      return { status: 202, text: null, headers: {} }
    }
    const result = call.method === 'ping' ? {} : await does(call)
    const headers: Record<string, string> =
      call.method === 'initialize'
        ? { 'mcp-session-id': `s${(sessions += 1)}@${String(call.params.protocolVersion)}` }
        : {}
    return { status: 200, text: JSON.stringify({ jsonrpc: '2.0', id: call.id, result }), headers }
  }
  const door = createDoor({
    pipeline: (call) => walk(call).catch((thrown) => refusal(call, thrown)),
    authenticate: (call) => {
      if (isBarred) throw new GatehouseError('GH_AUTHENTICATE_INVALID')
      return { ...inSession(house, call), room: 'authenticated' }
    },
    catchUp: () => null,
    snapshot: () => ({
      epoch: 1,
      gateways: new Map([['house', house]]),
      servers: new Map(),
      identities: new Map(),
      idps: [],
      engines: new Map(),
      settings: { limits: { requestBody: 1_000_000, call: 60_000, bodyInLog: 1_000 } } as never,
      quarantines: [],
    }),
    names: { hostIsOurs: () => true, originIsOurs: () => true },
    sessions: { end, find: (id) => sessionOf(id, id.split('@')[1] ?? '') },
    lines,
    older,
    places: createStreamPlaces({ perUser: () => 2, most: 4 }),
    toOwner: ALONE,
    addressOf: () => '192.0.2.1',
    draining: () => isDraining,
    onTolerated: (fault) => void tolerated.push(fault),
    onBroken: (thrown) => broken.push(thrown),
  })
  const server = createServer((req, res) => void door(req, res, 'house'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp/house`,
    lines,
    broken,
    tolerated,
    ended,
    offerOlder: (legacySse) => void (house = { ...bare, gateway: { ...bare.gateway, legacySse } }),
    bar: () => void (isBarred = true),
    drain: () => {
      isDraining = true
      lines.drain()
    },
    async stop() {
      lines.stop()
      older.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Whoever says nothing is one and the same; else everyone has a connection of the name that they come with. */
function principalOf({ credentials: { authorization } }: Inbound): Principal {
  if (authorization === undefined) return PRINCIPAL
  return { ...PRINCIPAL, connection: { ...PRINCIPAL.connection, id: authorization } }
}

function refusal(call: Inbound, thrown: unknown): Reply {
  const error = asGatehouseError(thrown)
  const { code, message, entry } = error
  const text = JSON.stringify({ jsonrpc: '2.0', id: call.id, error: { code: entry.rpc, message, data: { code } } })
  return { status: entry.http, text, headers: retryAfter(error) }
}

function sessionOf(id: string, version: string): LegacySession {
  return {
    id,
    version,
    connectionId: 'connection-1',
    gatewayId: 'gateway-1',
    client: { name: null, version: null },
    capabilities: {},
    logLevel: null,
    subscriptions: [],
  }
}

/** One answer that is read as it comes. */
export interface Reading {
  readonly status: number
  readonly headers: Headers
  text: string
  ended: boolean
  /** The messages that have come. */
  messages(): JsonObject[]
  leave(): void
}

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly session?: string
  readonly version?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Sends a message, or asks for a stream, and reads on in the background. */
export async function open(url: string, message: unknown, asking: Asking = {}): Promise<Reading> {
  const { method = 'POST', session, version = '2025-06-18', headers = {}, signal } = asking
  const abort = new AbortController()
  const response = await fetch(url, {
    method,
    headers: {
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': version,
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    signal: signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]),
    ...(method === 'POST' ? { body: JSON.stringify(message) } : {}),
  })
  const reading: Reading = {
    status: response.status,
    headers: response.headers,
    text: '',
    ended: false,
    messages: () =>
      reading.text
        .split('\n')
        .flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as JsonObject] : [])),
    leave: () => abort.abort(),
  }
  const read = async () => {
    for await (const chunk of response.body ?? []) reading.text += Buffer.from(chunk as Uint8Array).toString('utf8')
  }
  void read()
    .catch(() => undefined)
    .then(() => (reading.ended = true))
  return reading
}
