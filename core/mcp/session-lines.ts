import type { JsonObject } from '@gatehouse/sdk'
import type { Ask, QuestionAnswer } from './questions.js'

/** What a question is about. */
export interface About {
  /** Of its call; undefined: it is of none. */
  readonly correlationId: string | undefined
}

/** The way to the clients of legacy sessions that are connected to this replica, outside of any one call. */
export interface SessionLines {
  /** Sends a note on the session's standing stream; dropped when it has none. */
  note(sessionId: string, note: JsonObject): void
  /** Told when a session gets its standing stream, and when it has none any more, unless the session itself has ended. */
  onStanding(listener: (sessionId: string, stands: boolean) => void): void
  /** Asks on the standing stream, else on the newest open stream of a call of that session. */
  ask(sessionId: string, ...asked: Parameters<Ask>): ReturnType<Ask>
  /** The client's answer to a question of ours; null when nobody waits for it. */
  answered(sessionId: string, id: string | number, answer: QuestionAnswer): About | null
  /** What the client tells of a question before it answers; null when nobody wants to hear of it. */
  progressed(sessionId: string, params: JsonObject): About | null
}
