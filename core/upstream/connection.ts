import type { Era, JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { PeerLost, fault, neverSent } from './faults.js'
import { isObject } from './message.js'
import type { Peer, PeerEvents, Timing } from './options.js'
import type { ServerInfo, Target, UpstreamReply, UpstreamRequest } from './types.js'
import { dialectOf } from './verdicts.js'
import type { Dialect, Verdict, Verdicts } from './verdicts.js'

export interface Targeted {
  readonly target: Target
}

export interface ConnectionOptions {
  /** What tells it from every other. */
  readonly name: string
  readonly target: Target
  readonly timing: Timing
  readonly verdicts: Verdicts
  /** Whether many callers share it: then nobody's log level is set on it. */
  readonly isShared: boolean
  readonly idleMost: number
  /** The only one that is spoken on it; null: whichever the server does. */
  readonly dialect: Dialect | null
  /** Opens a peer; `dialect` is null when it has to be found out. */
  readonly dial: (of: Targeted, dialect: Dialect | null, events: Pick<PeerEvents, 'doubted' | 'gone'>) => Promise<Peer>
  readonly onHealth: (fault: GatehouseError | null) => void
  /** Told when a peer took the place of an earlier one. */
  readonly onReplaced: () => void
}

/** A peer that was let go of, and why. */
interface Lost {
  readonly era: Era
  readonly error: PeerLost
}

/**
 * The way to one server as one identity. It is dialled at the first request, by one dial whoever waits for it, and again
 * when the peer was lost. A request is sent a second time only when it surely did not run.
 */
export class Connection {
  #peer: Peer | null = null
  #dialling: Promise<Peer> | null = null
  readonly #retired = new Set<Peer>()
  #probedAt = 0
  #expiresAt = Infinity
  #refreshing = false
  #doubted = false
  #opened = false
  #stopped = false
  #left = false
  #busy = 0
  readonly #levels = new WeakMap<Peer, string>()
  #onIdle: () => void = () => {}
  #used = Date.now()

  /** The newest that was asked with: its secrets are the ones to open. */
  target: Target

  constructor(private readonly options: ConnectionOptions) {
    this.target = options.target
  }

  /** Milliseconds without use after which it may be closed. */
  get idleMost(): number {
    return this.options.idleMost
  }

  get name(): string {
    return this.options.name
  }

  /** Whether it was told to end: with its last call, or at once. */
  get isLeft(): boolean {
    return this.#left
  }

  /** Since when nobody uses it; null while somebody does. */
  get idleSince(): number | null {
    return this.#busy > 0 || this.#dialling ? null : this.#used
  }

  async request(request: UpstreamRequest): Promise<UpstreamReply> {
    this.#busy++
    try {
      for (let lost: Lost | null = null; ;) {
        const peer = this.#peer ?? (await this.#ready(request))
        // It spoke the right era all along: what it said was meant for this request, which may have run.
        if (lost?.error.why === 'era' && lost.era === peer.info.era) throw lost.error.fault
        if (Date.now() > this.#expiresAt && !this.#refreshing) void this.#refresh()
        try {
          if (request.logLevel !== undefined && !this.options.isShared) await this.#setLevel(peer, request)
          const reply = await peer.request(request)
          this.#seen(null)
          return reply
        } catch (error) {
          lost = this.#failed(peer, error, lost !== null)
        }
      }
    } finally {
      this.#busy--
      this.#used = Date.now()
      if (this.#busy === 0) this.#onIdle()
    }
  }

  async info(deadline: number): Promise<ServerInfo> {
    return (await this.ready({ deadline })).info
  }

  /** The peer itself: at once when it is there, else dialled. */
  ready(wait: Pick<UpstreamRequest, 'deadline' | 'signal'>): Peer | Promise<Peer> {
    this.#used = Date.now()
    return this.#peer ?? this.#ready(wait)
  }

  /** Tells the server something, if it is connected. */
  notify(note: JsonObject): void {
    this.#peer?.notify(note)
  }

  async stop(): Promise<void> {
    this.#left = true
    this.#stopped = true
    const dialling = this.#dialling
    const peer = this.#peer
    this.#peer = null
    const retired = [...this.#retired]
    this.#retired.clear()
    await Promise.all([peer, ...retired].map((one) => one?.stop()))
    // A dial that is under way ends by its own limits; what it opened is closed at once.
    void dialling?.then((late) => (late === peer ? undefined : late.stop())).catch(() => undefined)
  }

  /** Stops when the last request that it was given has ended. */
  async drain(): Promise<void> {
    this.#left = true
    if (this.#busy > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
    await this.stop()
  }

  /** A server of the legacy eras is told once how much its client wants to hear of its log; of the modern era at each call. */
  async #setLevel(peer: Peer, { logLevel, deadline, signal }: UpstreamRequest): Promise<void> {
    const level = logLevel ?? QUIETEST
    if (peer.info.era === 'modern' || !isObject(peer.info.capabilities['logging']) || this.#levels.get(peer) === level)
      return
    await peer.request({ method: 'logging/setLevel', params: { level }, deadline, signal })
    this.#levels.set(peer, level)
  }

  /** Throws, unless the request surely did not run and may be sent once again. */
  #failed(peer: Peer, error: unknown, again: boolean): Lost {
    if (error instanceof PeerLost) {
      if (again || !this.#replace(peer, error)) throw error.fault
      return { era: peer.info.era, error }
    }
    if (error instanceof GatehouseError && error.code === 'GH_UPSTREAM_UNREACHABLE') this.#seen(error)
    throw error
  }

  #seen(fault: GatehouseError | null): void {
    if (!this.#stopped) this.options.onHealth(fault)
  }

  /** Lets go of a peer that is of no use; false when its era was probed too shortly ago to be doubted again. */
  #replace(peer: Peer, lost: PeerLost): boolean {
    if (lost.why === 'era') {
      if (Date.now() - this.#probedAt < this.options.timing.reprobe && this.#peer === peer) return false
      this.options.verdicts.doubt(this.target.server.id)
    }
    if (this.#peer === peer) this.#retire(peer)
    return true
  }

  #drop(peer: Peer): void {
    if (this.#peer !== peer) return
    this.#peer = null
    void peer.stop().catch(() => undefined)
  }

  /** The peer, awaited at most until the caller's own deadline; the dial goes on for others. */
  async #ready({ deadline, signal }: Pick<UpstreamRequest, 'deadline' | 'signal'>): Promise<Peer> {
    this.#dialling ??= this.#dial().finally(() => (this.#dialling = null))
    const dialling = this.#dialling
    const { slug } = this.target.server
    let timer: NodeJS.Timeout | undefined
    let onAbort = () => {}
    const given = new Promise<never>((_, reject) => {
      const late = () => reject(fault('GH_UPSTREAM_TIMEOUT', slug, 'could not be dialled in time', { retryable: true }))
      timer = setTimeout(late, Math.min(Math.max(0, deadline - Date.now()), 2_147_483_647))
      onAbort = () => reject(fault('GH_UPSTREAM_CANCELLED', slug, 'was no longer waited for'))
      if (signal?.aborted) onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
    })
    try {
      return await Promise.race([dialling, given])
    } catch (error) {
      throw neverSent(error)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async #dial(): Promise<Peer> {
    const { server } = this.target
    if (this.#stopped) throw fault('GH_UPSTREAM_UNREACHABLE', server.slug, 'was changed or removed meanwhile')
    try {
      const peer = await this.#dialEra()
      if (this.#stopped) {
        void peer.stop()
        throw fault('GH_UPSTREAM_UNREACHABLE', server.slug, 'was changed or removed meanwhile')
      }
      this.#peer = peer
      this.#seen(null)
      if (this.#opened) this.options.onReplaced()
      this.#opened = true
      return peer
    } catch (error) {
      const known = error instanceof PeerLost ? error.fault : error
      // That a server does not speak an era which it need not speak says nothing of its health.
      const isEra =
        this.options.dialect !== null && known instanceof GatehouseError && known.code === 'GH_UPSTREAM_PROTOCOL'
      if (known instanceof GatehouseError && SAYS_DOWN.has(known.code) && !isEra) this.#seen(known)
      throw known
    }
  }

  /** With the era that the operator named, with the one that was found before, or by finding it out. */
  async #dialEra(): Promise<Peer> {
    const { server } = this.target
    if (this.options.dialect !== null) return this.#open(this.options.dialect)
    if (server.protocol !== 'auto') return this.#open(server.protocol)
    const verdict = await this.options.verdicts.get(server)
    if (verdict && verdict.expiresAt > Date.now()) {
      try {
        const peer = await this.#open(dialectOf(verdict))
        this.#mind(verdict)
        return peer
      } catch (error) {
        const contradicted =
          error instanceof PeerLost || (error instanceof GatehouseError && error.code === 'GH_UPSTREAM_PROTOCOL')
        if (!contradicted || Date.now() - this.#probedAt < this.options.timing.reprobe) throw error
      }
    }
    this.#probedAt = Date.now()
    const peer = await this.#open(null)
    this.#mind(this.options.verdicts.learn(server, peer))
    return peer
  }

  /** A child process keeps its era for life; a URL may be served by something newer tomorrow. */
  #mind(verdict: Verdict): void {
    this.#expiresAt = this.target.server.url === null ? Infinity : verdict.expiresAt
  }

  async #open(dialect: Dialect | null): Promise<Peer> {
    let opened: Peer | null = null
    let isGone = false
    const gone = () => {
      isGone = true
      if (opened) this.#drop(opened)
    }
    opened = await this.options.dial(this, dialect, { gone, doubted: () => this.#doubt() })
    if (isGone) throw fault('GH_UPSTREAM_UNREACHABLE', this.target.server.slug, 'ended as soon as it was opened')
    return opened
  }

  /** The next dial finds the era out anew; what runs now is not disturbed. Once, or a sloppy server would be dialled for ever. */
  #doubt(): void {
    if (this.#doubted || this.target.server.protocol !== 'auto') return
    if (Date.now() - this.#probedAt < this.options.timing.reprobe) return
    this.#doubted = true
    this.options.verdicts.doubt(this.target.server.id)
    if (this.#peer) this.#retire(this.#peer)
  }

  /** A verdict that has run out is renewed beside the traffic; another era takes over for the requests to come. */
  async #refresh(): Promise<void> {
    this.#refreshing = true
    this.#probedAt = Date.now()
    try {
      const fresh = await this.#open(null)
      this.#expiresAt = this.options.verdicts.learn(this.target.server, fresh).expiresAt
      const old = this.#peer
      const same = old?.info.era === fresh.info.era && old.transport === fresh.transport
      if (this.#stopped || same) return void (await fresh.stop())
      this.#peer = fresh
      if (old) this.#retire(old)
      this.options.onReplaced()
    } catch {
      this.#expiresAt = Date.now() + this.options.timing.reprobe
    } finally {
      this.#refreshing = false
    }
  }

  /** Takes no new requests; closed when its last one has ended. */
  #retire(peer: Peer): void {
    if (this.#peer === peer) this.#peer = null
    this.#retired.add(peer)
    const wait = setInterval(() => {
      if (peer.busy && this.#retired.has(peer)) return
      clearInterval(wait)
      if (this.#retired.delete(peer)) void peer.stop().catch(() => undefined)
    }, 250)
    wait.unref()
  }
}

/** There is no level for nothing at all. */
const QUIETEST = 'emergency'

const SAYS_DOWN: ReadonlySet<string> = new Set([
  'GH_UPSTREAM_UNREACHABLE',
  'GH_UPSTREAM_PROTOCOL',
  'GH_UPSTREAM_TIMEOUT',
  'GH_UPSTREAM_TOO_LARGE',
])
