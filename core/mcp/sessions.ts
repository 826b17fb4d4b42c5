import { hash, randomBytes } from 'node:crypto'
import type { LegacySession } from '../call.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { batchReads } from './batched-reads.js'

/** Rows of legacy sessions in the database. `hash` is the SHA-256 of the id: what lies there opens nothing. */
export interface SessionRows {
  create(row: SessionRow): Promise<void>
  find(hashes: readonly string[]): Promise<readonly SessionRow[]>
  touch(hash: string, at: Date): Promise<void>
  /** Several replicas may change one session: what each adds stays. False when it has ended. */
  change(hash: string, change: SessionChange): Promise<boolean>
  end(hash: string): Promise<boolean>
  /** Ends what was idle since before `before`; answers how many. */
  endIdle(before: Date): Promise<number>
  /** Ends the longest idle ones of a user beyond `most`, by uses that the rows do not know yet, too; answers which. */
  endBeyond(userKey: string, most: number, uses: ReadonlyMap<string, Date>): Promise<readonly string[]>
}
/** What a client sets for the rest of its session. */
export interface SessionChange {
  readonly logLevel?: string
  /** The public URI of a resource to hear of. */
  readonly subscribe?: string
  readonly unsubscribe?: string
}
export interface SessionRow extends Omit<LegacySession, 'id'> {
  readonly hash: string
  readonly userKey: string
  readonly lastUsedAt: Date
}

export interface SessionLimits {
  readonly sessionIdle: number
  readonly sessionsPerUser: number
}

/** What the other replicas may have done to the rows: see `Replicas` in `cluster/replicas.ts`. */
export interface Others {
  unchangedUntil(readAt: number): number
  present(): Promise<void>
}

export interface SessionsOptions {
  /** Nobody, unless told. */
  readonly others?: Others
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Milliseconds that never go back, as `others` counts them. */
  readonly clock?: () => number
}

export interface LegacySessions {
  open(session: Omit<LegacySession, 'id'>, userKey: string): Promise<LegacySession>
  /**
   * Null when unknown, ended, idle for too long, or of another connection or gateway. From memory, at once, while no other
   * replica can have changed it; else from its row.
   */
  find(id: string, connectionId: string, gatewayId: string): LegacySession | null | Promise<LegacySession | null>
  /**
   * Changes it and its row. Null when it has ended meanwhile; GH_DOOR_PARAMS when it would have more subscriptions than a
   * session may.
   */
  update(id: string, change: SessionChange): Promise<LegacySession | null>
  end(id: string): Promise<boolean>
  /** Told when a session ends, by whatever cause. */
  onEnd(listener: (id: string) => void): void
  /** Told of what a client has set, at whatever replica. */
  onChange(listener: (session: LegacySession) => void): void
  /** The session that is held here under this hash. */
  heldAs(hash: string): string | null
  /** Lets go of a session whose row is gone. */
  ended(hash: string): void
  /** Reads a session anew that is held here. */
  changed(hash: string): Promise<void>
  /** Reads all anew that are held: what became of them may not have been told. */
  recheck(): Promise<void>
  /** Ends idle sessions; to be called now and then. */
  sweep(): Promise<void>
}

interface Held {
  readonly session: LegacySession
  readonly hash: string
  readonly userKey: string
  /** When its row was asked for, by `clock`. */
  readonly readAt: number
  lastUsedAt: number
  touchedAt: number
}

const TOUCH_EVERY = 60_000
/** While the database is away nobody is refused for that: but only this long after what is held was last known to hold. */
const OUTAGE_MS = 300_000
const MOST_SUBSCRIPTIONS = 1_000
const MOST_URI_BYTES = 64 * 1024
const NOBODY: Others = { unchangedUntil: () => Infinity, present: async () => undefined }

/**
 * Sessions of the eras up to 2025-11-25: a row each, held in memory by the replicas that saw it. An id is 256 random bits,
 * shown only to its client; one more session than a user may have ends that user's longest idle one.
 */
