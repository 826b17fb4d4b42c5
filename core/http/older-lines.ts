import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { LegacySession } from '../call.js'
import type { LegacySessions } from '../mcp/sessions.js'
import { LEGACY_VERSIONS } from '../mcp/versions.js'
import { EventStream, type StreamOptions } from './event-stream.js'
import type { Lines } from './session-lines.js'

/** Whose a line is: with another connection, or at another gateway, there is no such line. */
export interface LineHolder {
  readonly connectionId: string
  readonly gatewayId: string
}

/**
 * The one stream of a client of 2024-11-05: the answers of its calls, and all else that it is told, go out there. What it
 * says comes in as requests of their own, to an endpoint that names the line.
 */
export class OlderLine {
  /** Requests that are not answered yet. */
  underWay = 0
  /** `initialize` has come, and was not refused. */
  isClaimed = false
  #session: LegacySession | null = null

  constructor(
    readonly id: string,
    readonly holder: LineHolder,
    readonly stream: EventStream,
  ) {}

  /** Null until `initialize` is answered. */
  get session(): LegacySession | null {
    return this.#session
  }

  get version(): string {
    return this.#session?.version ?? LEGACY_VERSIONS[0]
  }

  isOf({ connectionId, gatewayId }: LineHolder): boolean {
    return this.holder.connectionId === connectionId && this.holder.gatewayId === gatewayId
  }

  begin(session: LegacySession): void {
    this.#session = session
  }
}

export interface OlderLines {
  /** Opens a line on this answer; `endpointOf` makes the first event's URL out of the line's id. */
  open(holder: LineHolder, res: ServerResponse, endpointOf: (id: string) => string): OlderLine
  /** Null when no such line is open here. */
  find(id: string): OlderLine | null
  /** Ties a session to its line: it hears of everything there, and ends with it. */
  begin(line: OlderLine, session: LegacySession): void
  stop(): void
}

export interface OlderLinesOptions extends Pick<StreamOptions, 'timing' | 'onDropped'> {
  /** The name of this one: whoever gets a line's id knows where the line is. */
  readonly replica: string
  readonly lines: Pick<Lines, 'adopt'>
  readonly sessions: Pick<LegacySessions, 'end'>
}

export function createOlderLines({ replica, lines, sessions, ...streaming }: OlderLinesOptions): OlderLines {
  const open = new Map<string, OlderLine>()
  return {
    open(holder, res, endpointOf) {
      const id = `${replica}.${randomBytes(32).toString('base64url')}`
      const line = new OlderLine(id, holder, new EventStream(streaming))
      open.set(id, line)
      line.stream.onClosed(() => open.delete(id))
      line.stream.attach(res, { first: `event: endpoint\ndata: ${endpointOf(id)}\n\n` })
      return line
    },
    find: (id) => open.get(id) ?? null,
    begin(line, session) {
      const { stream } = line
      line.begin(session)
      if (!stream.closed) lines.adopt(session, stream)
      // A row that stays, because the database is away, is nobody's: it ends when it has been idle.
      stream.onClosed(() => void sessions.end(session.id).catch(() => undefined))
    },
    stop() {
      for (const { stream } of [...open.values()]) stream.drop()
    },
  }
}
