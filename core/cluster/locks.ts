import { createHash } from 'node:crypto'
import type { DataSource } from 'typeorm'
import { guarded } from '../db/repositories/failures.js'

/** Who waits in this process waits here: each waiter at the database would hold a connection that the holder may need. */
const queues = new WeakMap<DataSource, Map<string, Promise<unknown>>>()

/** Runs `work` while no other replica runs one of the same name; waits for its turn. */
export function withAdvisoryLock<T>(dataSource: DataSource, name: string, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(dataSource) ?? new Map<string, Promise<unknown>>()
  queues.set(dataSource, queue)
  const turn = (queue.get(name) ?? Promise.resolve())
    .catch(() => undefined)
    .then(() => locked(dataSource, name, { take: 'pg_advisory_lock', work }))
  queue.set(name, turn)
  const tidy = (): void => {
    if (queue.get(name) === turn) queue.delete(name)
  }
  turn.then(tidy, tidy)
  return turn as Promise<T>
}

/** Runs `work` unless a replica is at it already; answers whether it ran. For jobs of which one run is enough. */
export async function ifUnlocked(dataSource: DataSource, name: string, work: () => Promise<void>): Promise<boolean> {
  const ran = await locked(dataSource, name, { take: 'pg_try_advisory_lock', work: () => work().then(() => true) })
  return ran === true
}

/**
 * The lock belongs to a connection of its own: it falls with the process, and also with the connection. So `work` must
 * stand a second one beside it in the rare case that the connection breaks.
 */
async function locked<T>(
  dataSource: DataSource,
  name: string,
  { take, work }: { take: 'pg_advisory_lock' | 'pg_try_advisory_lock'; work: () => Promise<T> },
): Promise<T | undefined> {
  const key = createHash('sha256').update(`gatehouse ${name}`).digest().readBigInt64BE().toString()
  const runner = dataSource.createQueryRunner()
  try {
    const rows: { taken: unknown }[] = await guarded(() => runner.query(`select ${take}($1) as taken`, [key]))
    if (rows[0]?.taken === false) return undefined
    try {
      return await work()
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [key]).catch(() => undefined)
    }
  } finally {
    await runner.release()
  }
}
