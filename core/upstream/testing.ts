import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '@gatehouse/sdk'
import { Pool } from 'undici'
import { GatehouseError } from '../errors.js'
import { DEFAULT_LIMITS } from '../domain/nouns.js'
import type { Server } from '../domain/nouns.js'
import type { UpstreamsOptions } from './options.js'
import type { Target, UpstreamRequest } from './types.js'
import { NO_ABILITY } from './ability.js'
import { createUpstreams } from './upstreams.js'

/** Builders for tests of this folder. */

export function makeServer(overrides: Partial<Server> = {}): Server {
  return {
    id: '00000000-0000-4000-8000-000000000001',
    managedBy: 'api',
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    slug: 'crm',
    title: 'CRM',
    url: null,
    command: null,
    cwd: null,
    env: [],
    auth: 'none',
    headers: [],
    oauth: null,
    protocol: 'auto',
    enabled: true,
    ...overrides,
  }
}

export function makeTarget(overrides: Partial<Server> = {}, secrets: Partial<Secrets> = {}): Target {
  return {
    server: makeServer(overrides),
    key: 'public',
    ability: NO_ABILITY,
    secrets: async () => ({ headers: {}, env: {}, ...secrets }),
  }
}

type Secrets = { headers: Record<string, string>; env: Record<string, string> }

export function makeRequest(overrides: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'tools/call',
    params: { name: 'echo', arguments: { text: 'hi' } },
    deadline: Date.now() + 5_000,
    ...overrides,
  }
}

/** Upstreams over plain connections, which `stop` closes as well. */
export function makeUpstreams(overrides: Partial<UpstreamsOptions> = {}) {
  const pools = new Map<string, Pool>()
  const upstreams = createUpstreams({
    egress: {
      pool(origin) {
        const pool = pools.get(origin) ?? new Pool(origin)
        pools.set(origin, pool)
        return pool
      },
    },
    limits: () => DEFAULT_LIMITS,
    clientInfo: { name: 'gatehouse', version: '0.0.0' },
    childEnv: null,
    ...overrides,
  })
  return {
    ...upstreams,
    pools,
    async stop() {
      await upstreams.stop()
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
    },
  }
}

export interface Seen {
  readonly verb: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: JsonObject
  /** The body as it came. */
  readonly text: string
  readonly res: ServerResponse
}

export interface FakeServer {
  readonly url: string
  readonly seen: Seen[]
  /** Fulfilled with the next request that fits, or one that is there already. */
  waitFor(fits: (seen: Seen) => boolean): Promise<Seen>
  stop(): Promise<void>
}

/** A raw HTTP server on loopback: what it answers is all in `handle`. */
export async function fakeServer(handle: (seen: Seen) => void): Promise<FakeServer> {
  const seen: Seen[] = []
  const waiting: { fits: (seen: Seen) => boolean; resolve: (seen: Seen) => void }[] = []
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const one: Seen = {
        verb: req.method ?? '',
        path: req.url ?? '',
        headers: req.headers,
        text,
        body: text === '' ? {} : (JSON.parse(text) as JsonObject),
        res,
      }
      seen.push(one)
      for (const waiter of waiting.filter(({ fits }) => fits(one))) waiter.resolve(one)
      handle(one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen,
    waitFor: (fits) =>
      new Promise((resolve) => {
        const there = seen.find(fits)
        if (there) resolve(there)
        else waiting.push({ fits, resolve })
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function answerJson(
  { body, res }: Seen,
  answer: object,
  status = 200,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify({ jsonrpc: '2.0', id: body['id'] ?? null, ...answer }))
}

export function startStream({ res }: Seen, headers: Record<string, string> = {}): void {
  res.writeHead(200, { 'content-type': 'text/event-stream', ...headers })
  res.flushHeaders()
}

export function sendEvent({ res }: Seen, message: object, id?: string): void {
  res.write(`${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
}

export const DISCOVERY = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {} },
  instructions: 'Ask gently.',
  ttlMs: 0,
  cacheScope: 'private',
  _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'fake', version: '1' } },
}

/** A server of the modern era: discovery is answered, the rest goes to `handle`. */
export function modernFake(handle: (seen: Seen) => void, discovery: object = DISCOVERY): Promise<FakeServer> {
  return fakeServer((seen) => {
    if (seen.body['method'] === 'server/discover') answerJson(seen, { result: discovery })
    else handle(seen)
  })
}

export const INITIALIZED = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'fake', version: '1' },
  instructions: 'Ask gently.',
}

/** A server of the legacy era with session `s1`, without a side stream unless `handle` serves GET. */
export function legacyFake(handle: (seen: Seen) => void, sessions = true): Promise<FakeServer> {
  let opened = 0
  return fakeServer((seen) => {
    const { body, verb, res } = seen
    if (body['method'] === 'server/discover')
      answerJson(seen, { id: null, error: { code: -32000, message: 'Bad Request: Server not initialized' } }, 400)
    else if (body['method'] === 'initialize')
      answerJson(seen, { result: INITIALIZED }, 200, sessions ? { 'mcp-session-id': `s${++opened}` } : {})
    else if (body['method'] === 'notifications/initialized') res.writeHead(202).end()
    else if (verb === 'DELETE') res.writeHead(200).end()
    else handle(seen)
    if (verb === 'GET' && !res.headersSent && !res.hasHeader('x')) res.writeHead(405).end()
  })
}

/** What a promise failed with, which must be one of our faults. */
export async function failure(promise: Promise<unknown>): Promise<GatehouseError> {
  const error: unknown = await promise.then(
    () => new Error('it should have failed'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof GatehouseError) return error
  throw error
}
