import type { JsonObject } from '@gatehouse/sdk'
import type { LegacySession } from '../call.js'
import { Roll, type Enrolled } from '../domain/roll.js'
import type { Ask, Question } from '../mcp/questions.js'
import type { SessionLines } from '../mcp/session-lines.js'
import { Asked, type HowAsked, type Line, unanswered } from './asked.js'
import type { EventStream } from './event-stream.js'
import type { CallGone } from './gone.js'

/** A request of a session under way. */
export interface Flight extends Enrolled {
  readonly session: LegacySession
  /** As the client wrote it: 1 and "1" are two. */
  readonly id: string | number
  /** Which of the session's calls is the newest; given when it enters. */
  since: number
  readonly gone: CallGone
  /** Opens the stream of its answer; null: the client takes none there. */
  readonly line: (() => EventStream) | null
  /** Its client took it back: it gets no response. */
  cancelled: boolean
}

/** Everything that goes to the clients of legacy sessions but the answers of their calls. */
export interface Lines extends SessionLines {
  /** The standing stream of a session; a newer one takes the place of the older. */
  open(sessionId: string, gatewayId: string, stream: EventStream): void
  close(sessionId: string): void
  enter(flight: Flight): void
  leave(flight: Flight): void
  /** Asks on the stream of this call. */
  askOn(flight: Flight, ...asked: Parameters<Ask>): ReturnType<Ask>
  /** Ends a call that its client took back; false when it is not under way here. */
  cancel(sessionId: string, requestId: string | number): boolean
  /** Tells every session of these gateways that a list changed. */
  listChanged(gatewayIds: ReadonlySet<string>, kind: 'tools' | 'prompts' | 'resources'): void
  stop(): void
}

interface Standing {
  readonly gatewayId: string
  readonly stream: EventStream
}

/** `replica` is the name of this one: whoever gets an answer knows from its id where the question was asked. */
export function createSessionLines({ replica }: { readonly replica: string }): Lines {
  const standing = new Map<string, Standing>()
  const asked = new Map<string, Asked>()
  const flights = new Roll<Flight>()
  let questions = 0
  let entered = 0

  const endStanding = (sessionId: string) => {
    const ended = standing.get(sessionId)
    standing.delete(sessionId)
    ended?.stream.end()
  }
  const close = (sessionId: string) => {
    endStanding(sessionId)
    asked.get(sessionId)?.giveUp('has ended its session')
  }
  const askAt = (sessionId: string, line: Line, question: Question, how: HowAsked) => {
    const ofSession = asked.get(sessionId) ?? new Asked()
    asked.set(sessionId, ofSession)
    const answer = ofSession.ask(`${replica}.${(questions += 1)}`, line, question, how)
    return answer.finally(() => ofSession.size === 0 && asked.delete(sessionId))
  }
  /** The newest call of a session that can be asked. */
  const newestLine = (sessionId: string) =>
    flights
      .all()
      .filter(({ session, line }) => session.id === sessionId && line !== null)
      .toSorted((a, b) => b.since - a.since)[0]

  const lines: Lines = {
    open(sessionId, gatewayId, stream) {
      endStanding(sessionId)
      const entry = { gatewayId, stream }
      standing.set(sessionId, entry)
      stream.onClosed(() => {
        if (standing.get(sessionId) === entry) standing.delete(sessionId)
      })
    },
    close,
    note: (sessionId, note) => standing.get(sessionId)?.stream.note(note),
    ask(sessionId, question, how) {
      const stream = standing.get(sessionId)?.stream
      if (stream !== undefined) return askAt(sessionId, stream, question, { ...how, signals: signalsOf(how) })
      const newest = newestLine(sessionId)
      return newest === undefined ? cannotAsk() : lines.askOn(newest, question, how)
    },
    askOn({ session, line, gone }, question, how) {
      if (line === null || gone.aborted) return cannotAsk()
      return askAt(session.id, line(), question, { ...how, signals: [...signalsOf(how), gone] })
    },
    answered: (sessionId, id, answer) => asked.get(sessionId)?.answered(id, answer) ?? false,
    enter(flight) {
      flight.since = entered += 1
      flights.add(flight)
    },
    leave: (flight) => flights.delete(flight),
    cancel(sessionId, requestId) {
      const found = flights.find(({ session, id }) => session.id === sessionId && id === requestId)
      if (found === undefined) return false
      found.cancelled = true
      found.gone.tell()
      return true
    },
    listChanged(gatewayIds, kind) {
      const note: JsonObject = { jsonrpc: '2.0', method: `notifications/${kind}/list_changed` }
      for (const { gatewayId, stream } of standing.values()) if (gatewayIds.has(gatewayId)) stream.note(note)
    },
    stop() {
      for (const sessionId of new Set([...standing.keys(), ...asked.keys()])) close(sessionId)
    },
  }
  return lines
}

export const cannotAsk = (): Promise<never> => Promise.reject(unanswered('cannot be asked now'))
const signalsOf = ({ signal }: Parameters<Ask>[1]) => (signal === undefined ? [] : [signal])
