import type { Server } from '../domain/nouns.js'
import { GatehouseError } from '../errors.js'
import type { Opening } from './circuit.js'
import type { UpstreamLog } from './options.js'
import type { Target, UpstreamReply, UpstreamRequest } from './types.js'
import { Watch } from './watch.js'
import type { Trouble } from './watch.js'
import { listenedTo } from './whole-request.js'

export interface CircuitsOptions {
  readonly log: UpstreamLog
  readonly now?: () => number
  readonly onTrouble?: ((trouble: Trouble) => void) | undefined
  /** Told when a server that was not called for a time answers again. */
  readonly onRecovered: (serverId: string) => void
}

/** Where a call goes that is let through. */
interface Way {
  request(request: UpstreamRequest): Promise<UpstreamReply>
}

/**
 * Keeps a server in trouble from costing anything but its own calls: what would surely fail is refused at once and unsent,
 * and no more than a bound waits for a server that says nothing. Nothing is ever sent twice here.
 */
export class Circuits {
  readonly #watches = new Map<string, Watch>()
  readonly #now: () => number
  #stopped = false

  constructor(private readonly options: CircuitsOptions) {
    this.#now = options.now ?? Date.now
  }

  /** Sends the request, unless it is refused; what becomes of it is what is known of the server from then on. */
  async run(target: Target, request: UpstreamRequest, way: Way): Promise<UpstreamReply> {
    const watch = this.#watchOf(target.server)
    const attempt = watch.begin(target)
    try {
      const reply = await way.request(overheard(request, () => watch.heard(attempt)))
      watch.answered(attempt)
      return reply
    } catch (error) {
      if (error instanceof GatehouseError) watch.failed(attempt, error)
      throw error
    } finally {
      watch.end(attempt)
    }
  }

  /** A sign of life that belongs to no call. */
  alive(serverId: string): void {
    this.#watches.get(serverId)?.alive()
  }

  /** Null unless the server is not called at present. */
  opening(serverId: string): Opening | null {
    return this.#watches.get(serverId)?.opening ?? null
  }

  /** What is known of the server, or of a credential of it, is of the past: it was changed. */
  replace(serverId: string, key?: string): void {
    if (key !== undefined) return this.#watches.get(serverId)?.renewed(key)
    this.#watches.get(serverId)?.leave()
    this.#watches.delete(serverId)
  }

  /** Nobody may call the server any more. */
  forget(serverId: string): void {
    this.replace(serverId)
    this.#tell({ kind: 'gone', serverId })
  }

  stop(): void {
    this.#stopped = true
  }

  #watchOf(server: Server): Watch {
    let watch = this.#watches.get(server.id)
    if (watch === undefined) {
      watch = new Watch(server, this.#now, (trouble) => this.#tell(trouble))
      this.#watches.set(server.id, watch)
    }
    return watch
  }

  /** While the gateway stops, calls fail for a reason of ours. */
  #tell(trouble: Trouble): void {
    if (this.#stopped) return
    const { log, onRecovered, onTrouble } = this.options
    if (trouble.kind === 'down')
      log.warn({ server: trouble.server.slug, reason: trouble.fault.message }, 'a server is not called for now')
    if (trouble.kind === 'up' && trouble.wasDown) {
      log.warn({ server: trouble.server.slug }, 'a server answers again')
      onRecovered(trouble.server.id)
    }
    onTrouble?.(trouble)
  }
}

/** Notes and questions that belong to a request are signs of life, too. */
function overheard(request: UpstreamRequest, hear: () => void): UpstreamRequest {
  const { onNotification, conversation } = request
  if (!onNotification && !conversation) return request
  return listenedTo(request, {
    onNotification: onNotification && ((note) => (hear(), onNotification(note))),
    conversation: conversation && {
      party: conversation.party,
      whose: conversation.whose,
      onQuestion: (...asked) => (hear(), conversation.onQuestion(...asked)),
    },
  })
}
