import { Connection } from './connection.js'
import type { Targeted } from './connection.js'
import { slotKey } from './ability.js'
import { fault } from './faults.js'
import { createHealth } from './health.js'
import { dialHttp } from './http-dial.js'
import { openWire } from './http-wire.js'
import { createLanes, SHARED } from './lanes.js'
import type { Lane } from './lanes.js'
import { TIMING } from './options.js'
import type { Dialect, ListKind, Peer, PeerContext, PeerEvents, UpstreamsOptions } from './options.js'
import { createStdioDialler } from './stdio-dial.js'
import type { Target, Upstreams } from './types.js'
import { createVerdicts } from './verdicts.js'

type ListListener = (serverId: string, kind: ListKind) => void

/**
 * Every upstream server: one connection for each (server, credential, ability), and beside it lanes of their own for clients
 * that may be asked. Nothing is dialled before it is needed.
 */
export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const timing = { ...TIMING, ...options.timing }
  const log = options.log ?? { debug() {}, warn() {} }
  const connections = new Map<string, Connection>()
  const leaving = new Set<Connection>()
  const listeners: ListListener[] = []
  const verdicts = createVerdicts(options.verdicts)
  const health = createHealth()
  const stdio = createStdioDialler(options.childEnv)
  let stopped = false

  const tell = (serverId: string, kind: ListKind) => listeners.forEach((listener) => listener(serverId, kind))
  const tellAll = (serverId: string) =>
    (['tools', 'prompts', 'resources'] as const).forEach((kind) => tell(serverId, kind))

  function dial(
    of: Targeted,
    dialect: Dialect | null,
    ends: Pick<PeerEvents, 'doubted' | 'gone'>,
    lane: Lane,
  ): Promise<Peer> {
    const { id, slug } = of.target.server
    const { party } = lane
    const { onSessionQuestion } = options
    const events: PeerEvents = {
      ...ends,
      listChanged: (kind) => tell(id, kind),
      reopened: () => lane.isShared && tellAll(id),
      note: (note) => options.onServerNote?.(of.target, note, party),
      asked:
        party === null || onSessionQuestion === undefined
          ? null
          : (question, signal) => onSessionQuestion(party, of.target, question, signal),
    }
    const { clientInfo, limits } = options
    return open({ of, slug, clientInfo, limits, timing, log, events }, dialect)
  }

  async function open(context: PeerContext, dialect: Dialect | null): Promise<Peer> {
    if (context.of.target.server.command) return stdio.dial(context, dialect === 'sse' ? 'legacy' : dialect)
    return dialHttp(context, await openWire(context, (origin) => options.egress.pool(origin)), dialect)
  }

  /** The connection of a target; an older one is let go when the server was changed since. */
  function connectionOf(target: Target, lane: Lane = SHARED): Connection {
    const { server } = target
    const name = `${server.id} ${slotKey(target)}${lane.name}`
    const known = connections.get(name)
    if (known && (known.target.server === server || known.target.server.updatedAt === server.updatedAt)) {
      known.target = target
      return known
    }
    if (stopped) throw fault('GH_UPSTREAM_UNREACHABLE', server.slug, 'is not called any more: the gateway stops')
    if (known) leave(known)
    const connection = new Connection({
      name,
      target,
      timing,
      verdicts,
      isShared: lane.isShared,
      dialect: lane.dialect,
      dial: (of, dialect, ends) => dial(of, dialect, ends, lane),
      onHealth: (what) => health.seen(server.id, what),
      onReplaced: () => lane.isShared && tellAll(server.id),
    })
    connections.set(name, connection)
    return connection
  }

  /** A change drops no call: what is under way ends by itself, on the connection that it began on. */
  function leave(connection: Connection): void {
    if (connection.isLeft) return
    remove(connection)
    leaving.add(connection)
    const gone = () => void leaving.delete(connection)
    connection.drain().then(gone, gone)
  }

  const lanes = createLanes({ connectionOf, leave, isFull: () => stdio.isFull(options.limits()) })
  function remove(connection: Connection): void {
    if (connections.get(connection.name) === connection) connections.delete(connection.name)
    lanes.closed(connection)
  }

  const sweeper = setInterval(
    () => {
      for (const connection of connections.values()) {
        const { idleSince } = connection
        if (idleSince === null || Date.now() - idleSince < timing.idle) continue
        remove(connection)
        void connection.stop()
      }
    },
    Math.max(50, Math.min(timing.idle / 2, 30_000)),
  )
  sweeper.unref()

  async function stopAll(which: (connection: Connection) => boolean): Promise<void> {
    const ending = [...connections.values()].filter(which)
    for (const connection of ending) remove(connection)
    const left = [...leaving].filter(which)
    await Promise.all([...left, ...ending].map((connection) => connection.stop()))
  }

  return {
    request(target, request) {
      try {
        return request.conversation === undefined
          ? connectionOf(target).request(request)
          : lanes.request(target, request, request.conversation)
      } catch (error) {
        return Promise.reject(error)
      }
    },
    info: async (target, deadline) => connectionOf(target).info(deadline),
    endSession: lanes.endSession,
    toldBySession: lanes.toldBySession,
    onListChanged: (listener) => void listeners.push(listener),
    replace(serverId) {
      verdicts.doubt(serverId)
      for (const connection of [...connections.values()])
        if (connection.target.server.id === serverId) leave(connection)
      health.forget(serverId)
    },
    async forget(serverId) {
      verdicts.doubt(serverId)
      await stopAll((connection) => connection.target.server.id === serverId)
      await stdio.forget(serverId)
      health.forget(serverId)
    },
    state: health.state,
    async stop() {
      stopped = true
      clearInterval(sweeper)
      await stopAll(() => true)
      await stdio.stop()
    },
  }
}
