import type { JsonObject, Principal } from '@gatehouse/sdk'
import type { LegacySession } from '../call.js'
import type { SessionLines } from '../mcp/session-lines.js'
import type { Access } from '../upstream/catalog-types.js'
import type { Audience } from './audience.js'
import { LISTED, type Seat, type Update, type Watched } from './seat.js'

/** The legacy sessions as listeners: to lists while their standing stream is open, to what they have subscribed to always. */
export interface SessionListeners {
  /** A session has sent a message. Its subscriptions, made at whatever replica or before a restart, hold from now on. */
  attend(session: LegacySession, principal: Principal): void
  /** What a session has set is another thing, at whatever replica that was done. */
  changed(session: LegacySession): void
  /** Whether updates of the resource will be told; null: it is not among the session's subscriptions. */
  watched(sessionId: string, uri: string): Promise<Watched> | null
  /** The least level of log notes that its client has set; undefined: none, or it is not here. */
  levelOf(sessionId: string): string | undefined
  ended(sessionId: string): void
  stop(): void
}

export interface SessionListenersOptions {
  readonly audience: Pick<Audience, 'enter'>
  readonly lines: Pick<SessionLines, 'note' | 'onStanding'>
  readonly accessOf: (session: LegacySession, principal: Principal) => Access
  /** The update as the client may see it; null: it may not. */
  readonly pass: (update: Update, principal: Principal) => Promise<JsonObject | null>
  /** A session that neither speaks nor has a stream for so long is served nothing until it comes back. */
  readonly patienceMs?: number
}

interface Present {
  readonly principal: Principal
  session: LegacySession
  seat: Seat | null
  stands: boolean
  attendedAt: number
}

const PATIENCE_MS = 600_000

export function createSessionListeners(options: SessionListenersOptions): SessionListeners {
  const { audience, lines, accessOf, pass, patienceMs = PATIENCE_MS } = options
  const present = new Map<string, Present>()
  /** Of those too that have not sent a message yet: a line of 2024-11-05 is open before its session is. */
  const standing = new Set<string>()

  function seatOf(one: Present): Seat {
    const { session, principal } = one
    const tell = (note: JsonObject) => lines.note(session.id, { jsonrpc: '2.0', ...note })
    one.seat ??= audience.enter({
      gatewayId: session.gatewayId,
      access: accessOf(session, principal),
      listChanged: (kind) => tell({ method: `notifications/${kind}/list_changed` }),
      updated: (update) => {
        // What cannot be looked at is not passed on.
        void pass(update, principal).then(
          (params) => params !== null && tell({ method: 'notifications/resources/updated', params }),
          () => undefined,
        )
      },
    })
    return one.seat
  }

  function subscribe(one: Present): void {
    const wanted = new Set(one.session.subscriptions)
    for (const uri of one.seat?.watched ?? []) if (!wanted.has(uri)) one.seat?.unwatch(uri)
    for (const uri of wanted) void seatOf(one).watch(uri)
  }

  function sweep(): void {
    const before = Date.now() - patienceMs
    for (const [id, one] of present) {
      if (one.stands || one.attendedAt > before) continue
      one.seat?.leave()
      present.delete(id)
    }
  }
  const sweeper = setInterval(sweep, patienceMs / 10).unref()

  lines.onStanding((sessionId, stands) => {
    if (stands) standing.add(sessionId)
    else standing.delete(sessionId)
    const one = present.get(sessionId)
    if (one === undefined) return
    one.stands = stands
    one.attendedAt = Date.now()
    if (stands) void seatOf(one).hear(LISTED)
    else void one.seat?.hear([])
  })

  function changed(session: LegacySession): void {
    const known = present.get(session.id)
    if (known === undefined || known.session === session) return
    const isOther = known.session.subscriptions !== session.subscriptions
    known.session = session
    if (isOther) subscribe(known)
  }

  return {
    changed,
    attend(session, principal) {
      const known = present.get(session.id)
      if (known === undefined) {
        const one = { principal, session, seat: null, stands: standing.has(session.id), attendedAt: Date.now() }
        present.set(session.id, one)
        if (one.stands) void seatOf(one).hear(LISTED)
        if (session.subscriptions.length > 0) subscribe(one)
        return
      }
      known.attendedAt = Date.now()
      changed(session)
    },
    watched(sessionId, uri) {
      const { seat } = present.get(sessionId) ?? {}
      return seat?.watched.includes(uri) ? seat.watch(uri) : null
    },
    levelOf: (sessionId) => present.get(sessionId)?.session.logLevel ?? undefined,
    ended(sessionId) {
      present.get(sessionId)?.seat?.leave()
      present.delete(sessionId)
      standing.delete(sessionId)
    },
    stop: () => clearInterval(sweeper),
  }
}
