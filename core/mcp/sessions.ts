import { hash, randomBytes } from 'node:crypto'
import type { LegacySession } from '../call.js'
import { GatehouseError } from '../errors.js'

/** Rows of legacy sessions in the database. `hash` is the SHA-256 of the id: what lies there opens nothing. */
export interface SessionRows {
  create(row: SessionRow): Promise<void>
  find(hash: string): Promise<SessionRow | null>
  touch(hash: string, at: Date): Promise<void>
  /** Several replicas may change one session: what each adds stays. False when it has ended. */
  change(hash: string, change: SessionChange): Promise<boolean>
  end(hash: string): Promise<boolean>
  /** Ends what was idle since before `before`; answers how many. */
  endIdle(before: Date): Promise<number>
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

export interface LegacySessions {
  open(session: Omit<LegacySession, 'id'>, userKey: string): Promise<LegacySession>
  /** Null when unknown, ended, idle for too long, or of another connection or gateway. Answers at once from memory. */
  find(id: string, connectionId: string, gatewayId: string): LegacySession | null | Promise<LegacySession | null>
  /**
   * Changes it and its row. Null when it has ended meanwhile; GH_DOOR_PARAMS when it would have more subscriptions than a
   * session may.
   */
  update(id: string, change: SessionChange): Promise<LegacySession | null>
  end(id: string): Promise<boolean>
  /** Told when a session ends, by whatever cause. */
  onEnd(listener: (id: string) => void): void
  /** Ends idle sessions; to be called now and then. */
  sweep(): Promise<void>
}

interface Held {
  session: LegacySession
  readonly userKey: string
  lastUsedAt: number
  touchedAt: number
}

const TOUCH_EVERY = 60_000
const MOST_SUBSCRIPTIONS = 1_000
const MOST_URI_BYTES = 64 * 1024

/**
 * Sessions of the eras up to 2025-11-25: a row each, held in memory by this replica. An id is 256 random bits, shown
 * only to its client; one more session than a user may have ends that user's longest idle one.
 */
export function createSessions(
  rows: SessionRows,
  limits: () => SessionLimits,
  now: () => number = Date.now,
): LegacySessions {
  const held = new Map<string, Held>()
  const listeners: ((id: string) => void)[] = []

  /** Loads on their way, so that a session that ends meanwhile is not held again. */
  const loading = new Map<string, Promise<Held | null>>()

  const forget = (id: string) => {
    loading.delete(id)
    if (held.delete(id)) for (const listener of listeners) listener(id)
  }
  const end = async (id: string) => {
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
      rows.touch(hashOf(id), new Date(at)).catch(() => undefined)
    }
    return entry.session
  }
  const read = async (id: string): Promise<Held | null> => {
    const row = await rows.find(hashOf(id))
    if (row === null) return null
    const { hash: _, userKey, lastUsedAt, ...rest } = row
    const at = lastUsedAt.getTime()
    return { session: { id, ...rest }, userKey, lastUsedAt: at, touchedAt: at }
  }
  const load = (id: string): Promise<Held | null> => {
    const running = loading.get(id)
    if (running !== undefined) return running
    const started: Promise<Held | null> = read(id)
      .then((entry) => {
        if (loading.get(id) !== started) return null
        if (entry === null) forget(id)
        else held.set(id, entry)
        return entry
      })
      .finally(() => {
        if (loading.get(id) === started) loading.delete(id)
      })
    loading.set(id, started)
    return started
  }
  /** The user's sessions beyond `most`, those longest idle first. */
  const beyond = (userKey: string, most: number): readonly string[] => {
    const own = [...held].filter(([, entry]) => entry.userKey === userKey)
    const byIdleness = own.toSorted((a, b) => a[1].lastUsedAt - b[1].lastUsedAt)
    return byIdleness.slice(0, Math.max(0, own.length - most)).map(([id]) => id)
  }

  return {
    async open(session, userKey) {
      const id = randomBytes(32).toString('base64url')
      const at = now()
      // Held before anything is awaited: of several that open at once each counts the others.
      const surplus = beyond(userKey, limits().sessionsPerUser - 1)
      const opened = { id, ...session }
      held.set(id, { session: opened, userKey, lastUsedAt: at, touchedAt: at })
      try {
        await Promise.all(surplus.map(end))
        await rows.create({ ...session, hash: hashOf(id), userKey, lastUsedAt: new Date(at) })
        // Ended by another that opened meanwhile, before there was a row to end.
        if (!held.has(id)) await rows.end(hashOf(id))
      } catch (thrown) {
        forget(id)
        throw thrown
      }
      return opened
    },
    find(id, connectionId, gatewayId) {
      const owned = (entry: Held | null) =>
        entry !== null && entry.session.connectionId === connectionId && entry.session.gatewayId === gatewayId
          ? use(id, entry)
          : null
      const entry = held.get(id)
      // What is idle here may have been used at another replica since: its row tells.
      return entry !== undefined && !isIdle(entry) ? owned(entry) : load(id).then(owned)
    },
    async update(id, change) {
      const before = (held.get(id) ?? (await load(id)))?.session
      if (before === undefined) return null
      if (change.subscribe !== undefined) checkRoom(before.subscriptions, change.subscribe)
      const isThere = await rows.change(hashOf(id), change)
      const entry = held.get(id)
      if (!isThere || entry === undefined) return null
      entry.session = changedBy(entry.session, change)
      return entry.session
    },
    end,
    onEnd: (listener) => void listeners.push(listener),
    async sweep() {
      const before = now() - limits().sessionIdle
      for (const [id, entry] of held) if (entry.lastUsedAt < before) forget(id)
      // A row may be behind its session by the time between two touches.
      await rows.endIdle(new Date(before - TOUCH_EVERY))
    },
  }
}

/** A new one: a message that is under way keeps the session that it came in with. */
function changedBy(session: LegacySession, { logLevel, subscribe, unsubscribe }: SessionChange): LegacySession {
  const others = session.subscriptions.filter((uri) => uri !== subscribe && uri !== unsubscribe)
  const subscriptions = subscribe === undefined ? others : [...others, subscribe]
  return { ...session, logLevel: logLevel ?? session.logLevel, subscriptions }
}

function checkRoom(subscriptions: readonly string[], uri: string): void {
  if (subscriptions.includes(uri)) return
  const bytes = [...subscriptions, uri].reduce((sum, one) => sum + Buffer.byteLength(one), 0)
  if (subscriptions.length < MOST_SUBSCRIPTIONS && bytes <= MOST_URI_BYTES) return
  const message = `A session has at most ${MOST_SUBSCRIPTIONS} subscriptions, of ${MOST_URI_BYTES} bytes together`
  throw new GatehouseError('GH_DOOR_PARAMS', { message })
}

const hashOf = (id: string) => hash('sha256', id)
