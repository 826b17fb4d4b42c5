import type { JsonObject } from '@gatehouse/sdk'
import { isObject } from '../mcp/message.js'
import type { Question, QuestionAnswer } from '../mcp/questions.js'

/**
 * Plugins see what is asked in the middle of a call in one form, whatever the era of the client: as 2026-07-28 has it, a
 * result that asks and params that answer. A legacy client's question and answer are put into that form and out of it.
 */
const KEY = 'question'

export const resultOf = ({ method, params }: Question): JsonObject => ({
  resultType: 'input_required',
  inputRequests: { [KEY]: params === undefined ? { method } : { method, params } },
})

/** What is left of a question; null when it is none of its kind any more. */
export function questionIn({ inputRequests }: JsonObject, { method }: Question): Question | null {
  const left = isObject(inputRequests) ? inputRequests[KEY] : undefined
  if (!isObject(left) || left.method !== method) return null
  if (left.params === undefined) return { method }
  return isObject(left.params) ? { method, params: left.params } : null
}

/** The call's params as they came, with the answer. A refusal is shown by its words. */
export const paramsOf = (params: JsonObject, answer: QuestionAnswer): JsonObject => ({
  ...params,
  inputResponses: { [KEY]: 'result' in answer ? answer.result : { message: answer.error.message } },
})

export function answerIn({ inputResponses }: JsonObject, answer: QuestionAnswer): QuestionAnswer | null {
  const left = isObject(inputResponses) ? inputResponses[KEY] : undefined
  if (!isObject(left)) return null
  if ('result' in answer) return { result: left }
  return { error: { code: answer.error.code, message: String(left.message) } }
}
