import type { AdapterPayload } from 'oidc-provider'
import type { ClientRows } from '../../db/repositories/oauth-clients.js'
import { clientName } from './client-names.js'
import { OF_ADMIN } from './client-metadata.js'

/** Clients that are kept here; those known by a document are not. */
export interface ClientSource {
  find(clientId: string): Promise<AdapterPayload | undefined>
  /** Keeps a client that registered by itself (RFC 7591). */
  register(clientId: string, metadata: AdapterPayload): Promise<void>
  remove(clientId: string): Promise<void>
}

export interface ClientSourceOptions {
  readonly rows: ClientRows
  /** Rises when a client was removed, anywhere: what is remembered of clients ends with it. */
  readonly epoch: () => number
  readonly now?: () => number
}

const REMEMBERED_MS = 5_000
const MOST = 2_000

/** Most questions on the way of a token are for its client: each is remembered for a few seconds. */
export function createClientSource({ rows, epoch, now = Date.now }: ClientSourceOptions): ClientSource {
  const known = new Map<string, { readonly until: number; readonly epoch: number; readonly metadata: string }>()
  const remember = (clientId: string, metadata: string, asOf: number) => {
    if (known.size >= MOST) known.clear()
    known.set(clientId, { until: now() + REMEMBERED_MS, epoch: asOf, metadata })
  }
  return {
    async find(clientId) {
      const entry = known.get(clientId)
      if (entry !== undefined && entry.until > now() && entry.epoch === epoch())
        return JSON.parse(entry.metadata) as AdapterPayload
      // Before it is read: what changes meanwhile makes it old.
      const asOf = epoch()
      const row = await rows.find(clientId)
      if (row === null) return undefined
      const metadata = JSON.stringify({
        ...(JSON.parse(row.metadata) as AdapterPayload),
        [OF_ADMIN]: row.origin === 'admin',
      })
      remember(clientId, metadata, asOf)
      return JSON.parse(metadata) as AdapterPayload
    },
    async register(clientId, { [OF_ADMIN]: _never, ...metadata }) {
      const name = clientName(metadata['client_name'])
      await rows.add({ clientId, origin: 'dcr', name, metadata: JSON.stringify(metadata) })
      known.delete(clientId)
    },
    async remove(clientId) {
      known.delete(clientId)
      await rows.remove(clientId)
    },
  }
}
