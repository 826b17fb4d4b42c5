import type { Identity } from '../domain/nouns.js'
import type { Store } from '../domain/store.js'

/** The identities of persons, by server and person; read again with every change of configuration. */
export function createPersonalIdentities() {
  let byOwner = new Map<string, Identity>()
  return {
    of: (serverId: string, userId: string): Identity | null => byOwner.get(`${serverId}/${userId}`) ?? null,
    async load(store: Store): Promise<void> {
      const personal = (await store.identities.all()).filter(
        (identity) => !identity.shared && identity.ownerId !== null,
      )
      byOwner = new Map(personal.map((identity) => [`${identity.serverId}/${identity.ownerId}`, identity]))
    },
  }
}
