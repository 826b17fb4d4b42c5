import type { ServerResponse } from 'node:http'
import type { LegacySession } from '../call.js'
import { GatehouseError } from '../errors.js'
import { hasResumption } from '../mcp/versions.js'
import type { Ask, Question } from '../mcp/questions.js'
import type { About, SessionLines } from '../mcp/session-lines.js'
import { Asked, type HowAsked, type Line, unanswered } from './asked.js'
import { EventStream } from './event-stream.js'
import type { WriterTiming } from './event-writer.js'
import { type Flight, Flights } from './flights.js'
import { createKeptStreams, isOfStanding, KEPT_LIMITS, type KeptLimits, type StreamKind } from './kept-streams.js'

/** Everything that goes to the clients of legacy sessions but the answers of their calls. */
export interface Lines extends SessionLines {
  /**
   * Makes this answer the standing stream of its session, in the place of an older one; or takes a stream up again behind the
   * event that its client has seen last. Throws GH_DOOR_STREAM_GONE.
   */
  open(session: LegacySession, res: ServerResponse, lastEventId: string | undefined): void
  /** Makes a stream that is open already the standing one of a session. */
  adopt(session: LegacySession, stream: EventStream): void
  /** A stream for the answer of a call; one that its client can take up again where the session's version has that. */
  openCall(session: LegacySession | null, onLost: () => void): EventStream
  /** How long a call may be silent before its answer is made a stream that can be taken up again. */
  readonly patience: number
  close(sessionId: string): void
  enter(flight: Flight): void
  leave(flight: Flight): void
  /** Asks on the stream of this call. */
  askOn(flight: Flight, ...asked: Parameters<Ask>): ReturnType<Ask>
  /** Ends a call that its client took back; null when it is not under way here. */
  cancel(sessionId: string, requestId: string | number): About | null
  /** Whether a call of a session is under way: its client may have to answer something. */
  readonly busy: boolean
  /** Ends what is not the stream of a call that somebody reads. Questions of those calls go on waiting. */
  drain(): void
  stop(): void
}

export interface LinesOptions {
  /** The name of this one: whoever gets an answer, or an event's id, knows where the question or the event was made. */
  readonly replica: string
  readonly patience?: number
  readonly timing?: WriterTiming
  readonly kept?: KeptLimits
  /** Told at the end of a stream whose reader was too slow for some of its notes. */
  readonly onDropped?: (notes: number) => void
}

const PATIENCE_MS = 2_000

export function createSessionLines(options: LinesOptions): Lines {
  const { replica, patience = PATIENCE_MS, timing, onDropped } = options
  const kept = createKeptStreams(replica, options.kept ?? KEPT_LIMITS)
  const standing = new Map<string, EventStream>()
  const onStanding: ((sessionId: string, stands: boolean) => void)[] = []
  const asked = new Map<string, Asked>()
  const flights = new Flights()
  let questions = 0

  const openStream = (session: LegacySession | null, kind: StreamKind, onLost?: () => void): EventStream => {
    const how = {
      ...(timing === undefined ? {} : { timing }),
      ...(onDropped === undefined ? {} : { onDropped }),
      ...(onLost === undefined ? {} : { onLost }),
    }
    return session !== null && hasResumption(session.version) ? kept.open(session.id, kind, how) : new EventStream(how)
  }
  const endStanding = (sessionId: string) => {
    const ended = standing.get(sessionId)
    standing.delete(sessionId)
    ended?.drop()
  }
  const tellStanding = (sessionId: string, stands: boolean) =>
    onStanding.forEach((listener) => listener(sessionId, stands))
  const stand = (sessionId: string, stream: EventStream) => {
    endStanding(sessionId)
    standing.set(sessionId, stream)
    stream.onClosed(() => {
      if (standing.get(sessionId) !== stream) return
      standing.delete(sessionId)
      tellStanding(sessionId, false)
    })
  }
  const hasReader = (stream: EventStream | undefined) => stream !== undefined && stream.leftAt === null
  const close = (sessionId: string) => {
    endStanding(sessionId)
    kept.end(sessionId)
    asked.get(sessionId)?.giveUp('has ended its session')
  }
  const askAt = (sessionId: string, line: Line, question: Question, how: HowAsked) => {
    const ofSession = asked.get(sessionId) ?? new Asked()
    asked.set(sessionId, ofSession)
    const answer = ofSession.ask(`${replica}.${(questions += 1)}`, line, question, how)
    return answer.finally(() => ofSession.size === 0 && asked.delete(sessionId))
  }

  const lines: Lines = {
    open(session, res, lastEventId) {
      const { id } = session
      if (lastEventId !== undefined && hasResumption(session.version)) {
        const found = kept.find(id, lastEventId)
        if (found !== null) return found.stream.attach(res, { after: found.after })
        // A standing stream that is lost, with its replica even, begins anew: a client that is refused never opens another.
        if (!isOfStanding(lastEventId) || hasReader(standing.get(id))) throw new GatehouseError('GH_DOOR_STREAM_GONE')
      }
      const stream = openStream(session, 'standing')
      stand(id, stream)
      stream.attach(res)
      tellStanding(id, true)
    },
    adopt({ id }, stream) {
      stand(id, stream)
      tellStanding(id, true)
    },
    openCall: (session, onLost) => openStream(session, 'call', onLost),
    patience,
    close,
    note: (sessionId, note) => standing.get(sessionId)?.note(note),
    onStanding: (listener) => void onStanding.push(listener),
    ask(sessionId, question, how) {
      const stream = standing.get(sessionId)
      const newest = hasReader(stream) ? undefined : flights.newestAskable(sessionId)
      if (newest !== undefined) return lines.askOn(outlived(newest), question, how)
      // Without a reader it waits for one to come back.
      if (stream !== undefined) return askAt(sessionId, stream, question, { ...how, signals: signalsOf(how) })
      return cannotAsk()
    },
    askOn({ session, line, gone }, question, how) {
      if (line === null || gone.aborted) return cannotAsk()
      return askAt(session.id, line(), question, { ...how, signals: [...signalsOf(how), gone] })
    },
    answered: (sessionId, id, answer) => asked.get(sessionId)?.answered(id, answer) ?? null,
    progressed: (sessionId, params) => asked.get(sessionId)?.progressed(params) ?? null,
    enter: (flight) => flights.enter(flight),
    leave: (flight) => flights.leave(flight),
    cancel: (sessionId, requestId) => flights.cancel(sessionId, requestId),
    get busy() {
      return flights.size > 0
    },
    drain() {
      for (const sessionId of [...standing.keys()]) endStanding(sessionId)
      kept.stop()
    },
    stop() {
      flights.stop()
      lines.drain()
      for (const ofSession of [...asked.values()]) ofSession.giveUp('is asked by a gateway that stops')
    },
  }
  return lines
}

/** A call whose stream may end before the person has answered what was put there, for it is no question of that call. */
function outlived(flight: Flight): Flight {
  const { line } = flight
  if (line === null) return flight
  const must: Line['must'] = (message) => line().must(message)
  return { ...flight, line: () => ({ must, onClosed: () => () => undefined }) }
}

export const cannotAsk = (): Promise<never> => Promise.reject(unanswered('cannot be asked now'))
const signalsOf = ({ signal }: Parameters<Ask>[1]) => (signal === undefined ? [] : [signal])
