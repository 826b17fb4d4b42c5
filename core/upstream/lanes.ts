import type { JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { slotKey } from './ability.js'
import type { Connection } from './connection.js'
import type { Peer } from './options.js'
import type { Dialect } from './verdicts.js'
import type { Conversation, Party, Target, UpstreamReply, UpstreamRequest } from './types.js'

/** Which of the connections to one server as one identity. */
export interface Lane {
  /** Behind the connection's name. */
  readonly name: string
  readonly isShared: boolean
  /** The legacy client session that it is paired with. */
  readonly party: Party | null
  /** Null: whichever the server speaks. */
  readonly dialect: Dialect | null
}

export const SHARED: Lane = Object.freeze({ name: '', isShared: true, party: null, dialect: null })

export interface Lanes {
  /** Where the requests of a conversation go. */
  wayOf(target: Target, conversation: Conversation): Pick<Connection, 'request'>
  endSession(sessionId: string): void
  toldBySession(sessionId: string, note: JsonObject): void
}

export interface LanesOptions {
  readonly connectionOf: (target: Target, lane?: Lane) => Connection
  /** Lets go of connections: each ends with its last call. */
  readonly leave: (which: (name: string, connection: Connection) => boolean) => void
  /** Whether no further process may be started. */
  readonly isFull: () => boolean
}

const MINUTE = 60_000
const HOUR = 3_600_000
/** So many idle lanes are kept for the next call of the same kind. */
const MOST_IDLE = 8

/**
 * A question of a legacy server does not say to which call it belongs. So whoever may be asked gets upstream sessions of
 * their own: a legacy client one for its session, which keeps its state at the server too; a modern client one for each
 * call under way, leased from a pool. Servers of the modern era ask in their results and need none of it; where one
 * speaks the legacy eras too, with sessions, a legacy client is served in its own.
 */
export function createLanes({ connectionOf, leave, isFull }: LanesOptions): Lanes {
  const sessions = new Map<string, Map<string, Connection>>()
  const idleLanes = new Map<string, Lane[]>()
  const twofold = createTwofold()
  let leases = 0

  function ofSession(target: Target, party: Party, dialect: Dialect | null): Connection {
    const { sessionId } = party
    const lane = { name: ` session ${sessionId}`, isShared: false, party, dialect }
    const connection = connectionOf(target, lane)
    const own = sessions.get(sessionId) ?? new Map<string, Connection>()
    if (own.size === 0) sessions.set(sessionId, own)
    own.set(placeOf(target), connection)
    return connection
  }

  /** The lane of a legacy client at a server of the modern era that speaks its own as well; null when it does not. */
  async function ofOwnEra(target: Target, party: Party, request: UpstreamRequest): Promise<Connection | null> {
    if (!twofold.mayBe(target)) return null
    const connection = ofSession(target, party, 'legacy')
    try {
      const { stateful } = await connection.ready(request)
      if (stateful) return connection
      twofold.isNot(target, HOUR)
    } catch (error) {
      if (request.signal?.aborted || Date.now() >= request.deadline) throw error
      const isRefused = error instanceof GatehouseError && error.code === 'GH_UPSTREAM_PROTOCOL'
      twofold.isNot(target, isRefused ? HOUR : MINUTE)
    }
    sessions.get(party.sessionId)?.delete(placeOf(target))
    leave((_, known) => known === connection)
    return null
  }

  async function onLease(target: Target, request: UpstreamRequest): Promise<UpstreamReply> {
    const pool = `${target.server.id} ${slotKey(target)}`
    const idle = idleLanes.get(pool) ?? []
    const lane = idle.pop() ?? { name: ` lease ${(leases += 1)}`, isShared: false, party: null, dialect: null }
    if (idle.length === 0) idleLanes.delete(pool)
    // One that was closed meanwhile, idle or for a change of the server, is opened anew under its name.
    const connection = connectionOf(target, lane)
    try {
      const reply = await connection.request(request)
      giveBack(pool, lane, connection)
      return reply
    } catch (error) {
      // A call that was given up may still ask: its session must not become another call's.
      leave((_, known) => known === connection)
      throw error
    }
  }

  function giveBack(pool: string, lane: Lane, connection: Connection): void {
    const idle = idleLanes.get(pool) ?? []
    if (idle.length < MOST_IDLE) idleLanes.set(pool, [...idle, lane])
    else leave((_, known) => known === connection)
  }

  async function send(target: Target, request: UpstreamRequest, party: Party | null): Promise<UpstreamReply> {
    const shared = connectionOf(target)
    const peer = await shared.ready(request)
    if (peer.info.era === 'modern' && party !== null) {
      const own = await ofOwnEra(target, party, request)
      return (own ?? shared).request(request)
    }
    const way = wayFor(peer, target, request)
    if (way === 'shared' || (target.server.command !== null && isFull()))
      return shared.request(withoutQuestions(request, peer))
    return party === null ? onLease(target, request) : ofSession(target, party, null).request(request)
  }

  return {
    wayOf: (target, { party }) => ({ request: (request) => send(target, request, party) }),
    endSession(sessionId) {
      const own = new Set(sessions.get(sessionId)?.values())
      sessions.delete(sessionId)
      if (own.size > 0) leave((_, connection) => own.has(connection))
    },
    toldBySession(sessionId, note) {
      for (const connection of sessions.get(sessionId)?.values() ?? []) connection.notify(note)
    },
  }
}

const placeOf = ({ server, key }: Target) => `${server.id} ${key}`

/** Which servers of the modern era have been found not to speak the legacy ones, with sessions, beside it. */
function createTwofold() {
  const not = new Map<string, { readonly updatedAt: string; readonly until: number }>()
  return {
    mayBe({ server }: Target): boolean {
      if (server.protocol !== 'auto' || server.command !== null) return false
      const known = not.get(server.id)
      return known === undefined || known.updatedAt !== server.updatedAt || known.until < Date.now()
    },
    isNot({ server }: Target, ms: number): void {
      not.set(server.id, { updatedAt: server.updatedAt, until: Date.now() + ms })
    },
  }
}

/**
 * Over HTTP every client session is paired, for servers keep state by session. A process is worth more: it is started for
 * a client that can be asked, and else shared.
 */
function wayFor({ info, stateful }: Peer, { ability, server }: Target, request: UpstreamRequest): 'shared' | 'own' {
  if (info.era === 'modern' || !stateful) return 'shared'
  if (ability.key !== '' || typeof request.logLevel === 'string') return 'own'
  return request.conversation?.party != null && server.command === null ? 'own' : 'shared'
}

/** On a connection that others use too, a question could be meant for any of them. */
function withoutQuestions(request: UpstreamRequest, { info }: Peer): UpstreamRequest {
  if (info.era === 'modern' || request.conversation === undefined) return request
  return { ...request, conversation: undefined }
}
