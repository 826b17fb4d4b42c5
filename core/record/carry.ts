import type { Pool } from 'pg'
import { SEALED_PARTS } from '../domain/record.js'
import { jsonbArray, someLines } from './lines.js'
import type { Lines } from './lines.js'

/** The part of a `pg` pool that the record needs. */
export type Database = Pick<Pool, 'query' | 'connect'>

/** A statement that gets no answer in this time counts as the database being away. */
const queryTimeoutMs = 30_000

/**
 * All tables in one statement. What is there already is left alone, so that a repeat changes nothing. A number of the
 * sequence is taken only after the transaction has its own (`tx`): the horizon of the cursors rests on that. What a
 * client may send at any length is cut, for an index refuses texts over 2,700 bytes.
 */
const insert = `
with tx as materialized (select pg_current_xact_id() as id),
input as materialized (
  select * from jsonb_to_recordset($1::jsonb) as r(
    id uuid, "rootId" uuid, at double precision, method text, "rpcId" text, "sessionId" text, version text, "featureType" text,
    feature text, "userId" uuid, "userEmail" text, "userName" text, "teamId" uuid, "hostId" uuid, "hostName" text,
    "clientName" text, "clientVersion" text, "connectionId" uuid, "gatewayId" uuid, "gatewayName" text, ip text,
    "userAgent" text, outcome text, "httpStatus" integer, "durationMs" double precision, legs jsonb,
    request jsonb, response jsonb, originals jsonb)
),
kept as (
  insert into messages (at, id, root_id, method, rpc_id, session_id, version, feature_type, feature, user_id, user_email,
    user_name, team_id, host_id, host_name, client_name, client_version, connection_id, gateway_id, gateway_name, ip,
    user_agent, outcome, http_status, duration_ms, legs)
  select to_timestamp(r.at / 1000), r.id, r."rootId", left(r.method, 256), left(r."rpcId", 256), left(r."sessionId", 256),
    left(r.version, 64), r."featureType", left(r.feature, 512), r."userId", r."userEmail", r."userName", r."teamId",
    r."hostId", r."hostName", left(r."clientName", 256), left(r."clientVersion", 256), r."connectionId", r."gatewayId",
    r."gatewayName", r.ip, left(r."userAgent", 1024), r.outcome, r."httpStatus", r."durationMs", r.legs
  from tx join input r on tx.id is not null
  on conflict do nothing
),
sealed as (
  insert into message_originals (at, id, ${SEALED_PARTS.flatMap((part) => [part, `${part}_bytes`]).join(', ')})
  select to_timestamp(r.at / 1000), r.id, ${SEALED_PARTS.map(
    (part) => `decode(r.originals->'${part}'->>'box', 'base64'), (r.originals->'${part}'->>'bytes')::bigint`,
  ).join(', ')}
  from input r where jsonb_typeof(r.originals) = 'object'
  on conflict do nothing
)
insert into message_bodies (at, id, request, request_bytes, request_sha256, response, response_bytes, response_sha256)
select to_timestamp(r.at / 1000), r.id, r.request->>'text', (r.request->>'bytes')::bigint, r.request->>'sha256',
  r.response->>'text', (r.response->>'bytes')::bigint, r.response->>'sha256'
from input r where jsonb_typeof(r.request) = 'object' or jsonb_typeof(r.response) = 'object'
on conflict do nothing`

const deadLetter = `
insert into dead_letters (attempts, message, rows) values (1, $1, jsonb_build_array($2::text))`

/** SQLSTATE classes that speak of the row, not of the server: sent again, it would be refused again. */
const dataError = /^(21|22|23|44|54)/

export interface Carried {
  /** Lines that went to the dead letters, with the SQLSTATE that refused them. */
  readonly poisoned: readonly string[]
}

/** Puts the lines into the database, in order; throws only when that may succeed later. */
export async function carry(database: Pick<Database, 'query'>, lines: Lines): Promise<Carried> {
  const count = lines.ends.length
  if (count === 0) return { poisoned: [] }
  try {
    await database.query(timed(insert, [jsonbArray(lines)]))
    return { poisoned: [] }
  } catch (error) {
    if (!dataError.test(sqlState(error))) throw error
    if (count === 1) return bury(database, lines.bytes, error)
    const half = count >> 1
    const first = await carry(database, someLines(lines, 0, half))
    const rest = await carry(database, someLines(lines, half, count))
    return { poisoned: [...first.poisoned, ...rest.poisoned] }
  }
}

async function bury(database: Pick<Database, 'query'>, line: Buffer, error: unknown): Promise<Carried> {
  const text = line.toString('utf8').trimEnd().replaceAll('\0', '\ufffd')
  await database.query(timed(deadLetter, [String(error).replaceAll('\0', '').slice(0, 1000), text]))
  return { poisoned: [sqlState(error)] }
}

function timed(text: string, values: unknown[]): { text: string; values: unknown[] } {
  const query = { text, values, query_timeout: queryTimeoutMs }
  return query
}

export function sqlState(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
