import type { DataSource } from 'typeorm'
import { guardAll } from './failures.js'

/** The key of each day that bodies are sealed with; sealed itself. Whoever calls seals and opens. */
export function createBodyKeyRows(dataSource: Pick<DataSource, 'query'>) {
  const find = async (day: string): Promise<string | null> => {
    const rows: { sealed: string }[] = await dataSource.query('select sealed from body_keys where day = $1', [day])
    return rows[0]?.sealed ?? null
  }
  return guardAll({
    find,
    keep: async (day: string, sealed: string): Promise<string> => {
      await dataSource.query('insert into body_keys (day, sealed) values ($1, $2) on conflict (day) do nothing', [
        day,
        sealed,
      ])
      return (await find(day)) ?? sealed
    },
  })
}
