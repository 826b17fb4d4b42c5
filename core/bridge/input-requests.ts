import type { Json } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { isObject } from '../mcp/message.js'
import { isQuestion, type Question } from '../mcp/questions.js'
import { lacks, type Ability } from '../upstream/ability.js'
import type { UpstreamReply } from '../upstream/types.js'

/** The modern era asks in a result: what is asked, by keys of the server's own, and a state that comes back byte for byte. */
export interface InputRequired {
  readonly questions: ReadonlyMap<string, Question>
  readonly requestState: string | null
}

/** More than a person would answer at once. */
export const MOST_QUESTIONS = 8

/** What the reply asks for; null when it is an answer. */
export function readInputRequired(reply: UpstreamReply): InputRequired | null {
  const { result, era } = reply
  if (era !== 'modern' || result === null || result.resultType !== 'input_required') return null
  const { inputRequests, requestState } = result
  const entries = isObject(inputRequests) ? Object.entries(inputRequests) : []
  if (inputRequests !== undefined && !isObject(inputRequests)) throw malformed('inputRequests is no object')
  if (requestState !== undefined && typeof requestState !== 'string') throw malformed('requestState is no string')
  if (entries.length === 0 && requestState === undefined) throw malformed('it neither asks nor waits')
  const questions = new Map(entries.map(([key, entry]) => [key, readEntry(entry)]))
  return { questions, requestState: requestState ?? null }
}

function readEntry(entry: Json | undefined): Question {
  if (!isObject(entry) || typeof entry.method !== 'string' || !isQuestion(entry.method))
    throw malformed('an entry of inputRequests is no question that is known')
  const { method, params } = entry
  if (params !== undefined && !isObject(params)) throw malformed('the params of a question are no object')
  return params === undefined ? { method } : { method, params }
}

/** Refuses a question that goes beyond what the server was told of its client. */
export function mustBeAble(ability: Ability, questions: Iterable<Question>): void {
  for (const { method, params } of questions) {
    const missing = lacks(ability, method, params)
    if (missing === null) continue
    throw new GatehouseError('GH_FORWARD_CAPABILITY', {
      message: `The server asks for '${method}', which this client has not declared`,
      data: { requiredCapabilities: missing },
    })
  }
}

const malformed = (why: string) =>
  new GatehouseError('GH_UPSTREAM_PROTOCOL', {
    message: 'The server asks in a way that is not of the protocol',
    detail: why,
  })

/** Only 2025-11-25 names what is done at a URL. */
export function withoutId(question: Question): Question {
  if (question.params?.elicitationId === undefined) return question
  const { elicitationId: _, ...params } = question.params
  return { ...question, params }
}
