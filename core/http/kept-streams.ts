import { randomInt } from 'node:crypto'
import { EventRing } from './event-ring.js'
import { EventStream, type StreamOptions } from './event-stream.js'

/** `call` holds the answer of one call, `standing` is the one stream of a session beside its calls. */
export type StreamKind = 'call' | 'standing'

export interface KeptLimits {
  /** Milliseconds that a stream waits for a reader to come back. */
  readonly unread: number
  /** Bytes kept for one session, and for all. */
  readonly session: number
  readonly total: number
}

export const KEPT_LIMITS: KeptLimits = Object.freeze({
  unread: 300_000,
  session: 16 * 1024 * 1024,
  total: 256 * 1024 * 1024,
})

export interface KeptStreams {
  /** A stream that keeps its events for a reader of this session, and of no other. */
  open(sessionId: string, kind: StreamKind, options: StreamOptions): EventStream
  /** The stream of an event, and which of its events that was; null when it is gone, or another session's. */
  find(sessionId: string, eventId: string): { readonly stream: EventStream; readonly after: number } | null
  /** Forgets what a session has; what is read now is read to its end. */
  end(sessionId: string): void
  /** Ends what nobody reads. */
  stop(): void
}

interface OfSession {
  readonly id: string
  readonly byName: Map<string, Kept>
  bytes: number
}

interface Kept {
  readonly ofSession: OfSession
  readonly name: string
  readonly stream: EventStream
  readonly ring: EventRing
}

const INITIALS: Readonly<Record<StreamKind, string>> = { call: 'c', standing: 's' }
const EVENT_ID = /^([a-z0-9]{4}\.[cs][a-z0-9]+)\.(\d{1,15})$/
/** What a stream costs beside its events. */
const OVERHEAD = 1_024

/** Whether this event was one of a session's standing stream, of whichever replica, now or before. */
export const isOfStanding = (eventId: string): boolean => EVENT_ID.exec(eventId)?.[1]?.charAt(5) === INITIALS.standing

/** The streams that outlive their readers. Beyond the limits those go first that nobody has read for the longest. */
export function createKeptStreams(replica: string, limits: KeptLimits): KeptStreams {
  const sessions = new Map<string, OfSession>()
  // A replica that starts again under its old name must not take the ids of before for its own.
  let streams = randomInt(2 ** 40)
  let total = 0
  let timer: NodeJS.Timeout | undefined

  const all = () => [...sessions.values()].flatMap(({ byName }) => [...byName.values()])
  const count = (ofSession: OfSession, delta: number) => {
    ofSession.bytes += delta
    total += delta
  }
  const forget = (kept: Kept) => {
    const { ofSession, name, stream } = kept
    if (!ofSession.byName.delete(name)) return
    stream.abandon()
    count(ofSession, -OVERHEAD)
    if (ofSession.byName.size === 0 && sessions.get(ofSession.id) === ofSession) sessions.delete(ofSession.id)
  }
  /** Makes room by the streams that wait for a reader; those that are read lose what has been sent. */
  const relieve = (kept: readonly Kept[], isOver: () => boolean) => {
    const unread = kept.filter(({ stream }) => stream.leftAt !== null)
    const byLeave = unread.toSorted((a, b) => (a.stream.leftAt ?? 0) - (b.stream.leftAt ?? 0))
    for (const one of byLeave) if (isOver()) forget(one)
    for (const { ring } of kept) if (isOver()) ring.clear()
  }
  const makeRoom = (ofSession: OfSession) => {
    const isOver = () => ofSession.bytes > limits.session
    if (isOver()) relieve([...ofSession.byName.values()], isOver)
    if (total > limits.total) relieve(all(), () => total > limits.total)
  }
  const sweep = () => {
    const before = Date.now() - limits.unread
    for (const kept of all()) if (kept.stream.leftAt !== null && kept.stream.leftAt <= before) forget(kept)
    timer = undefined
    if (sessions.size > 0) arm()
  }
  const arm = () => {
    timer ??= setTimeout(sweep, Math.max(10, limits.unread / 20)).unref()
  }

  return {
    open(sessionId, kind, options) {
      const ofSession = sessions.get(sessionId) ?? { id: sessionId, byName: new Map<string, Kept>(), bytes: 0 }
      sessions.set(sessionId, ofSession)
      const name = `${replica}.${INITIALS[kind]}${(streams += 1).toString(36)}`
      const ring = new EventRing(name, (delta) => {
        count(ofSession, delta)
        if (delta > 0) makeRoom(ofSession)
      })
      const stream = new EventStream({ ...options, ring })
      ofSession.byName.set(name, { ofSession, name, ring, stream })
      count(ofSession, OVERHEAD)
      arm()
      return stream
    },
    find(sessionId, eventId) {
      const [, name = '', seq = ''] = EVENT_ID.exec(eventId) ?? []
      const kept = sessions.get(sessionId)?.byName.get(name)
      const after = Number(seq)
      return kept === undefined || kept.stream.lost || after > kept.ring.last ? null : { stream: kept.stream, after }
    },
    end(sessionId) {
      for (const kept of [...(sessions.get(sessionId)?.byName.values() ?? [])]) forget(kept)
    },
    stop() {
      clearTimeout(timer)
      for (const kept of all()) if (kept.stream.leftAt !== null) forget(kept)
    },
  }
}
