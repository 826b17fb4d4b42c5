import { randomBytes } from 'node:crypto'
import type { DataSource } from 'typeorm'
import { withAdvisoryLock } from '../cluster/locks.js'
import type { Store } from '../domain/store.js'

const OWNER = { kind: 'workspace', id: 'hash' }

/**
 * The key of the action `hash`, made once and sealed like any secret: equal texts have equal hashes at all replicas, also
 * after the master key was rotated, and nobody without the database and its master key can guess them.
 */
export function hashKeyOf(store: Store, dataSource: DataSource): Promise<Buffer> {
  return withAdvisoryLock(dataSource, 'hash key', async () => {
    const kept = await store.secrets.get(OWNER, 'key')
    if (kept !== null) return Buffer.from(kept, 'base64')
    const made = randomBytes(32)
    await store.secrets.put(OWNER, 'key', made.toString('base64'))
    return made
  })
}
