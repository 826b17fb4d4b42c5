import { createEpochs } from '../cluster/epochs.js'
import { openReplicas } from '../cluster/replicas.js'
import { createSessionTold } from '../cluster/told.js'
import type { Config } from '../config.js'
import { createReplicaRows } from '../db/repositories/replicas.js'
import { createHops, HOP } from '../http/hop.js'
import { createToOwner } from '../http/to-owner.js'
import { newReplicaId } from '../mcp/owned-id.js'
import { deriveKey } from '../vault/keys.js'
import { type House, PARTS, type Surroundings } from './house.js'
import { asPluginLog, type Resources } from './resources.js'

/** Takes a place among the replicas; what they tell each other is heard from now on. */
export async function joinCluster(
  house: House,
  { dataSource, publishing, masterKeys }: Resources,
  { config, log }: { readonly config: Config; readonly log: Surroundings['log'] },
): Promise<void> {
  const rows = createReplicaRows(dataSource)
  const own = { newId: newReplicaId, url: config.replicaUrl }
  const replicas = await openReplicas({ ...own, rows, publishing, log: asPluginLog(log) })
  house.put(PARTS.replicas, replicas)
  house.make(PARTS.epochs, (h) => createEpochs({ store: h.get(PARTS.store), publishing }))
  house.make(PARTS.told, () => createSessionTold(publishing, replicas))
  house.make(PARTS.toOwner, () =>
    createToOwner({
      replicas,
      hops: createHops({ self: replicas.id, keys: masterKeys.map((key) => deriveKey(key, HOP)) }),
    }),
  )
}

/** What happens to a session at one replica reaches the others: told at once, and found out when that was missed. */
export function followReplicas(house: House): void {
  const { publishing } = house.get(PARTS.resources)
  const [sessions, lines, upstreams] = [house.get(PARTS.sessions), house.get(PARTS.lines), house.get(PARTS.upstreams)]
  // What fails now is made good by the next message of the session, or the next sweep.
  const later = (work: Promise<void>) => void work.catch(() => undefined)
  publishing.on('ended', sessions.ended)
  publishing.on('changed', (hash) => later(sessions.changed(hash)))
  sessions.onChange(house.get(PARTS.listeners).changed)
  publishing.onGap(() => later(sessions.recheck()))
  house.get(PARTS.told).onTold((hash, told) => {
    const id = sessions.heldAs(hash)
    if (id === null) return
    if (told === 'rootsChanged') upstreams.toldBySession(id, ROOTS_CHANGED)
    else lines.cancel(id, told.cancelled)
  })
}

const ROOTS_CHANGED = { jsonrpc: '2.0', method: 'notifications/roots/list_changed' }
