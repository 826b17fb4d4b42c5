import type { DataSource } from 'typeorm'
import type { JsonObject } from '@gatehouse/sdk'
import type { LegacySession } from '../../call.js'
import { guardAll } from './failures.js'
import { within } from './within.js'

/** A legacy session as it lies in the database: `hash` is the SHA-256 of its id. */
export interface SessionRow extends Omit<LegacySession, 'id'> {
  readonly hash: string
  readonly userKey: string
  readonly lastUsedAt: Date
}

export interface SessionRows {
  create(row: SessionRow): Promise<void>
  /** Those that there are; GH_DB_UNAVAILABLE when no answer comes soon. */
  find(hashes: readonly string[]): Promise<readonly SessionRow[]>
  /** Never turns back the time of the last use. */
  touch(hash: string, at: Date): Promise<void>
  /** In one statement, so that changes at the same time all stay; false when there is no such session. */
  change(
    hash: string,
    change: { readonly logLevel?: string; readonly subscribe?: string; readonly unsubscribe?: string },
  ): Promise<boolean>
  end(hash: string): Promise<boolean>
  /** Ends what was idle since before `before`; answers how many. */
  endIdle(before: Date): Promise<number>
  /**
   * Ends the longest idle ones of a user beyond `most`; answers which. `uses` are times of use by hash that may not have
   * been written down yet.
   */
  endBeyond(userKey: string, most: number, uses: ReadonlyMap<string, Date>): Promise<readonly string[]>
}

interface Found {
  readonly hash: string
  readonly userKey: string
  readonly version: string
  readonly connectionId: string
  readonly gatewayId: string
  readonly clientName: string | null
  readonly clientVersion: string | null
  readonly capabilities: string
  readonly logLevel: string | null
  readonly subscriptions: readonly string[]
  readonly lastUsedAt: Date
}

/** Sessions end with their connection and their gateway. */
export function createSessionRows(dataSource: DataSource): SessionRows {
  const ended = async (where: string, given: unknown): Promise<number> => {
    const rows: { count: string }[] = await dataSource.query(
      `with gone as (delete from sessions where ${where} returning 1) select count(*) as count from gone`,
      [given],
    )
    return Number(rows[0]?.count)
  }
  return guardAll<SessionRows>({
    create: async (row) => {
      await dataSource.query(
        `insert into sessions (id_hash, principal, version, connection_id, gateway_id, client_name, client_version,
           capabilities, last_used_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          row.hash,
          row.userKey,
          row.version,
          row.connectionId,
          row.gatewayId,
          storable(row.client.name),
          storable(row.client.version),
          JSON.stringify(row.capabilities),
          row.lastUsedAt,
        ],
      )
    },
    find: async (hashes) => {
      const rows: Found[] = await within(ANSWER_MS, dataSource.query(FIND, [hashes]))
      return rows.map(sessionOf)
    },
    touch: async (hash, at) => {
      await dataSource.query('update sessions set last_used_at = greatest(last_used_at, $2) where id_hash = $1', [
        hash,
        at,
      ])
    },
    change: async (hash, { logLevel = null, subscribe = null, unsubscribe = null }) => {
      const given = [hash, logLevel, subscribe, unsubscribe]
      const rows: unknown[] = await dataSource.query(CHANGE, given)
      return rows.length > 0
    },
    end: async (hash) => (await ended('id_hash = $1', hash)) > 0,
    endIdle: (before) => ended('last_used_at < $1', before),
    endBeyond: async (userKey, most, uses) => {
      const times = [...uses.values()].map((at) => at.toISOString())
      const rows: { hash: string }[] = await dataSource.query(END_BEYOND, [userKey, most, [...uses.keys()], times])
      return rows.map(({ hash }) => hash)
    },
  })
}

const ANSWER_MS = 2_000

const FIND = `select id_hash as hash, principal as "userKey", version, connection_id as "connectionId",
  gateway_id as "gatewayId", client_name as "clientName", client_version as "clientVersion", capabilities,
  log_level as "logLevel", subscriptions, last_used_at as "lastUsedAt" from sessions where id_hash = any($1)`

const CHANGE = `with changed as (
    update sessions set log_level = coalesce($2, log_level),
      subscriptions = case
        when $3::text is not null then array_append(array_remove(subscriptions, $3), $3)
        when $4::text is not null then array_remove(subscriptions, $4)
        else subscriptions end
    where id_hash = $1 returning 1)
  select 1 from changed`

const END_BEYOND = `with used as (select * from unnest($3::text[], $4::timestamptz[]) as used (hash, at)),
  gone as (delete from sessions where id_hash in (
    select id_hash from sessions left join used on used.hash = id_hash where principal = $1
    order by greatest(last_used_at, used.at) desc, created_at desc offset $2) returning id_hash)
  select id_hash as hash from gone`

function sessionOf({ clientName, clientVersion, capabilities, ...rest }: Found): SessionRow {
  const client = { name: clientName, version: clientVersion }
  return { ...rest, client, capabilities: JSON.parse(capabilities) as JsonObject }
}

/** What a client says of itself may hold a zero character, which PostgreSQL does not take. */
const storable = (text: string | null): string | null => text?.replaceAll('\0', '\ufffd') ?? null
