import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticated, Inbound, LegacySession } from '../call.js'
import type { Flow } from '../domain/flow.js'
import type { Enrolled } from '../domain/roll.js'
import type { Snapshot } from '../domain/snapshot.js'
import type { EraHeaders } from '../mcp/classify.js'
import type { LegacySessions } from '../mcp/sessions.js'
import type { StreamPlaces } from '../mcp/stream-places.js'
import type { Pipeline } from '../pipeline.js'
import type { EventStream } from './event-stream.js'
import { CallGone } from './gone.js'
import type { Hop } from './hop.js'
import type { OlderLine, OlderLines } from './older-lines.js'
import type { OwnNames } from './origin.js'
import type { Lines } from './session-lines.js'
import type { Standing } from './standing.js'
import type { ToOwner } from './to-owner.js'
import type { Tolerated } from './tolerances.js'

export interface DoorOptions {
  readonly pipeline: Pipeline
  /** The first room alone: asked again about calls and streams that last. */
  readonly authenticate: (inbound: Inbound) => Authenticated | Promise<Authenticated>
  readonly snapshot: () => Snapshot
  /** Null while the snapshot is up to date, else waits for the one that is. */
  readonly catchUp: () => Promise<void> | null
  readonly names: OwnNames
  readonly sessions: Pick<LegacySessions, 'end' | 'find'>
  readonly lines: Lines
  readonly older: OlderLines
  readonly places: StreamPlaces
  readonly toOwner: ToOwner
  /** The peer's address, after trusted proxies. */
  readonly addressOf: (req: IncomingMessage) => string
  readonly draining: () => boolean
  /** Told of a fault that is borne, each time. */
  readonly onTolerated: (fault: Tolerated) => void
  /** For what cannot be answered any more. */
  readonly onBroken: (thrown: unknown) => void
}

export type DoorParts = DoorOptions & { readonly standing: Standing<Visit> }

/** One HTTP request on its way; as a flow, how fast its client reads the stream of its answer. */
export class Visit implements Enrolled, Flow {
  readonly at = Date.now()
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** Set when another replica took it from the client. */
  readonly hop: Hop | null
  /** The client's. */
  readonly address: string
  /** Tells when nobody waits for the answer any more: a stream that can be taken up again outlives its connection. */
  readonly gone = new CallGone()
  place = -1
  /** Once it is known. */
  session: LegacySession | null = null
  /** The line that it opened, or that it was sent to. */
  older: OlderLine | null = null
  #stream: EventStream | null = null

  constructor(
    readonly options: DoorParts,
    { req, res, hop }: Pick<Visit, 'req' | 'res' | 'hop'>,
    readonly gatewayName: string | null,
  ) {
    this.req = req
    this.res = res
    this.hop = hop
    this.address = hop?.address ?? options.addressOf(req)
    if (res.destroyed) this.gone.aborted = true
    res.once('close', () => {
      if (this.#stream === null && !res.writableFinished) this.gone.tell()
    })
  }

  /** The stream of its answer, when it has become one. */
  get stream(): EventStream | null {
    return this.#stream
  }

  /** The stream of its answer, opened when it is first needed. */
  openStream(headers: Readonly<Record<string, string>> = {}): EventStream {
    if (this.#stream !== null) return this.#stream
    // Whoever has gone knows no event to come back for.
    const session = this.gone.aborted ? null : this.session
    this.#stream = this.options.lines.openCall(session, () => this.gone.tell())
    this.#stream.attach(this.res, { headers })
    return this.#stream
  }

  /** Its answer goes out on a stream of another request, and is waited for as long as that is open. Gives back how to leave. */
  joinStream(stream: EventStream): () => void {
    this.#stream = stream
    return stream.onClosed(() => this.gone.tell())
  }

  /** Lets a client go that can take up its answer later; others wait on. */
  readonly interrupt = (): void => this.openStream().interrupt()

  get full(): boolean {
    return this.#stream?.full ?? false
  }

  drained(): Promise<void> {
    return this.#stream?.drained() ?? Promise.resolve()
  }

  /** Ends it at once, whatever was under way. */
  cut(): void {
    this.res.destroy()
    this.#stream?.drop()
    this.gone.tell()
  }
}

export const eraHeaders = ({ req }: Visit): EraHeaders => ({
  version: oneHeader(req, 'mcp-protocol-version'),
  sessionId: oneHeader(req, 'mcp-session-id'),
  method: oneHeader(req, 'mcp-method'),
  name: oneHeader(req, 'mcp-name'),
})

export const oneHeader = (req: IncomingMessage, name: string): string | undefined => {
  const value = req.headers[name]
  return Array.isArray(value) ? value[0] : value
}
