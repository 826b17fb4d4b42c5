import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticated, Inbound } from '../call.js'
import type { Enrolled } from '../domain/roll.js'
import type { Snapshot } from '../domain/snapshot.js'
import type { EraHeaders } from '../mcp/classify.js'
import type { LegacySessions } from '../mcp/sessions.js'
import type { Pipeline } from '../pipeline.js'
import { openEventStream, type EventStream } from './event-stream.js'
import { type CallGone, watchGone } from './gone.js'
import type { OwnNames } from './origin.js'
import type { Lines } from './session-lines.js'
import type { Standing } from './standing.js'

export interface DoorOptions {
  readonly pipeline: Pipeline
  /** The first room alone: asked again about calls and streams that last. */
  readonly authenticate: (inbound: Inbound) => Authenticated | Promise<Authenticated>
  readonly snapshot: () => Snapshot
  readonly names: OwnNames
  readonly sessions: Pick<LegacySessions, 'end'>
  readonly lines: Lines
  /** The peer's address, after trusted proxies. */
  readonly addressOf: (req: IncomingMessage) => string
  readonly draining: () => boolean
  /** For what cannot be answered any more. */
  readonly onBroken: (thrown: unknown) => void
}

export type DoorParts = DoorOptions & { readonly standing: Standing<Visit> }

/** One HTTP request on its way. */
export interface Visit extends Enrolled {
  readonly options: DoorParts
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly gatewayName: string | null
  readonly at: number
  readonly gone: CallGone
  readonly address: string
  stream: EventStream | null
}

export function beginVisit(
  options: DoorParts,
  req: IncomingMessage,
  res: ServerResponse,
  gatewayName: string | null,
): Visit {
  const address = options.addressOf(req)
  return { options, req, res, gatewayName, at: Date.now(), gone: watchGone(res), address, stream: null, place: -1 }
}

/** The stream of its answer, opened when it is first needed. */
export function streamOf(visit: Visit): EventStream {
  visit.stream ??= openEventStream(visit.res)
  return visit.stream
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
