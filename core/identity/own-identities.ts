import type { Epochs } from '../cluster/epochs.js'
import type { Identity } from '../domain/nouns.js'
import type { Store } from '../domain/store.js'
import { Lru } from './lru.js'

const CAPACITY = 50_000

/** The identities that people brought themselves, of those who are here: as many as people times servers in all. */
export interface OwnIdentities {
  /**
   * A person's identity at a server, as of their last request, or newer. Whoever is not in memory is read in the background:
   * a call's own person always is, since `learn` came before.
   */
  of(serverId: string, userId: string): Identity | null
  /** What was read of a person while the epoch was `epoch`. */
  learn(userId: string, epoch: number, identities: readonly Identity[]): void
  /** Whether what is in memory of the person holds now. */
  knows(userId: string): boolean
  /** Reads a person. */
  load(userId: string): Promise<void>
  /** Told of each that is another one than it was in memory; null: it is gone. */
  onChanged(listener: (before: Identity, now: Identity | null) => void): void
  /** Told when a person has one that they had not. */
  onGiven(listener: () => void): void
}

export interface OwnIdentitiesOptions {
  readonly store: { readonly identities: Pick<Store['identities'], 'ofUser'> }
  readonly epochs: Pick<Epochs, 'current'>
}

interface Known {
  readonly epoch: number
  readonly byServer: ReadonlyMap<string, Identity>
}

export function createOwnIdentities({ store, epochs }: OwnIdentitiesOptions): OwnIdentities {
  const people = new Lru<Known>(CAPACITY)
  const loading = new Map<string, Promise<void>>()
  const changed: Parameters<OwnIdentities['onChanged']>[0][] = []
  const given: (() => void)[] = []

  const learn = (userId: string, epoch: number, identities: readonly Identity[]): void => {
    const before = people.get(userId)
    if (before !== undefined && before.epoch > epoch) return
    const byServer = new Map(identities.map((identity) => [identity.serverId, Object.freeze(identity)]))
    people.set(userId, { epoch, byServer })
    if (before === undefined) return
    for (const [serverId, was] of before.byServer) {
      const is = byServer.get(serverId) ?? null
      if (is?.id === was.id && is.updatedAt === was.updatedAt) continue
      for (const listener of changed) listener(was, is)
    }
    if ([...byServer.keys()].some((serverId) => !before.byServer.has(serverId)))
      for (const listener of given) listener()
  }

  const load = (userId: string): Promise<void> => {
    const epoch = epochs.current()
    const key = `${epoch} ${userId}`
    const ongoing =
      loading.get(key) ??
      store.identities
        .ofUser(userId)
        .then((identities) => learn(userId, epoch, identities))
        .finally(() => loading.delete(key))
    loading.set(key, ongoing)
    return ongoing
  }

  const knows = (userId: string): boolean => people.get(userId)?.epoch === epochs.current()

  return {
    of(serverId, userId) {
      // Of a person whose stream is open while nothing is called: the next look finds what is read now.
      if (!knows(userId)) void load(userId).catch(() => undefined)
      return people.get(userId)?.byServer.get(serverId) ?? null
    },
    learn,
    knows,
    load,
    onChanged: (listener) => void changed.push(listener),
    onGiven: (listener) => void given.push(listener),
  }
}
