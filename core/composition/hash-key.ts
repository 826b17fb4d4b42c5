import { randomBytes } from 'node:crypto'
import type { DataSource } from 'typeorm'
import { withAdvisoryLock } from '../cluster/locks.js'
import type { Store } from '../domain/store.js'
import { GatehouseError } from '../errors.js'

const OWNER = { kind: 'workspace', id: 'hash' }

/**
 * The key of the action `hash`, made once and sealed like any secret: equal texts have equal hashes at all replicas, also
 * after the master key was rotated, and nobody without the database and its master key can guess them.
 */
export function hashKeyOf(store: Store, dataSource: DataSource): Promise<Buffer> {
  return withAdvisoryLock(dataSource, 'hash key', async () => {
    const kept = await store.secrets.get(OWNER, 'key').catch(asForeignDatabase)
    if (kept !== null) return Buffer.from(kept, 'base64')
    const made = randomBytes(32)
    await store.secrets.put(OWNER, 'key', made.toString('base64'))
    return made
  })
}

/** The first secret that is opened at a start: a replica with another key than the others is refused here. */
function asForeignDatabase(thrown: unknown): never {
  if (!(thrown instanceof GatehouseError) || thrown.code !== 'GH_VAULT_UNKNOWN_KEY') throw thrown
  throw new GatehouseError('GH_VAULT_UNKNOWN_KEY', {
    message:
      'The secrets of this database are sealed with another master key: give every gateway on it the same ' +
      'GATEHOUSE_MASTER_KEY (or GATEHOUSE_MASTER_KEY_FILE, or the master.key of the first one’s home)',
    detail: thrown.message,
  })
}
