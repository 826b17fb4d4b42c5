import type { Resources } from './resources.js'
import { type House, PARTS } from './house.js'

/** What the database refuses for another reason than being away stays in the log until an operator has mended it. */
export async function recordIsCarried(house: House): Promise<string | null> {
  const { failing } = house.get(PARTS.tailer).status()
  return failing === null ? null : `not carried to the database since ${new Date(failing.since).toISOString()}`
}

export async function databaseIsThere({ dataSource }: Resources): Promise<string | null> {
  const answer = dataSource.query('select 1').then(
    () => null,
    () => 'the database does not answer',
  )
  return Promise.race([
    answer,
    new Promise<string>((resolve) => setTimeout(resolve, 2_000, 'the database is slow').unref()),
  ])
}
