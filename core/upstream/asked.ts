import type { JsonObject } from '@gatehouse/sdk'
import { Cancel } from '../domain/cancel-signal.js'
import { asGatehouseError } from '../errors.js'
import { isQuestion } from '../mcp/questions.js'
import type { OnProgress, QuestionAnswer, QuestionMethod } from '../mcp/questions.js'
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
  /** Nobody waits for an answer any more: the server is gone. */
  end(): void
}

const MOST_WAITING = 32

/** `tell` sends a note to the server; what comes of it is nobody's concern. */
export function createAsked(
  calls: Calls,
  events: Pick<PeerEvents, 'asked'>,
  tell: (note: JsonObject) => Promise<void> | void,
): Asked {
  const waiting = new Map<RpcRequest['id'], Cancel>()

  async function ask(request: RpcRequest, call: Call | null, cancel: Cancel): Promise<QuestionAnswer> {
    const { method, params } = request
    if (!isQuestion(method)) return refusal(-32601, `This gateway relays no '${method.slice(0, 100)}'`)
    const question = isObject(params) ? { method, params: withoutToken(params) } : { method }
    const onProgress = progressOf(request)
    const whose = call ?? onlyOne(method)
    if (whose !== null) return whose.ask(question, cancel, onProgress)
    if (events.asked === null) return refusal(-32601, 'The client cannot be asked outside of a call')
    const release = calls.hold()
    try {
      return await events.asked(question, cancel, onProgress)
    } finally {
      release()
    }
  }

  /** How the server hears of its question, while that waits and if it gave a token. */
  function progressOf({ id, params }: RpcRequest): OnProgress | undefined {
    const progressToken = isObject(params) && isObject(params['_meta']) ? params['_meta']['progressToken'] : undefined
    if (typeof progressToken !== 'string' && typeof progressToken !== 'number') return undefined
    return (told) => {
      if (!waiting.has(id)) return
      return tell({ jsonrpc: '2.0', method: 'notifications/progress', params: { ...told, progressToken } })
    }
  }

  /**
   * The call that a question without a call belongs to: the only one under way. With more of them it can be anyone's, and must
   * not end with the wrong one; folders are asked for when a session begins, whatever else goes on. Both are asked of
   * the session where there is one.
   */
  function onlyOne(method: QuestionMethod): Call | null {
    const able = calls.conversing()
    if (events.asked === null) return able.at(-1) ?? null
    return able.length === 1 && method !== 'roots/list' ? (able[0] ?? null) : null
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
    end() {
      for (const cancel of [...waiting.values()]) cancel.tell()
    },
  }
}

/** Tokens of one side mean nothing on the other. */
function withoutToken(params: JsonObject): JsonObject {
  const { _meta } = params
  if (!isObject(_meta) || _meta['progressToken'] === undefined) return params
  const { progressToken: _, ...rest } = _meta
  return { ...params, _meta: rest }
}

const refusal = (code: number, message: string): QuestionAnswer => ({ error: { code, message } })

const MOST_ANSWERS = 64

/**
 * Sends our answers over a transport where each is a request of its own. A server that asks faster than it takes answers gets
 * none to the rest: it must not open connections of ours without end.
 */
export function createAnswers(post: (message: object) => Promise<unknown>, onLost: (why: string) => void) {
  let onTheWay = 0
  return async (message: object): Promise<void> => {
    if (onTheWay >= MOST_ANSWERS) return onLost('too many are on their way')
    onTheWay += 1
    try {
      await post(message)
    } catch (error) {
      onLost(String(error))
    } finally {
      onTheWay -= 1
    }
  }
}
