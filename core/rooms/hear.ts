import type { JsonObject } from '@gatehouse/sdk'
import type { InSession } from '../call.js'
import { GatehouseError } from '../errors.js'
import { isObject } from '../mcp/message.js'
import type { QuestionAnswer } from '../mcp/questions.js'
import type { About, SessionLines } from '../mcp/session-lines.js'
import type { Upstreams } from '../upstream/types.js'

export interface HearOptions {
  readonly lines: Pick<SessionLines, 'answered' | 'progressed'>
  /** Ends a call of this session; null when it is not under way here. */
  readonly cancel: (sessionId: string, requestId: string | number) => About | null
  readonly upstreams: Pick<Upstreams, 'toldBySession'>
}

export type Hear = (call: InSession) => void

/**
 * What a client tells without asking: its answers to questions and how far it is with them, that it takes a call back, that
 * its roots changed. All else
 * is taken and dropped; so is what a modern client tells, since that era ends a call by closing its stream.
 */
export function createHear({ lines, cancel, upstreams }: HearOptions): Hear {
  return (call) => {
    if (call.session === null) return
    const { id: sessionId } = call.session
    if (call.answer !== null) {
      const answer = answerOf(call.answer.body)
      // Nobody may be waiting any more: it was withdrawn, or given up.
      stand(call, lines.answered(sessionId, call.answer.id, answer ?? MALFORMED))
      if (answer === null) throw new GatehouseError('GH_DOOR_NOT_RPC', { message: MALFORMED.error.message })
      return
    }
    switch (call.method) {
      case 'notifications/cancelled': {
        const { requestId } = call.params
        if (typeof requestId === 'string' || typeof requestId === 'number') stand(call, cancel(sessionId, requestId))
        return
      }
      case 'notifications/progress':
        stand(call, lines.progressed(sessionId, call.params))
        return
      case 'notifications/roots/list_changed':
        upstreams.toldBySession(sessionId, { jsonrpc: '2.0', method: call.method })
        return
    }
  }
}

/** What is said about a call stands on record under its correlation id. */
function stand({ trail }: InSession, about: About | null): void {
  if (about?.correlationId !== undefined) trail.belongsTo(about.correlationId)
}

const MALFORMED = {
  error: { code: -32603, message: 'The answer of the client is neither an object nor a JSON-RPC error' },
} satisfies QuestionAnswer

/** An answer as JSON-RPC has it, with nothing beside it; null when it is none. */
function answerOf({ result, error }: JsonObject): QuestionAnswer | null {
  if (isObject(result)) return { result }
  if (!isObject(error)) return null
  const { code, message, data } = error
  if (typeof code !== 'number' || !Number.isInteger(code) || typeof message !== 'string') return null
  return { error: { code, message, ...(data === undefined ? {} : { data }) } }
}
