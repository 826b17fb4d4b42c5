import { Cancel } from '../domain/cancel-signal.js'
import { asGatehouseError } from '../errors.js'
import { isQuestion } from '../mcp/questions.js'
import type { QuestionAnswer } from '../mcp/questions.js'
import type { Call, Calls } from './calls.js'
import { isObject } from './message.js'
import type { RpcNote, RpcRequest } from './message.js'
import type { PeerEvents } from './options.js'

/** The requests of one server of the legacy eras to us that wait for an answer. */
export interface Asked {
  /** `call` is the one on whose stream it came; null: it names none. Never rejects. */
  answer(request: RpcRequest, call: Call | null): Promise<QuestionAnswer>
  /** The server takes a question back; false for every other note. */
  takenBack(note: RpcNote): boolean
}

const MOST_WAITING = 32

export function createAsked(calls: Calls, events: Pick<PeerEvents, 'asked'>): Asked {
  const waiting = new Map<RpcRequest['id'], Cancel>()

  async function ask(request: RpcRequest, call: Call | null, cancel: Cancel): Promise<QuestionAnswer> {
    const { method, params } = request
    if (!isQuestion(method)) return refusal(-32601, `This gateway relays no '${method.slice(0, 100)}'`)
    const question = isObject(params) ? { method, params } : { method }
    const whose = call ?? calls.conversing()
    return whose === null ? events.asked(question, cancel) : whose.ask(question, cancel)
  }

  return {
    async answer(request, call) {
      if (request.method === 'ping') return { result: {} }
      if (waiting.size >= MOST_WAITING || waiting.has(request.id))
        return refusal(-32603, 'Too many questions wait for an answer')
      const cancel = new Cancel()
      waiting.set(request.id, cancel)
      try {
        return await ask(request, call, cancel)
      } catch (thrown) {
        const error = asGatehouseError(thrown)
        return refusal(error.entry.rpc, error.message)
      } finally {
        waiting.delete(request.id)
      }
    },
    takenBack({ method, params }) {
      if (method !== 'notifications/cancelled') return false
      const id = isObject(params) ? params['requestId'] : undefined
      if (typeof id === 'string' || typeof id === 'number') waiting.get(id)?.tell()
      return true
    },
  }
}

const refusal = (code: number, message: string): QuestionAnswer => ({ error: { code, message } })
