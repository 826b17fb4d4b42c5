import { ERRORS } from '../../errors.js'
import { strangersIn } from './canaries.js'
import type { Sent } from './client-requests.js'
import { showsMark } from './odd-json.js'
import { brokenLines, eventsOf } from './events.js'
import type { Heard } from './wire.js'

const STATUSES = new Set([200, 202, 204, 400, 401, 403, 404, 405, 406, 408, 413, 415, 417, 429, 431])
/** Of the catalogue, and those that depend on the era. */
export const CODES: ReadonlySet<unknown> = new Set([...Object.values(ERRORS).map(({ rpc }) => rpc), -32002, -32042])

export interface LawOptions {
  /** Whether an error may have a code that its server made up. */
  readonly anyCode?: boolean
}

/** Every law that an answer breaks, as a sentence each. */
export function breachesOf(sent: Sent, heard: Heard, options: LawOptions = {}): readonly string[] {
  const { status, headers, body, end } = heard
  if (end === 'cut') return sent.mayBeCut ? [] : [`the connection was cut after ${status}, ${body.length} bytes`]
  if (status === 0) return sent.mayBeCut ? [] : ['it was never answered']
  const text = body.toString('utf8')
  const type = headers.get('content-type') ?? ''
  return [
    ...(STATUSES.has(status) ? [] : [`status ${status}`]),
    ...secretsIn(sent, `${[...headers].join('\n')}\n${text}`),
    ...(type.startsWith('text/event-stream')
      ? ofStream(sent, body, options)
      : text === ''
        ? []
        : ofJson(sent, { text, status, type }, options)),
  ]
}

function secretsIn({ person }: Sent, text: string): readonly string[] {
  const strangers = strangersIn(text, person)
  return [
    ...(strangers.length === 0 ? [] : [`${person} was shown words of ${strangers.join()}`]),
    ...(showsMark(text) ? ['the mark of a number is shown'] : []),
    ...(/\bat .+\.[jt]s:\d+/.test(text) ? ['a stack is shown'] : []),
    ...(/API_[\w-]{40}/.test(text) ? ['a token is shown'] : []),
  ]
}

function ofJson(
  sent: Sent,
  got: { text: string; status: number; type: string },
  options: LawOptions,
): readonly string[] {
  if (!got.type.startsWith('application/json')) return [`a body of type '${got.type}'`]
  const value = parsed(got.text)
  if (!Array.isArray(value)) return ofResponse(sent, value, got.status, options)
  const ids = idsIn(sent)
  if (!Array.isArray(parsed(sent.body.toString('utf8')))) return ['many answers to one message']
  if (value.length > ids.length && got.status === 200) {
    const named = value.filter((one) => isObject(one) && one['id'] !== null)
    if (named.length > ids.length) return [`${named.length} answers to ${ids.length} requests`]
  }
  return value.flatMap((one) => ofResponse(sent, one, 400, options))
}

/** Notes and questions first, at most one response, nothing behind it. */
function ofStream(sent: Sent, body: Buffer, options: LawOptions): readonly string[] {
  const messages = eventsOf(body).map(parsed)
  const broken = brokenLines(body)
  const at = messages.findIndex((message) => isObject(message) && !('method' in message))
  const isGet = sent.verb === 'GET'
  return [
    ...(broken.length === 0
      ? []
      : [`a line that is none of an event stream: ${JSON.stringify(broken[0]?.slice(0, 200))}`]),
    ...(at >= 0 && at < messages.length - 1 && !isGet ? ['something came behind the response'] : []),
    ...messages.flatMap((message) =>
      isObject(message) && 'method' in message ? ofAside(message) : isGet ? [] : ofLast(sent, message, options),
    ),
  ]
}

/** Several that came together are answered together, in a stream too. */
function ofLast(sent: Sent, message: unknown, options: LawOptions): readonly string[] {
  if (!Array.isArray(message)) return ofResponse(sent, message, 200, options)
  const isBatch = Array.isArray(parsed(sent.body.toString('utf8')))
  return isBatch ? message.flatMap((one) => ofResponse(sent, one, 400, options)) : ['many answers to one message']
}

const OUR_ID = /^[a-z0-9]{4}\.\d+$/

/** A note, or a question of ours. */
function ofAside(message: Record<string, unknown>): readonly string[] {
  const { jsonrpc, id, method, params, ...rest } = message
  return [
    ...(jsonrpc === '2.0' ? [] : ['an event that is no JSON-RPC 2.0']),
    ...(typeof method === 'string' && method !== '' ? [] : ['an event without a method']),
    ...(params === undefined || isObject(params) ? [] : ['params that are no object']),
    ...(id === undefined || OUR_ID.test(String(id)) ? [] : [`a question with the id ${JSON.stringify(id)}`]),
    ...Object.keys(rest).map((key) => `an event with '${key.slice(0, 50)}' beside its method`),
  ]
}

function ofResponse(sent: Sent, value: unknown, status: number, options: LawOptions): readonly string[] {
  if (!isObject(value)) return ['an answer that is no JSON object']
  const { jsonrpc, id, result, error } = value
  const ids = idsIn(sent)
  const isOwn =
    ids.includes(id as string) || (id === null && error !== undefined && (status >= 400 || ids.length === 0))
  return [
    ...(jsonrpc === '2.0' ? [] : ['an answer that is no JSON-RPC 2.0']),
    ...(isOwn ? [] : [`an answer with the id ${JSON.stringify(id)}; asked was ${JSON.stringify(ids)}`]),
    ...((result === undefined) === (error === undefined) ? ['not one of result and error'] : []),
    ...(error === undefined ? [] : ofError(error, options)),
    ...(result === undefined || isObject(result) ? [] : ['a result that is no object']),
  ]
}

function ofError(error: unknown, { anyCode = false }: LawOptions): readonly string[] {
  if (!isObject(error)) return ['an error that is no object']
  const { code, message } = error
  return [
    ...(Number.isSafeInteger(code) ? [] : [`the code ${JSON.stringify(code)}`]),
    ...(anyCode || CODES.has(code) ? [] : [`the code ${String(code)}, which is not of the catalogue`]),
    ...(typeof message === 'string' ? [] : ['an error without a message']),
    ...(/undefined|\[object/.test(String(message)) ? [`the message ${String(message)}`] : []),
  ]
}

/** The ids that requests may have: texts and whole numbers that a double holds. */
export function idsIn({ body }: Pick<Sent, 'body'>): readonly (string | number)[] {
  const value = parsed(body.toString('utf8'))
  const messages: readonly unknown[] = Array.isArray(value) ? value : [value]
  return messages.flatMap((message) => {
    const id = isObject(message) ? message['id'] : undefined
    return typeof id === 'string' || Number.isSafeInteger(id) ? [id as string | number] : []
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
