import type { JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { slotKey } from './ability.js'
import type { Connection } from './connection.js'
import type { Peer } from './options.js'
import type { Dialect } from './verdicts.js'
import type { Conversation, Party, Target, UpstreamReply, UpstreamRequest } from './types.js'
import { listenedTo } from './whole-request.js'

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
  /** Takes a connection for nothing any more: it is closed, or will be with its last call. */
  closed(connection: Connection): void
}

export interface LanesOptions {
  readonly connectionOf: (target: Target, lane?: Lane) => Connection
  /** Lets go of a connection: it ends with its last call. `closed` is called. */
  readonly leave: (connection: Connection) => void
  /** Whether no further process may be started. */
  readonly isFull: () => boolean
}

const MINUTE = 60_000
const HOUR = 3_600_000
/** So many idle lanes are kept for the next call of the same kind: a session costs little, a process a lot. */
const mostIdle = ({ server }: Target): number => (server.command === null ? 8 : 1)

/**
 * A question of a legacy server does not say to which call it belongs. So whoever may be asked gets upstream sessions of
 * their own: a legacy client one for its session, which keeps its state at the server too; a modern client one for each
 * call under way, leased from a pool. Servers of the modern era ask in their results and need none of it; where one
 * speaks the legacy eras too, with sessions, a legacy client is served in its own.
 */
export function createLanes({ connectionOf, leave, isFull }: LanesOptions): Lanes {
  const sessions = new Map<string, Map<string, Connection>>()
  const idleLanes = new Map<string, Map<Connection, Lane>>()
  /** What has to be forgotten with a connection. */
  const traces = new Map<Connection, () => void>()
  const twofold = createTwofold()
  let leases = 0

  function closed(connection: Connection): void {
    traces.get(connection)?.()
    traces.delete(connection)
  }

  /** Remembers a connection under a name in one of the groups until it is closed. */
  function keep<Key, Value>(
    groups: Map<string, Map<Key, Value>>,
    name: string,
    [key, value]: [Key, Value],
  ): () => void {
    const group = groups.get(name) ?? new Map<Key, Value>()
    groups.set(name, group.set(key, value))
    return () => {
      if (group.get(key) === value) group.delete(key)
      if (group.size === 0 && groups.get(name) === group) groups.delete(name)
    }
  }

  function ofSession(target: Target, party: Party, dialect: Dialect | null): Connection {
    const { sessionId } = party
    const lane = { name: ` session ${sessionId}`, isShared: false, party, dialect }
    const connection = connectionOf(target, lane)
    if (!traces.has(connection)) traces.set(connection, keep(sessions, sessionId, [placeOf(target), connection]))
    return connection
  }

  /** The lane of a legacy client at a server of the modern era that speaks its own as well; null when it does not. */
  async function ofOwnEra(target: Target, party: Party, request: UpstreamRequest): Promise<Connection | null> {
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
    leave(connection)
    return null
  }

  async function onLease(target: Target, request: UpstreamRequest, whose: string): Promise<UpstreamReply> {
    const pool = poolOf(target, whose)
    // The newest, so that those too many are closed for being idle.
    const [idle, known] = [...(idleLanes.get(pool) ?? [])].at(-1) ?? []
    if (idle !== undefined) closed(idle)
    const lane = known ?? { name: ` lease ${(leases += 1)}`, isShared: false, party: null, dialect: null }
    // One whose server was changed meanwhile is opened anew under its name.
    const connection = connectionOf(target, lane)
    try {
      const reply = await connection.request(request)
      if ((idleLanes.get(pool)?.size ?? 0) >= mostIdle(target)) leave(connection)
      if (!connection.isLeft) traces.set(connection, keep(idleLanes, pool, [connection, lane]))
      return reply
    } catch (error) {
      // A call that was given up may still ask: its session must not become another call's.
      leave(connection)
      throw error
    }
  }

  /** When no further process can be started, and none is there for it. One that nobody needs makes room for the next. */
  function mustShare(target: Target, party: Party | null, whose: string): boolean {
    if (target.server.command === null || !isFull()) return false
    const own =
      party === null ? idleLanes.has(poolOf(target, whose)) : sessions.get(party.sessionId)?.has(placeOf(target))
    if (own) return false
    for (const group of idleLanes.values())
      for (const idle of group.keys()) if (idle.target.server.command !== null) return (leave(idle), true)
    return true
  }

  /** Waits for nothing of its own where the peer is there and nobody has to be asked which era it speaks. */
  function send(target: Target, request: UpstreamRequest, { party, whose }: Conversation): Promise<UpstreamReply> {
    const shared = connectionOf(target)
    const sendTo = (peer: Peer): Promise<UpstreamReply> => {
      if (peer.info.era === 'modern' && party !== null && twofold.mayBe(target))
        return ofOwnEra(target, party, request).then((own) => (own ?? shared).request(request))
      const way = wayFor(peer, target, request)
      if (way === 'shared' || mustShare(target, party, whose)) return shared.request(withoutQuestions(request, peer))
      return party === null ? onLease(target, request, whose) : ofSession(target, party, null).request(request)
    }
    const peer = shared.ready(request)
    return peer instanceof Promise ? peer.then(sendTo) : sendTo(peer)
  }

  return {
    wayOf: (target, conversation) => ({ request: (request) => send(target, request, conversation) }),
    endSession(sessionId) {
      for (const connection of [...(sessions.get(sessionId)?.values() ?? [])]) leave(connection)
    },
    toldBySession(sessionId, note) {
      for (const connection of sessions.get(sessionId)?.values() ?? [])
        if (mayHear(connection.target, note)) connection.notify(note)
    },
    closed,
  }
}

const placeOf = (target: Target) => `${target.server.id} ${slotKey(target)}`
const poolOf = (target: Target, whose: string) => `${placeOf(target)} ${whose}`

/** A server that was told of no folders is told of no change of them. */
const mayHear = ({ ability }: Target, { method }: JsonObject): boolean =>
  method !== 'notifications/roots/list_changed' || ability.capabilities['roots'] !== undefined

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
  return listenedTo(request, { onNotification: request.onNotification, conversation: undefined })
}
