import type { Identity } from '../domain/nouns.js'
import type { Snapshot } from '../domain/snapshot.js'

type ByOwner = ReadonlyMap<string, Identity>

/** The identities of persons, by server and person, as the configuration that stands has them. */
export function createPersonalIdentities(current: () => Snapshot) {
  const known = new WeakMap<Snapshot, ByOwner>()
  const byOwner = (snapshot: Snapshot): ByOwner => {
    const made = known.get(snapshot) ?? index(snapshot)
    known.set(snapshot, made)
    return made
  }
  return (serverId: string, userId: string): Identity | null => byOwner(current()).get(`${serverId}/${userId}`) ?? null
}

function index({ identities }: Snapshot): ByOwner {
  const personal = [...identities.values()].filter((identity) => !identity.shared && identity.ownerId !== null)
  return new Map(personal.map((identity) => [`${identity.serverId}/${identity.ownerId}`, identity]))
}
