import type { LegacySession } from '../call.js'
import { Roll, type Enrolled } from '../domain/roll.js'
import type { About } from '../mcp/session-lines.js'
import type { Line } from './asked.js'
import type { CallGone } from './gone.js'

/** A request of a session under way. */
export interface Flight extends Enrolled {
  readonly session: LegacySession
  /** As the client wrote it: 1 and "1" are two. */
  readonly id: string | number
  readonly correlationId: string
  readonly gone: CallGone
  /** Opens the stream of its answer; null: the client takes none there. */
  readonly line: (() => Line) | null
  /** Whoever waits longer than until then gets a stream, to be able to come back for the answer; Infinity: nobody does. */
  dueAt: number
  /** Which of them is the newest; given when it enters. */
  since: number
  /** Its client took it back: it gets no response. */
  cancelled: boolean
}

/** The requests of legacy sessions that are under way on this replica. */
export class Flights {
  readonly #flights = new Roll<Flight>()
  #entered = 0
  #timer: NodeJS.Timeout | undefined
  #ringsAt = Infinity

  get size(): number {
    return this.#flights.size
  }

  enter(flight: Flight): void {
    flight.since = this.#entered += 1
    this.#flights.add(flight)
    this.#mind(flight.dueAt)
  }

  leave(flight: Flight): void {
    this.#flights.delete(flight)
  }

  /** The newest of a session whose client can be asked there. */
  newestAskable(sessionId: string): Flight | undefined {
    const askable = this.#flights.all().filter(({ session, line }) => session.id === sessionId && line !== null)
    return askable.toSorted((a, b) => b.since - a.since)[0]
  }

  /** Ends one that its client took back; null when it is not here. */
  cancel(sessionId: string, requestId: string | number): About | null {
    const found = this.#flights.find(({ session, id }) => session.id === sessionId && id === requestId)
    if (found === undefined) return null
    found.cancelled = true
    found.gone.tell()
    return found
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** One timer for all, set for the first that is due: most have left long before and never touch it. */
  #mind(dueAt: number): void {
    if (dueAt >= this.#ringsAt) return
    this.#ringsAt = dueAt
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#ring(), dueAt - Date.now()).unref()
  }

  #ring(): void {
    const now = Date.now()
    this.#ringsAt = Infinity
    for (const flight of this.#flights.all()) {
      if (flight.dueAt > now) this.#mind(flight.dueAt)
      else {
        flight.dueAt = Infinity
        flight.line?.()
      }
    }
  }
}
