import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import type { Alert, PluginLog } from '@gatehouse/sdk'
import { CONFIGURATION_SQL } from '../db/migrations/0001-configuration.js'
import { RECORD_SQL } from '../db/migrations/0001-record.js'
import { ROOT_MESSAGES_SQL } from '../db/migrations/0010-root-messages.js'
import { BACKTEST_SQL } from '../db/migrations/0014-backtest.js'
import { RECEIPTS_SQL } from '../db/migrations/0018-receipts.js'
import { STATE_SQL } from '../db/migrations/0001-state.js'
import type { Leg, MessageRecord } from '../domain/record.js'
import { testDatabase } from '../test/database.js'
import { createRecorder } from './log.js'
import type { RecordLog, RecorderOptions } from './log.js'
import { uuidv7 } from './trail.js'

export const quiet: PluginLog = { debug() {}, info() {}, warn() {}, error() {} }

export function leg(facts: Partial<Leg> = {}): Leg {
  return {
    type: 'proxy_request_success',
    offset: 0,
    durationMs: null,
    bytes: 120,
    httpStatus: null,
    rpcError: null,
    error: null,
    serverId: null,
    serverName: null,
    serverUrl: null,
    identityId: null,
    scheme: null,
    receipts: [],
    ...facts,
  }
}

export function messageRecord(facts: Partial<MessageRecord> = {}): MessageRecord {
  const at = facts.at ?? Date.now()
  return {
    id: uuidv7(at),
    rootId: null,
    at,
    method: 'tools/call',
    rpcId: '1',
    sessionId: 'session-1',
    version: '2025-11-25',
    featureType: 'tool',
    feature: 'echo',
    userId: '00000000-0000-4000-8000-0000000000aa',
    userEmail: 'ann@example.com',
    userName: 'Ann',
    teamId: null,
    hostId: null,
    hostName: 'bot',
    clientName: 'client',
    clientVersion: '1.0',
    connectionId: null,
    gatewayId: '00000000-0000-4000-8000-0000000000bb',
    gatewayName: 'engineering',
    ip: '127.0.0.1',
    userAgent: 'test',
    outcome: 'proxy_response_success',
    httpStatus: 200,
    durationMs: 12,
    legs: [
      leg(),
      leg({ type: 'mcp_request_success', offset: 1, serverName: 'everything' }),
      leg({ type: 'mcp_response_success', offset: 11, durationMs: 10, serverName: 'everything' }),
      leg({ type: 'proxy_response_success', offset: 12, durationMs: 12, httpStatus: 200 }),
    ],
    request: { text: '{"name":"echo"}', bytes: 15, sha256: null },
    response: { text: '{"content":[]}', bytes: 14, sha256: null },
    originals: null,
    ...facts,
  }
}

export interface RecordDatabase {
  readonly url: string
  readonly pool: Pool
  drop(): Promise<void>
}

/** A database with the whole schema. */
export async function recordDatabase(): Promise<RecordDatabase> {
  const database = await testDatabase()
  const pool = new Pool({ connectionString: database.url, max: 8 })
  pool.on('error', () => undefined)
  for (const sql of [CONFIGURATION_SQL, STATE_SQL, RECORD_SQL, ROOT_MESSAGES_SQL, BACKTEST_SQL, RECEIPTS_SQL])
    await pool.query(sql)
  return {
    url: database.url,
    pool,
    async drop() {
      await pool.end()
      await database.drop()
    },
  }
}

export interface Folder {
  readonly dir: string
  readonly overflows: { readonly lost: number; readonly refused: number; readonly reason: string }[]
  readonly alerts: Alert[]
  open(options?: Partial<RecorderOptions>): Promise<RecordLog>
  remove(): Promise<void>
}

/** An empty folder for a log, and what was told while it was written. */
export async function logFolder(): Promise<Folder> {
  const dir = await mkdtemp(join(tmpdir(), 'gh-log-'))
  const overflows: Folder['overflows'] = []
  return {
    dir,
    overflows,
    alerts: [],
    open: (options) =>
      createRecorder({ dir, mode: () => 'fast', onOverflow: (facts) => overflows.push(facts), ...options }),
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}

export interface Relay {
  /** The database's URL by way of the relay. */
  readonly url: string
  /** Breaks every connection and refuses new ones, as a database that is away does. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

export async function relayTo(databaseUrl: string): Promise<Relay> {
  const target = new URL(databaseUrl)
  const folder = target.searchParams.get('host')
  const port = Number(target.searchParams.get('port') ?? (target.port || 5432))
  const sockets = new Set<Socket>()
  let away = false
  const server = createServer((near) => {
    const far = folder ? connect(join(folder, `.s.PGSQL.${port}`)) : connect(port, target.hostname)
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => (sockets.delete(one), other.destroy()))
    }
    if (away) near.destroy()
    else near.pipe(far).pipe(near)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address() as AddressInfo
  const url = new URL(databaseUrl)
  url.search = ''
  url.hostname = '127.0.0.1'
  url.port = String(address.port)
  const drop = (): void => sockets.forEach((socket) => socket.destroy())
  return {
    url: url.href,
    cut: () => ((away = true), drop()),
    mend: () => void (away = false),
    close: () => (drop(), new Promise((done) => server.close(() => done()))),
  }
}
