import { createCancels } from '../cluster/cancels.js'
import { createEpochs } from '../cluster/epochs.js'
import { openReplicas } from '../cluster/replicas.js'
import type { Config } from '../config.js'
import { createReplicaRows } from '../db/repositories/replicas.js'
import { createHops } from '../http/hop.js'
import { createToOwner } from '../http/to-owner.js'
import { newReplicaId } from '../mcp/owned-id.js'
import { type House, PARTS, type Surroundings } from './house.js'
import { asPluginLog, type Resources } from './resources.js'

/** Takes a place among the replicas; what they tell each other is heard from now on. */
export async function joinCluster(
  house: House,
  { dataSource, publishing, keysFor }: Resources,
  { config, log }: { readonly config: Config; readonly log: Surroundings['log'] },
): Promise<void> {
  const rows = createReplicaRows(dataSource)
  const own = { newId: newReplicaId, url: config.replicaUrl }
  const replicas = await openReplicas({ ...own, rows, publishing, log: asPluginLog(log) })
  house.put(PARTS.replicas, replicas)
  house.make(PARTS.epochs, (h) => createEpochs({ store: h.get(PARTS.store), publishing }))
  house.make(PARTS.cancels, () => createCancels(publishing, replicas))
  house.make(PARTS.toOwner, () =>
    createToOwner({ replicas, hops: createHops({ self: replicas.id, keys: keysFor('replica hop 1') }) }),
  )
}

/** A session that ends at one replica ends at all: told at once, and found out when that was missed. */
export function followReplicas(house: House): void {
  const { publishing } = house.get(PARTS.resources)
  const sessions = house.get(PARTS.sessions)
  publishing.on('ended', sessions.ended)
  // What fails now is made good by the next sweep.
  publishing.onGap(() => void sessions.recheck().catch(() => undefined))
}
