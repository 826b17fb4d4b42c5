import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { ArtifactRows, FoundArtifact, Reuse } from '../../db/repositories/oauth-artifacts.js'
import type { GrantRows } from '../../db/repositories/oauth-grants.js'
import { hashSecret } from '../../identity/tokens.js'
import type { ClientSource } from './client-source.js'

export interface AdapterOptions {
  readonly artifacts: ArtifactRows
  readonly grants: Pick<GrantRows, 'end'>
  readonly clients: ClientSource
  /** How a refresh token may be used again: several processes of one client share what is stored. */
  readonly reuse: () => Reuse
  /** Told when tokens were ended before their time, and waited for: on the next request they must not be known. */
  readonly onEnded: () => Promise<void>
}

/** Within it a second use is no replay; a code has none. */
const STRICT: Reuse = { seconds: 0, uses: 1 }
const REFRESH = 'RefreshToken'
const CODE = 'AuthorizationCode'
/** What a call at the MCP door may be let in by, as a replica remembers it. */
const REMEMBERED = new Set(['AccessToken', 'Grant'])

/**
 * Where the library keeps what it gives out. It names everything by the secret itself, so only the SHA-256 is kept of a name, and
 * the name stands nowhere in what is sealed.
 */
export function createAdapters(options: AdapterOptions): (kind: string) => Adapter {
  return (kind) => (kind === 'Client' ? clientAdapter(options.clients) : artifactAdapter(kind, options))
}

function clientAdapter(clients: ClientSource): Adapter {
  return {
    ...NEVER,
    find: clients.find,
    upsert: (id, metadata) => clients.register(id, metadata),
    destroy: clients.remove,
  }
}

function artifactAdapter(kind: string, { artifacts, grants, reuse, onEnded }: AdapterOptions): Adapter {
  const again = () => (kind === REFRESH ? reuse() : STRICT)
  const read = (id: string | null, found: FoundArtifact | null): AdapterPayload | undefined => {
    if (found === null) return undefined
    const payload = JSON.parse(found.payload) as AdapterPayload
    const { usedMsAgo } = found
    // The window is open: whether it may still be used, `consume` decides, and nothing is revoked for it.
    const isReplay = usedMsAgo !== null && usedMsAgo >= again().seconds * 1000
    return { ...payload, ...(id === null ? {} : { jti: id }), ...(isReplay ? { consumed: true } : {}) }
  }
  const endGrant = async (grantHash: string): Promise<void> => {
    const ended = await grants.end(grantHash)
    const destroyed = await artifacts.destroy('Grant', grantHash)
    if (ended || destroyed) await onEnded()
  }

  return {
    upsert: async (id, { jti: _named, ...payload }, expiresIn = 0) =>
      artifacts.put({
        kind,
        idHash: hashSecret(id),
        grantHash: payload.grantId === undefined ? null : hashSecret(payload.grantId),
        // An interaction's uid is its own name; only sessions are found by another one.
        uidHash: kind === 'Session' && payload.uid !== undefined ? hashSecret(payload.uid) : null,
        payload: JSON.stringify(payload),
        expiresAt: Date.now() + expiresIn * 1000,
      }),
    find: async (id) => read(id, await artifacts.find(kind, hashSecret(id))),
    findByUid: async (uid) => read(null, await artifacts.findByUid(kind, hashSecret(uid))),
    findByUserCode: NEVER.findByUserCode,
    consume: async (id) => {
      const idHash = hashSecret(id)
      if (await artifacts.consume(kind, idHash, again())) return
      // Who comes second at the same moment has seen it unused: the theft is the same.
      if (again().seconds === 0) {
        const found = await artifacts.find(kind, idHash)
        const { grantId } = JSON.parse(found?.payload ?? '{}') as AdapterPayload
        if (grantId !== undefined) await endGrant(hashSecret(grantId))
        throw new errors.InvalidGrant(kind === CODE ? REPLAYED_CODE : REPLAYED_REFRESH)
      }
      throw new errors.InvalidGrant('refresh token used too often within its window')
    },
    destroy: async (id) => {
      if (kind === 'Grant') return endGrant(hashSecret(id))
      const destroyed = await artifacts.destroy(kind, hashSecret(id))
      if (destroyed && REMEMBERED.has(kind)) await onEnded()
    },
    revokeByGrantId: async (grantId) => {
      const count = await artifacts.destroyOfGrant(kind, hashSecret(grantId))
      if (count > 0 && REMEMBERED.has(kind)) await onEnded()
    },
  }
}

/** As the library says it, too. */
export const REPLAYED_CODE = 'authorization code already consumed'
export const REPLAYED_REFRESH = 'refresh token already used'

const nothing = async () => undefined
const NEVER: Adapter = {
  upsert: nothing,
  find: nothing,
  findByUserCode: nothing,
  findByUid: nothing,
  consume: nothing,
  destroy: nothing,
  revokeByGrantId: nothing,
}
