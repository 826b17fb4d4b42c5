import type { DataSource } from 'typeorm'
import { guardAll } from './failures.js'

/** A replica as the others see it. */
export interface ReplicaRow {
  readonly id: string
  /** Where the others reach it; null when it did not say. */
  readonly url: string | null
  /** The replicas that it reckons with. */
  readonly knows: readonly string[]
  /** Since its last beat, by the clock of the database. */
  readonly silentMs: number
}

export interface Beat {
  readonly id: string
  readonly url: string | null
  readonly knows: readonly string[]
  /** Rises with each beat. */
  readonly number: number
}

export interface ReplicaRows {
  /** Takes an id; false when it is taken. */
  register(id: string, url: string | null): Promise<boolean>
  /** Answers all others that there are, also those that have been silent for long. */
  beat(beat: Beat): Promise<readonly ReplicaRow[]>
  remove(id: string): Promise<void>
}

export function createReplicaRows(dataSource: DataSource): ReplicaRows {
  return guardAll<ReplicaRows>({
    register: async (id, url) => {
      const rows: unknown[] = await dataSource.query(
        `with made as (insert into replicas (id, url) values ($1, $2) on conflict do nothing returning 1)
         select * from made`,
        [id, url],
      )
      return rows.length > 0
    },
    beat: ({ id, url, knows, number }) =>
      dataSource.query('select id, url, knows, silent_ms as "silentMs" from replica_beat($1, $2, $3, $4)', [
        ...[id, url, knows, number],
      ]),
    remove: async (id) => {
      await dataSource.query('delete from replicas where id = $1', [id])
    },
  })
}
