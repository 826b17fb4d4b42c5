import type { FeatureKind, LogType } from '@gatehouse/sdk'
import type { Leg } from '../domain/record.js'
import type { Database } from '../record/carry.js'
import type { ReplayJob } from '../domain/replay.js'

/** A message of the record, with what was kept of it. */
export interface StoredCall {
  readonly at: Date
  readonly id: string
  readonly root_id: string | null
  readonly method: string | null
  readonly rpc_id: string | null
  readonly version: string | null
  readonly feature_type: FeatureKind
  readonly feature: string
  readonly user_id: string | null
  readonly user_email: string | null
  readonly host_id: string | null
  readonly host_name: string | null
  readonly outcome: LogType
  readonly legs: readonly Leg[]
  readonly request: string | null
  readonly request_cut: boolean
  readonly response: string | null
  readonly response_cut: boolean
  readonly sealed_request: Buffer | null
  readonly sealed_request_bytes: string | null
  readonly sealed_response: Buffer | null
  readonly sealed_response_bytes: string | null
}

export interface StoredCalls {
  /** How many there are, counted no further than what may be read. */
  count(): Promise<number>
  /** Newest first, a page at a time. */
  pages(): AsyncGenerator<readonly StoredCall[]>
}

const PAGE = 100
/** Both legs, as they are kept and sealed; a page is held in memory whole. */
const BODIES = 4
const MOST_BYTES = 64 * 1024 * 1024

/** The messages of a gateway's features in a period. Sealed originals are not even fetched for who may not see them. */
export function storedCalls(database: Pick<Database, 'query'>, job: ReplayJob, longestBody: number): StoredCalls {
  const size = Math.max(1, Math.min(PAGE, Math.floor(MOST_BYTES / (BODIES * longestBody))))
  const within = `m.gateway_id = $1::uuid and m.at >= to_timestamp($2 / 1000.0) and m.at < to_timestamp($3 / 1000.0)
    and m.feature is not null and m.feature_type is not null`
  const period = [job.gatewayId, job.since, job.until]
  const page = async (after: StoredCall | undefined): Promise<readonly StoredCall[]> => {
    const key = after === undefined ? '' : 'and (m.at, m.id) < ($4::timestamptz, $5::uuid)'
    const { rows } = await database.query<StoredCall>(
      `${columnsOf(job.bodies)} where ${within} ${key} order by m.at desc, m.id desc limit ${size}`,
      after === undefined ? period : [...period, after.at, after.id],
    )
    return rows
  }
  return {
    async count() {
      const { rows } = await database.query<{ count: string }>(
        `select count(*) from (select 1 from messages m where ${within} limit $4::bigint) as counted`,
        [...period, job.most.messages],
      )
      return Number(rows[0]?.count ?? 0)
    },
    async *pages() {
      let last: StoredCall | undefined
      for (;;) {
        const rows = await page(last)
        if (rows.length > 0) yield rows
        if (rows.length < size) return
        last = rows.at(-1)
      }
    },
  }
}

const columnsOf = (bodies: boolean): string => `
  select m.at, m.id, m.root_id, m.method, m.rpc_id, m.version, m.feature_type, m.feature, m.user_id, m.user_email,
    m.host_id, m.host_name, m.outcome, m.legs,
    b.request, b.request_sha256 is not null as request_cut, b.response, b.response_sha256 is not null as response_cut,
    ${bodies ? 'o.request' : 'null::bytea'} as sealed_request, o.request_bytes as sealed_request_bytes,
    ${bodies ? 'o.response' : 'null::bytea'} as sealed_response, o.response_bytes as sealed_response_bytes
  from messages m left join message_bodies b on b.at = m.at and b.id = m.id
    left join message_originals o on o.at = m.at and o.id = m.id`
