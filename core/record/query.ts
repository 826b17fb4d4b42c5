import type { LogRow, LogType } from '@gatehouse/sdk'
import type { CapturedBody } from '../domain/record.js'
import type { Database } from './carry.js'
import { Horizon } from './horizon.js'
import { messageColumns, rowsOf } from './rows.js'
import type { StoredMessage } from './rows.js'
import { Where } from './where.js'

export interface LogFilter {
  readonly correlationId?: string
  /** Milliseconds since the epoch, included. */
  readonly since?: number
  /** Milliseconds since the epoch, not included. */
  readonly until?: number
  readonly gatewayId?: string
  readonly userId?: string
  readonly hostId?: string
  readonly feature?: string
  readonly method?: string
  readonly outcome?: LogType
  /** Only what failed, was blocked or refused. */
  readonly failed?: boolean
}

export interface LogRequest extends LogFilter {
  /** Messages, not rows: a message comes with all its legs. 50 unless told, at most 500. */
  readonly limit?: number
  /** `next` of the page before. */
  readonly before?: string
  /** Adds the bodies, as they were captured: for those who may see them. */
  readonly withBodies?: boolean
}

/** The request's body stands on the first leg, the response's on the last; null on all others. */
export type LogRowWithBody = LogRow & { readonly body?: CapturedBody | null }

export interface LogPage {
  /** Newest message first; the legs of one message in their order. */
  readonly rows: readonly LogRowWithBody[]
  /** For the next page; null when this is the last one. */
  readonly next: string | null
}

export interface LogReader {
  logs(request: LogRequest): Promise<LogPage>
  /**
   * What came in since the cursor, oldest first; without one, only where the record ends now. Never passes over a row,
   * nor gives one twice, however many replicas write. Call it again, in a second or so, with the cursor that it answers.
   */
  follow(
    cursor: string | null,
    filter?: LogFilter,
  ): Promise<{ readonly rows: readonly LogRow[]; readonly cursor: string }>
}

export function createLogReader(database: Pick<Database, 'query'>): LogReader {
  const horizon = new Horizon(database)
  return {
    logs: (request) => page(database, request),
    follow: (cursor, filter = {}) => follow(database, { horizon, cursor, filter }),
  }
}

const followLimit = 500
export const momentMs = 1_000
/** Longer than a client may go on with a call: a bounded number of rounds, each as long as its questions may wait. */
const lifeMs = 4 * 3_600_000

async function page(database: Pick<Database, 'query'>, request: LogRequest): Promise<LogPage> {
  const limit = Math.min(Math.max(request.limit ?? 50, 1), 500)
  const where = conditions(request)
  if (!where || !addKey(where, request.before)) return { rows: [], next: null }
  const bodies = request.withBodies ? ', to_jsonb(b) as bodies' : ''
  const join = request.withBodies ? 'left join message_bodies b on b.at = m.at and b.id = m.id' : ''
  const { rows } = await database.query<StoredMessage & { readonly bodies?: StoredBodies | null }>(
    `select ${messageColumns}${bodies} from messages m ${join} ${where.sql()}
     order by m.at desc, m.id desc limit ${limit + 1}`,
    where.values,
  )
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return {
    rows: shown.flatMap((message) => (request.withBodies ? rowsWithBodies(message) : rowsOf(message))),
    next: last ? `${last.at.getTime()}.${last.id}` : null,
  }
}

async function follow(
  database: Pick<Database, 'query'>,
  { horizon, cursor, filter }: { horizon: Horizon; cursor: string | null; filter: LogFilter },
): Promise<{ rows: readonly LogRow[]; cursor: string }> {
  if (cursor === null || !/^\d{1,18}$/.test(cursor)) return { rows: [], cursor: String(await horizon.end()) }
  const until = await horizon.current()
  const where = conditions(filter)
  if (!where || until <= BigInt(cursor)) return { rows: [], cursor }
  where.add('m.seq > ?::bigint', cursor)
  where.add('m.seq <= ?::bigint', String(until))
  const { rows } = await database.query<StoredMessage>(
    `select ${messageColumns} from messages m ${where.sql()} order by m.seq limit ${followLimit}`,
    where.values,
  )
  const last = rows.length === followLimit ? rows.at(-1)?.seq : undefined
  return { rows: rows.flatMap(rowsOf), cursor: last ?? String(until) }
}

const within = (column: string) =>
  `${column} = ?::uuid and m.at >= to_timestamp(? / 1000.0) and m.at <= to_timestamp(? / 1000.0)`

/**
 * Null when nothing can match. A correlation id carries its time, which leads to the one partition that can hold its message;
 * what belongs to that came soon after.
 */
function conditions(filter: LogFilter): Where | null {
  const where = new Where()
  if (filter.correlationId !== undefined) {
    const at = timeOf(filter.correlationId)
    if (at === null) return null
    const { correlationId } = filter
    const from = at - momentMs
    where.add(`(${within('m.id')} or ${within('m.root_id')})`, correlationId, from, at + momentMs, correlationId, from, at + lifeMs) // prettier-ignore
  }
  if (filter.since !== undefined) where.add('m.at >= to_timestamp(? / 1000.0)', filter.since)
  if (filter.until !== undefined) where.add('m.at < to_timestamp(? / 1000.0)', filter.until)
  if (filter.gatewayId !== undefined) where.add('m.gateway_id = ?::uuid', filter.gatewayId)
  if (filter.userId !== undefined) where.add('m.user_id = ?::uuid', filter.userId)
  if (filter.hostId !== undefined) where.add('m.host_id = ?::uuid', filter.hostId)
  if (filter.feature !== undefined) where.add('m.feature = ?', filter.feature)
  if (filter.method !== undefined) where.add('m.method = ?', filter.method)
  if (filter.outcome !== undefined) where.add('m.outcome = ?', filter.outcome)
  if (filter.failed) where.add('m.failed')
  return where
}

/** False when the key is none that a page has given. */
function addKey(where: Where, key: string | undefined): boolean {
  if (key === undefined) return true
  const match = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(key)
  if (match) where.add('(m.at, m.id) < (to_timestamp(? / 1000.0), ?::uuid)', match[1], match[2])
  return match !== null
}

interface StoredBodies {
  readonly request: string | null
  readonly request_bytes: number | null
  readonly request_sha256: string | null
  readonly response: string | null
  readonly response_bytes: number | null
  readonly response_sha256: string | null
}

function rowsWithBodies(message: StoredMessage & { readonly bodies?: StoredBodies | null }): LogRowWithBody[] {
  const bodies = message.bodies
  const request = captured(bodies?.request, bodies?.request_bytes, bodies?.request_sha256)
  const response = captured(bodies?.response, bodies?.response_bytes, bodies?.response_sha256)
  const rows = rowsOf(message)
  return rows.map((row, i) => ({ ...row, body: i === 0 ? request : i === rows.length - 1 ? response : null }))
}

function captured(
  text: string | null | undefined,
  bytes: number | null | undefined,
  sha256: string | null | undefined,
): CapturedBody | null {
  return typeof text === 'string' ? { text, bytes: bytes ?? 0, sha256: sha256 ?? null } : null
}

/** When a UUIDv7 was made (RFC 9562, section 5.7); null for any other text. */
export function timeOf(id: string): number | null {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.exec(id)
  return match ? Number.parseInt(`${match[1]}${match[2]}`, 16) : null
}
