import type { DataSource } from 'typeorm'
import { guardAll } from './failures.js'

/** Which era each server was found to speak; what a verdict holds is the caller's business. */
export function createVerdictStore<Verdict extends object>(
  dataSource: DataSource,
): { get(serverId: string): Promise<Verdict | null>; set(serverId: string, verdict: Verdict): Promise<void> } {
  return guardAll({
    get: async (serverId: string) => {
      const rows: { verdict: Verdict }[] = await dataSource.query(
        'select verdict from era_verdicts where server_id = $1',
        [serverId],
      )
      return rows[0]?.verdict ?? null
    },
    set: async (serverId: string, verdict: Verdict) => {
      await dataSource.query(
        `insert into era_verdicts (server_id, verdict) values ($1, $2)
         on conflict (server_id) do update set verdict = excluded.verdict, updated_at = clock_timestamp()`,
        [serverId, JSON.stringify(verdict)],
      )
    },
  })
}
