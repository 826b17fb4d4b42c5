import type { InfoRepository } from '../domain/store.js'
import { asGatehouseError } from '../errors.js'
import { hasMark } from '../mcp/json.js'
import { slotKey } from './ability.js'
import { settlesWithin } from './settles-within.js'
import type { CatalogLog } from './catalog-types.js'
import type { ServerInfo, Target, Upstreams } from './types.js'

/** Which server, as whom and for what sort of client: `key` is a `slotKey`. */
export type InfoOf = Pick<Target, 'server' | 'key'>

/** What servers say of themselves, kept for when they cannot be asked: capabilities, instructions, era. */
export interface ServerInfos {
  /** As last heard, at once; null when never. */
  known(of: InfoOf): ServerInfo | null
  /** What the server told another credential, of the same configuration. */
  knownToAny(of: InfoOf): ServerInfo | null
  /** Asks the server, unless it is connected, and remembers. */
  ask(target: Target, deadline: number): Promise<ServerInfo>
  /** Looks up or asks those that are not known, all at once; who is slow or down is not waited for. Never rejects. */
  learn(targets: readonly Target[], patienceMs: number): Promise<void>
}

export interface InfosOptions {
  readonly upstreams: Pick<Upstreams, 'info' | 'state'>
  /** Without it nothing is known after a restart. */
  readonly saved: InfoRepository | null
  readonly log: CatalogLog
  readonly now?: () => number
}

interface Kept {
  readonly updatedAt: string
  info: ServerInfo | null
  /** A question on its way; never rejects. */
  asking: Promise<void> | null
  /** When asking it is worth while again. */
  askAgainAt: number
  restored: Promise<void>
  saved: string | null
}

/** How long a server has to answer a question that nobody waits for any more, and is left alone after it failed. */
const ASK_MS = 10_000
const PAUSE_MS = 5_000
const MOST_KEPT = 10_000
const LARGEST_SAVED = 256 * 1024

export function createServerInfos(options: InfosOptions): ServerInfos {
  const { upstreams, saved, log, now = Date.now } = options
  const byServer = new Map<string, Map<string, Kept>>()
  let size = 0

  function kept({ server, key }: InfoOf): Kept {
    const own = byServer.get(server.id) ?? new Map<string, Kept>()
    if (own.size === 0) byServer.set(server.id, own)
    const found = own.get(key)
    if (found !== undefined && found.updatedAt === server.updatedAt) return found
    if (found === undefined && (size += 1) > MOST_KEPT) forgetOthers(server.id)
    const made: Kept = {
      updatedAt: server.updatedAt,
      ...{ info: null, asking: null, askAgainAt: 0, saved: null, restored: Promise.resolve() },
    }
    made.restored = restore({ server, key }, made)
    own.set(key, made)
    return made
  }

  /** Whoever comes back is asked anew. */
  function forgetOthers(serverId: string): void {
    for (const [id, own] of byServer) {
      if (id === serverId) continue
      byServer.delete(id)
      size -= own.size
      if (size <= MOST_KEPT) return
    }
  }

  async function restore({ server, key }: InfoOf, entry: Kept): Promise<void> {
    try {
      const found = await saved?.load(server.id, key)
      if (!found || entry.info !== null || found.at < Date.parse(server.updatedAt)) return
      entry.info = found.info as unknown as ServerInfo
      entry.saved = JSON.stringify(found.info)
    } catch (error) {
      log.warn({ server: server.slug, error: asGatehouseError(error).code }, 'what a server said cannot be restored')
    }
  }

  function heard({ server, key }: InfoOf, entry: Kept, info: ServerInfo): void {
    if (entry.info === info) return
    entry.info = info
    const text = JSON.stringify(info)
    if (saved === null || entry.saved === text || text.length > LARGEST_SAVED || hasMark(text)) return
    entry.saved = text
    saved.save(server.id, key, info, now()).catch((error: unknown) => {
      entry.saved = null
      log.warn({ server: server.slug, error: asGatehouseError(error).code }, 'what a server said cannot be saved')
    })
  }

  async function ask(target: Target, deadline: number): Promise<ServerInfo> {
    const of = { server: target.server, key: slotKey(target) }
    const info = await upstreams.info(target, deadline)
    heard(of, kept(of), info)
    return info
  }

  async function learnOne(target: Target): Promise<void> {
    const entry = kept({ server: target.server, key: slotKey(target) })
    await entry.restored
    if (entry.info !== null) return
    if (entry.asking === null && now() >= entry.askAgainAt) {
      const failed = () => void (entry.askAgainAt = now() + PAUSE_MS)
      const ended = () => void (entry.asking = null)
      entry.asking = ask(target, Date.now() + ASK_MS)
        .then(() => undefined, failed)
        .finally(ended)
    }
    // One that is known to be down answers late or never.
    if (upstreams.state(target.server.id).up !== false) await entry.asking
  }

  return {
    known: (of) => kept(of).info,
    knownToAny({ server }) {
      for (const one of byServer.get(server.id)?.values() ?? [])
        if (one.info !== null && one.updatedAt === server.updatedAt) return one.info
      return null
    },
    ask,
    async learn(targets, patienceMs) {
      const unknown = targets.filter((target) => kept({ server: target.server, key: slotKey(target) }).info === null)
      if (unknown.length === 0) return
      await settlesWithin(
        Promise.all(unknown.map(learnOne)).then(() => undefined),
        patienceMs,
      )
    },
  }
}
