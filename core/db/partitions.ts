import type { DataSource } from 'typeorm'
import { guarded } from './repositories/failures.js'

const DAY = 86_400_000

/**
 * Makes the daily partitions of the record from one day to another, both included (UTC, `YYYY-MM-DD`); those that are
 * there are left alone. Answers how many were made. Safe on several replicas at once.
 */
export function ensurePartitions(dataSource: DataSource, fromDay: string, toDay: string): Promise<number> {
  return guarded(async () => {
    let made = 0
    for (let at = Date.parse(fromDay); at <= Date.parse(toDay); at += DAY) {
      const day = new Date(at).toISOString().slice(0, 10)
      for (const parent of ['messages', 'message_bodies', 'message_originals']) {
        const rows: { made: boolean }[] = await dataSource.query(
          'select ensure_record_partition($1, $2::date) as made',
          [parent, day],
        )
        if (rows[0]?.made === true) made += 1
      }
    }
    return made
  })
}
