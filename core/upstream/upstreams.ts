import { Circuits } from './circuits.js'
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
import type { Peer, PeerContext, PeerEvents, UpstreamsOptions } from './options.js'
import { createStdioDialler } from './stdio-dial.js'
import type { Target, Upstreams } from './types.js'
import { createVerdicts } from './verdicts.js'
import type { Dialect } from './verdicts.js'

type ListListener = Parameters<Upstreams['onListChanged']>[0]

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
  const forgotten: ((target: Target) => void)[] = []
  const verdicts = createVerdicts(options.verdicts)
  const health = createHealth()
  const circuits = new Circuits({ log, onTrouble: options.onTrouble, onRecovered: (id) => tellMissed(id) })
  const stdio = createStdioDialler(options.childEnv)
  let stopped = false

  const tell: ListListener = (...change) => listeners.forEach((listener) => listener(...change))
  const tellMissed = (serverId: string) =>
    (['tools', 'prompts', 'resources'] as const).forEach((kind) => tell(serverId, kind, 'missed'))
  const tellForgotten = (target: Target, lane: Lane) =>
    lane.isShared && forgotten.forEach((listener) => listener(target))

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
      gone: () => {
        ends.gone()
        tellForgotten(of.target, lane)
      },
      listChanged: (kind) => (circuits.alive(id), tell(id, kind, 'said')),
      reopened: () => (circuits.alive(id), lane.isShared && tellMissed(id)),
      note: (note) => (circuits.alive(id), options.onServerNote?.(of.target, note, party)),
      asked:
        party === null || onSessionQuestion === undefined
          ? null
          : (...asked) => (circuits.alive(id), onSessionQuestion(party, of.target, ...asked)),
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
    const connection: Connection = new Connection({
      name,
      target,
      timing,
      verdicts,
      isShared: lane.isShared,
      // A process is worth more than a session.
      idleMost: lane.party !== null && server.command === null ? timing.pairedIdle : timing.idle,
      dialect: lane.dialect,
      dial: (of, dialect, ends) => dial(of, dialect, ends, lane),
      onHealth: (what) => {
        health.seen(server.id, what)
        if (what === null) circuits.alive(server.id)
      },
      onReplaced: () => {
        if (lane.isShared) tellMissed(server.id)
        tellForgotten(connection.target, lane)
      },
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
        const { idleSince, idleMost } = connection
        if (idleSince === null || Date.now() - idleSince < idleMost) continue
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
        const { conversation } = request
        const way = conversation === undefined ? connectionOf(target) : lanes.wayOf(target, conversation)
        return circuits.run(target, request, way)
      } catch (error) {
        return Promise.reject(error)
      }
    },
    info: async (target, deadline) => connectionOf(target).info(deadline),
    endSession: lanes.endSession,
    toldBySession: lanes.toldBySession,
    listen: async (target, uris, deadline) =>
      (await connectionOf(target).ready({ deadline })).listen?.(uris) ?? NOTHING,
    onListChanged: (listener) => void listeners.push(listener),
    onForgotten: (listener) => void forgotten.push(listener),
    replace(serverId, key) {
      circuits.replace(serverId, key)
      for (const connection of [...connections.values()]) {
        const { server, key: own } = connection.target
        if (server.id === serverId && (key === undefined || key === own)) leave(connection)
      }
      if (key !== undefined) return
      verdicts.doubt(serverId)
      health.forget(serverId)
    },
    async forget(serverId) {
      circuits.forget(serverId)
      verdicts.doubt(serverId)
      await stopAll((connection) => connection.target.server.id === serverId)
      await stdio.forget(serverId)
      health.forget(serverId)
    },
    state(serverId) {
      const opening = circuits.opening(serverId)
      if (opening === null) return health.state(serverId)
      return { up: false, reason: opening.fault.message, since: opening.since }
    },
    async stop() {
      stopped = true
      circuits.stop()
      clearInterval(sweeper)
      await stopAll(() => true)
      await stdio.stop()
    },
  }
}

const NOTHING: ReadonlySet<string> = new Set()
