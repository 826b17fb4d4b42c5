import type { Identification, Principal, UserRef } from '@gatehouse/sdk'
import { type Epochs, FRESH_MS } from '../cluster/epochs.js'
import type { Gateway } from '../domain/nouns.js'
import type { Store, TokenHolder } from '../domain/store.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { admit, admitAdmin, invalid, refuseEnded } from './admit.js'
import { Lru } from './lru.js'
import type { OwnIdentities } from './own-identities.js'

/**
 * While the database is away, nobody can change anything in it, and calls of those who are known go on: but only this
 * long, since a change may have reached it by another way.
 */
const OUTAGE_MS = 300_000
const CAPACITY = 50_000
const TOUCH_MS = 60_000

export interface Identities {
  /**
   * Who stands behind a reference, at a gateway. Answers at once when the cache holds it and is known to be up to date.
   * Throws GH_AUTHENTICATE_INVALID, GH_AUTHENTICATE_DISABLED, GH_PERMIT_REFUSED or GH_DB_UNAVAILABLE.
   */
  resolve(identification: Identification, plan: { readonly gateway: Gateway }): Principal | Promise<Principal>
  /** The same at the URL that names no gateway: the person chose one of `plans` (by id) when they let the client in. */
  resolveAtPicker(identification: Identification, plans: Plans): Principal | Promise<Principal>
  /** Whose admin token has this hash; the same refusals. */
  resolveAdmin(hash: string): Promise<UserRef>
  /** Writes down which tokens and connections were used. */
  flush(): Promise<void>
  stop(): Promise<void>
}

type Plans = ReadonlyMap<string, { readonly gateway: Gateway }>

export interface IdentitiesOptions {
  readonly store: {
    readonly tokens: Pick<Store['tokens'], 'holderOf' | 'touch'>
    readonly connections: Pick<Store['connections'], 'touch'>
  }
  readonly epochs: Pick<Epochs, 'current' | 'freshWithin' | 'check'>
  /** Learns the identities of whoever comes in, in the same question to the database. */
  readonly own: Pick<OwnIdentities, 'learn'>
  /** Milliseconds since the epoch of Unix. */
  readonly clock?: () => number
}

interface Entry {
  /** Asked for before the holder was read: a change in between makes the entry old, never wrongly new. */
  readonly epoch: number
  readonly holder: TokenHolder
  /** Where they were let in last, and as whom: here and not behind it, so that a look is one read of memory. */
  gateway: Gateway | null
  principal: Principal | null
  /** Milliseconds since the epoch of Unix; Infinity for what does not expire. */
  readonly expiresAt: number
  /** Since it was last written down. */
  isUsed: boolean
}

/** People and tokens by the hash of a token: read once per epoch, so that a change holds on the next request. */
export function createIdentities({ store, epochs, own, clock = Date.now }: IdentitiesOptions): Identities {
  const entries = new Lru<Entry>(CAPACITY)
  const loading = new Map<string, Promise<Entry>>()
  const used: Entry[] = []

  const isCurrent = (entry: Entry | undefined): entry is Entry => entry?.epoch === epochs.current()

  /** One question to the database for all who ask for the same hash in the same epoch. */
  const load = (hash: string): Promise<Entry> => {
    const epoch = epochs.current()
    const key = `${epoch} ${hash}`
    const read = async (): Promise<Entry> => {
      const holder = await store.tokens.holderOf(hash)
      if (holder === null) {
        entries.delete(hash)
        throw invalid('no such token')
      }
      if (holder.userId !== null) own.learn(holder.userId, epoch, holder.own)
      const entry: Entry = {
        epoch,
        holder,
        gateway: null,
        principal: null,
        expiresAt: holder.expiresAt ?? Infinity,
        isUsed: false,
      }
      entries.set(hash, entry)
      return entry
    }
    const ongoing = loading.get(key) ?? read().finally(() => loading.delete(key))
    loading.set(key, ongoing)
    return ongoing
  }

  const find = async (hash: string): Promise<Entry> => {
    const known = entries.get(hash)
    try {
      if (!epochs.freshWithin(FRESH_MS)) await epochs.check()
      return isCurrent(known) ? known : await load(hash)
    } catch (thrown) {
      const isAway = asGatehouseError(thrown).code === 'GH_DB_UNAVAILABLE'
      if (isAway && isCurrent(known) && epochs.freshWithin(OUTAGE_MS)) return known
      throw thrown
    }
  }

  const note = (entry: Entry): void => {
    if (entry.isUsed) return
    entry.isUsed = true
    used.push(entry)
  }

  const enter = (entry: Entry, gateway: Gateway): Principal => {
    const now = clock()
    if (entry.gateway !== gateway || entry.principal === null || now >= entry.expiresAt) {
      entry.principal = admit(entry.holder, gateway, now)
      entry.gateway = gateway
    }
    note(entry)
    return entry.principal
  }

  const enterChosen = (entry: Entry, plans: Plans): Principal => {
    const { holder } = entry
    refuseEnded(holder, clock())
    if (!holder.picker) throw elsewhere(holder)
    const plan = plans.get(holder.gatewayId ?? '')
    if (plan === undefined) throw invalid('the gateway of the token is gone')
    return enter(entry, plan.gateway)
  }

  const flush = async (): Promise<void> => {
    if (used.length === 0) return
    const entries = used.splice(0)
    for (const entry of entries) entry.isUsed = false
    const tokens = new Set(entries.map(({ holder }) => holder.tokenId))
    const connections = new Set(entries.flatMap(({ holder }) => holder.connectionId ?? []))
    const at = new Date(clock())
    await store.tokens.touch([...tokens], at)
    if (connections.size > 0) await store.connections.touch([...connections], at)
  }
  // That a use is not written down is no reason to disturb anyone.
  const timer = setInterval(() => void flush().catch(() => undefined), TOUCH_MS)
  timer.unref()

  return {
    resolve: (identification, { gateway }) => {
      const hash = hashOf(identification)
      const entry = entries.get(hash)
      if (isCurrent(entry) && epochs.freshWithin(FRESH_MS)) return enter(entry, gateway)
      return find(hash).then((found) => enter(found, gateway))
    },
    resolveAtPicker: (identification, plans) => {
      const hash = hashOf(identification)
      const entry = entries.get(hash)
      if (isCurrent(entry) && epochs.freshWithin(FRESH_MS)) return enterChosen(entry, plans)
      return find(hash).then((found) => enterChosen(found, plans))
    },
    resolveAdmin: async (hash) => {
      const entry = await find(hash)
      const user = admitAdmin(entry.holder, clock())
      note(entry)
      return user
    },
    flush,
    stop: async () => {
      clearInterval(timer)
      await flush().catch(() => undefined)
    },
  }
}

/** A token of a token host cannot choose, and its owner can be told; that of a client is for another audience. */
const elsewhere = ({ hostKind }: TokenHolder): GatehouseError =>
  hostKind === 'token'
    ? new GatehouseError('GH_ROUTE_GATEWAY', { message: 'Name the gateway in the URL: /mcp/<gateway>' })
    : invalid('the token is for a gateway of its own')

function hashOf(identification: Identification): string {
  switch (identification.kind) {
    case 'token':
      return identification.hash
    case 'subject':
      throw invalid('people vouched for by another issuer are not known here yet')
    case 'refused':
      throw invalid(identification.reason)
    case 'notMine':
      throw invalid('no plugin knows this kind of credential')
  }
}
