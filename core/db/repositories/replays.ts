import type { EntityManager } from 'typeorm'
import { storable } from '../../domain/storable.js'
import { guardAll } from './failures.js'
import type { Sealer } from './secrets.js'

export type ReplayState = 'queued' | 'running' | 'done' | 'cancelled' | 'failed'

/** One backtest, as any replica can tell of it. What is in `spec`, `progress` and `report` is the caller's business. */
export interface ReplayRow {
  readonly id: string
  readonly createdAt: string
  readonly createdBy: string | null
  readonly gatewayId: string
  readonly state: ReplayState
  /** Why it failed; fit for whoever asked for it. */
  readonly reason: string | null
  readonly spec: object
  readonly progress: object
  readonly report: object | null
  /** JSON text. Kept sealed: it quotes messages. */
  readonly samples: string | null
  readonly startedAt: string | null
  readonly finishedAt: string | null
}

export interface ReplayRows {
  insert(draft: { createdBy: string | null; gatewayId: string; spec: object; keptMs: number }): Promise<string>
  find(id: string): Promise<ReplayRow | null>
  begin(id: string): Promise<void>
  tell(id: string, told: { progress: object; report: object; samples: string }): Promise<void>
  /** What has ended stays as it ended. */
  finish(id: string, state: 'done' | 'cancelled' | 'failed', reason: string | null): Promise<void>
  /** Somebody has had enough of it; false: it has ended already. */
  cancel(id: string): Promise<boolean>
  /** Says that its replica is alive; answers which of these somebody has had enough of. */
  beat(ids: readonly string[]): Promise<readonly string[]>
  /** Deletes what has expired, at most `limit` rows; answers how many. */
  sweep(limit: number): Promise<number>
}

/** One whose replica has said nothing for so long is lost with it. */
const LOST = `state in ('queued', 'running') and beat_at < clock_timestamp() - interval '60 seconds'`
const UNDER_WAY = `state in ('queued', 'running')`

const COLUMNS = `id, created_at as "createdAt", created_by as "createdBy", gateway_id as "gatewayId",
  case when ${LOST} then 'failed' else state end as state,
  case when ${LOST} then 'The gateway that ran it is gone. Start it again.' else reason end as reason,
  spec, progress, report, samples, started_at as "startedAt", finished_at as "finishedAt"`

export function createReplayRows(manager: Pick<EntityManager, 'query'>, vault: Sealer): ReplayRows {
  const placeOf = (id: string) => ({ table: 'rule_replays', id, field: 'samples' })
  const run = (sql: string, values: unknown[]) => manager.query(sql, values) as Promise<{ id: string }[]>
  return guardAll({
    insert: async ({ createdBy, gatewayId, spec, keptMs }: Parameters<ReplayRows['insert']>[0]) => {
      const [made] = await run(
        `with made as (insert into rule_replays (created_by, gateway_id, spec, expires_at)
           values ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond') returning id) select id from made`,
        [createdBy, gatewayId, JSON.stringify(spec), keptMs],
      )
      return made?.id ?? ''
    },
    find: async (id: string) => {
      const rows = (await manager.query(`select ${COLUMNS} from rule_replays where id = $1`, [id])) as Stored[]
      const row = rows[0]
      return row === undefined ? null : shown(row, row.samples && vault.openText(row.samples, placeOf(id)))
    },
    begin: async (id: string) => {
      await run(`update rule_replays set state = 'running', started_at = clock_timestamp() where id = $1`, [id])
    },
    tell: async (id: string, { progress, report, samples }: Parameters<ReplayRows['tell']>[1]) => {
      const values = [id, JSON.stringify(progress), storable(JSON.stringify(report)), vault.seal(samples, placeOf(id))]
      await run(`update rule_replays set progress = $2, report = $3, samples = $4 where id = $1`, values)
    },
    finish: async (id: string, state: ReplayState, reason: string | null) => {
      await run(
        `update rule_replays set state = $2, reason = $3, finished_at = clock_timestamp() where id = $1 and ${UNDER_WAY}`,
        [id, state, reason],
      )
    },
    cancel: async (id: string) => {
      const told = await run(
        `with told as (update rule_replays set cancel = true where id = $1 and ${UNDER_WAY} returning id) select id from told`,
        [id],
      )
      return told.length === 1
    },
    beat: async (ids: readonly string[]) => {
      const rows = await run(
        `with beaten as (update rule_replays set beat_at = clock_timestamp()
           where id = any ($1::uuid[]) and ${UNDER_WAY} returning id, cancel) select id from beaten where cancel`,
        [ids],
      )
      return rows.map(({ id }) => id)
    },
    sweep: async (limit: number) => {
      const gone = await run(
        `with gone as (delete from rule_replays where ctid in (
           select ctid from rule_replays where expires_at < clock_timestamp() limit $1) returning id) select id from gone`,
        [limit],
      )
      return gone.length
    },
  })
}

interface Stored extends Omit<ReplayRow, 'createdAt' | 'startedAt' | 'finishedAt'> {
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
}

function shown(row: Stored, samples: string | null): ReplayRow {
  return {
    ...row,
    samples,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  }
}
