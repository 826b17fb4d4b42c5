import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '@gatehouse/sdk'
import type { JsonRpcMessage, JsonRpcRequest, JsonRpcResponse } from '@gatehouse/sdk/webhook'
import type { Invalid } from './verdict.js'

/** What stands in place of the message from now on: its params, or its result. */
export interface Replacement {
  readonly message: JsonObject
}

/**
 * A body that an engine wants in place of the one it was sent. Whatever could not be done as it is wanted is invalid, never
 * left out in silence: the engine may have taken away just that.
 */
export function readBody(body: Json, sent: JsonRpcMessage, method: string): Replacement | Invalid {
  if (!isObject(body)) return { invalid: 'modifiedPayload.body is not an object' }
  if (body['jsonrpc'] !== '2.0') return invalid('jsonrpc', 'is not "2.0"')
  if (body['id'] !== sent.id) return invalid('id', 'is not the id of the message')
  return 'method' in sent ? readRequest(body, sent) : readResponse(body, sent, method)
}

/** Of a call only what is said to the feature can be changed: another one would not have been permitted. */
function readRequest(body: JsonObject, sent: JsonRpcRequest): Replacement | Invalid {
  if ('result' in body || 'error' in body) return invalid('', 'has a result or an error, but is a request')
  if (body['method'] !== sent.method) return invalid('method', 'is not the method of the message')
  const { params } = body
  if (!isObject(params)) return invalid('params', 'is not an object')
  for (const key of ['name', 'uri'])
    if (params[key] !== sent.params[key]) return invalid(`params.${key}`, 'is not that of the message')
  const given = params['arguments']
  if (given === undefined ? sent.params['arguments'] !== undefined : !isObject(given))
    return invalid('params.arguments', 'is not an object')
  const changed = Object.keys(params).find(
    (key) => key !== 'arguments' && !isDeepStrictEqual(params[key], sent.params[key]),
  )
  if (changed !== undefined) return invalid('params', 'changes something besides the arguments')
  return { message: { ...sent.params, ...(given === undefined ? {} : { arguments: given }) } }
}

function readResponse(body: JsonObject, sent: JsonRpcResponse, method: string): Replacement | Invalid {
  if ('method' in body) return invalid('method', 'is there, but the message is a response')
  if ('result' in body === 'error' in body) return invalid('', 'must have either a result or an error')
  if ('error' in body) return readError(body['error'], sent, method)
  const { resultType } = sent.result
  if (!isObject(body['result'])) return invalid('result', 'is not an object')
  // A mark of the protocol, which an engine that makes a result of its own need not know.
  const result = resultType === undefined ? body['result'] : { resultType, ...body['result'] }
  if (result['resultType'] !== resultType) return invalid('result.resultType', 'is not that of the message')
  const fault = faultIn(result, sent.result)
  return fault === undefined ? { message: result } : invalid(`result.${fault}`, 'is not what the protocol wants there')
}

/** A tool that fails says so in its result; what else is answered has no such form. */
function readError(error: Json | undefined, sent: JsonRpcResponse, method: string): Replacement | Invalid {
  if (!isObject(error) || typeof error['message'] !== 'string') return invalid('error', 'has no message')
  if (method !== 'tools/call' || !Array.isArray(sent.result['content']))
    return invalid('error', 'can take the place of a tool’s result only')
  const { resultType } = sent.result
  const content = [{ type: 'text', text: error['message'] }]
  return { message: { ...(resultType === undefined ? {} : { resultType }), content, isError: true } }
}

/** The first member of a result that breaks its shape (CallToolResult, GetPromptResult, ReadResourceResult). */
function faultIn(result: JsonObject, sent: JsonObject): string | undefined {
  const { content, structuredContent, isError, messages, contents } = result
  if (sent['content'] !== undefined || content !== undefined)
    if (!Array.isArray(content) || !content.every(isBlock)) return 'content'
  if (structuredContent !== undefined && isObject(sent['structuredContent']) && !isObject(structuredContent))
    return 'structuredContent'
  if (isError !== undefined && typeof isError !== 'boolean') return 'isError'
  if (sent['messages'] !== undefined && !(Array.isArray(messages) && messages.every(isPromptMessage))) return 'messages'
  if (sent['contents'] !== undefined && !(Array.isArray(contents) && contents.every(isResource))) return 'contents'
  return undefined
}

/** Kinds of content that we do not know are as good as they were. */
function isBlock(block: Json): boolean {
  if (!isObject(block)) return false
  const has = (...keys: readonly string[]) => keys.every((key) => typeof block[key] === 'string')
  switch (block['type']) {
    case 'text':
      return has('text')
    case 'image':
    case 'audio':
      return has('data', 'mimeType')
    case 'resource_link':
      return has('uri', 'name')
    case 'resource':
      return isResource(block['resource'] ?? null)
    default:
      return has('type')
  }
}

const isResource = (resource: Json): boolean =>
  isObject(resource) &&
  typeof resource['uri'] === 'string' &&
  (typeof resource['text'] === 'string' || typeof resource['blob'] === 'string')

const isPromptMessage = (message: Json): boolean =>
  isObject(message) &&
  (message['role'] === 'user' || message['role'] === 'assistant') &&
  isBlock(message['content'] ?? null)

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const invalid = (path: string, what: string): Invalid => ({
  invalid: `modifiedPayload.body${path === '' ? '' : `.${path}`} ${what}`,
})