export function createSessions(
  rows: SessionRows,
  limits: () => SessionLimits,
  options: SessionsOptions = {},
): LegacySessions {
  const { others = NOBODY, now = Date.now, clock = () => performance.now() } = options
  const held = new Map<string, Held>()
  const ids = new Map<string, string>()
  const onEnd: ((id: string) => void)[] = []
  const onChange: ((session: LegacySession) => void)[] = []
  const rowOf = batchReads(rows.find)

  /** Loads on their way by session, so that one that ends meanwhile is not held again. */
  const loading = new Map<string, Set<symbol>>()

  const forget = (id: string) => {
    loading.delete(id)
    const entry = held.get(id)
    if (entry === undefined) return
    held.delete(id)
    ids.delete(entry.hash)
    for (const listener of onEnd) listener(id)
  }
  const ended = (hash: string) => {
    const id = ids.get(hash)
    if (id !== undefined) forget(id)
  }
  const end = async (id: string) => {
    await others.present()
    forget(id)
    return rows.end(hashOf(id))
  }
  const isIdle = (entry: Held) => now() - entry.lastUsedAt > limits().sessionIdle
  const use = (id: string, entry: Held): LegacySession | null => {
    const at = now()
    if (isIdle(entry)) {
      end(id).catch(() => undefined)
      return null
    }
    entry.lastUsedAt = at
    if (at - entry.touchedAt > TOUCH_EVERY) {
      entry.touchedAt = at
      // A missed touch only shortens the idle time seen after a restart.
      rows.touch(entry.hash, new Date(at)).catch(() => undefined)
    }
    return entry.session
  }
  const hold = (id: string, row: SessionRow, readAt: number): Held => {
    const known = held.get(id)
    // An answer that a later one has overtaken.
    if (known !== undefined && known.readAt > readAt) return known
    const { hash, userKey, lastUsedAt, ...rest } = row
    const usedAt = Math.max(lastUsedAt.getTime(), known?.lastUsedAt ?? 0)
    const touchedAt = known?.touchedAt ?? lastUsedAt.getTime()
    const isSame = known !== undefined && isAsSet(known.session, rest)
    const session = isSame ? known.session : { id, ...rest }
    const entry = { session, hash, userKey, readAt, lastUsedAt: usedAt, touchedAt }
    held.set(id, entry)
    ids.set(hash, id)
    if (known !== undefined && !isSame) for (const listener of onChange) listener(session)
    return entry
  }
  const load = async (id: string): Promise<Held | null> => {
    const [mark, readAt] = [Symbol('load'), clock()]
    const marks = loading.get(id) ?? new Set()
    loading.set(id, marks.add(mark))
    try {
      const row = await rowOf(hashOf(id))
      if (loading.get(id) !== marks) return null
      if (row !== null) return hold(id, row, readAt)
      forget(id)
      return null
    } finally {
      marks.delete(mark)
      if (marks.size === 0 && loading.get(id) === marks) loading.delete(id)
    }
  }
  const holdsUntil = (entry: Held) => others.unchangedUntil(entry.readAt)
  const loadOrTrust = (id: string): Promise<Held | null> =>
    load(id).catch((thrown: unknown) => {
      const entry = held.get(id)
      const isGood = entry !== undefined && !isIdle(entry) && clock() - holdsUntil(entry) <= OUTAGE_MS
      if (isGood && asGatehouseError(thrown).code === 'GH_DB_UNAVAILABLE') return entry
      throw thrown
    })
  const usesOf = (userKey: string) => {
    const own = [...held.values()].filter((entry) => entry.userKey === userKey)
    return new Map(own.map(({ hash, lastUsedAt }) => [hash, new Date(lastUsedAt)]))
  }
  const recheck = async () => {
    const all = [...ids.values()]
    for (let from = 0; from < all.length; from += RECHECKED_AT_ONCE)
      await Promise.all(all.slice(from, from + RECHECKED_AT_ONCE).map(load))
  }

  return {
    async open(session, userKey) {
      await others.present()
      const id = randomBytes(32).toString('base64url')
      const readAt = clock()
      const row = { ...session, hash: hashOf(id), userKey, lastUsedAt: new Date(now()) }
      await rows.create(row)
      const opened = hold(id, row, readAt).session
      // Counted when its row is there: of several that open at once, wherever, the last to count sees all of them.
      for (const hash of await rows.endBeyond(userKey, limits().sessionsPerUser, usesOf(userKey))) ended(hash)
      return opened
    },
    find(id, connectionId, gatewayId) {
      const owned = (entry: Held | null) =>
        entry !== null && entry.session.connectionId === connectionId && entry.session.gatewayId === gatewayId
          ? use(id, entry)
          : null
      const entry = held.get(id)
      // What is idle here may have been used at another replica since: its row tells.
      const isTrusted = entry !== undefined && !isIdle(entry) && holdsUntil(entry) > clock()
      return isTrusted ? owned(entry) : loadOrTrust(id).then(owned)
    },
    async update(id, change) {
      await others.present()
      const before = (held.get(id) ?? (await load(id)))?.session
      if (before === undefined) return null
      if (change.subscribe !== undefined) checkRoom(before.subscriptions, change.subscribe)
      // What others have set meanwhile is in the row, too.
      return (await rows.change(hashOf(id), change)) ? ((await load(id))?.session ?? null) : null
    },
    end,
    onEnd: (listener) => void onEnd.push(listener),
    onChange: (listener) => void onChange.push(listener),
    heldAs: (hash) => ids.get(hash) ?? null,
    ended,
    async changed(hash) {
      const id = ids.get(hash)
      if (id !== undefined) await load(id)
    },
    recheck,
    async sweep() {
      // A row may be behind its session by the time between two touches.
      await rows.endIdle(new Date(now() - limits().sessionIdle - TOUCH_EVERY))
      await recheck()
    },
  }
}

const RECHECKED_AT_ONCE = 1_000

function checkRoom(subscriptions: readonly string[], uri: string): void {
  if (subscriptions.includes(uri)) return
  const bytes = [...subscriptions, uri].reduce((sum, one) => sum + Buffer.byteLength(one), 0)
  if (subscriptions.length < MOST_SUBSCRIPTIONS && bytes <= MOST_URI_BYTES) return
  const message = `A session has at most ${MOST_SUBSCRIPTIONS} subscriptions, of ${MOST_URI_BYTES} bytes together`
  throw new GatehouseError('GH_DOOR_PARAMS', { message })
}

const hashOf = (id: string) => hash('sha256', id)
/** The one thing about a session that changes is what its client sets. */
const isAsSet = (session: LegacySession, { logLevel, subscriptions }: Omit<LegacySession, 'id'>): boolean =>
  session.logLevel === logLevel &&
  session.subscriptions.length === subscriptions.length &&
  session.subscriptions.every((uri, at) => uri === subscriptions[at])
