import type { JsonObject } from '@gatehouse/sdk'
import { isDeeper } from '../mcp/json.js'
import type { RpcError } from './types.js'

/** A JSON-RPC message as a server may send it; `broken` says what is wrong with it. */
export type Message =
  | {
      readonly kind: 'reply'
      readonly id: RpcId | null
      readonly result: JsonObject | null
      readonly error: RpcError | null
    }
  | { readonly kind: 'request'; readonly id: RpcId; readonly raw: RpcRequest }
  | { readonly kind: 'note'; readonly raw: RpcNote }
  | { readonly kind: 'broken'; readonly why: string }

export type RpcId = string | number
export type RpcRequest = JsonObject & { readonly id: RpcId; readonly method: string }
export type RpcNote = JsonObject & { readonly method: string }

/** Reads the envelope only; results, params and unknown keys stay as they came. */
export function readMessage(value: unknown): Message {
  if (Array.isArray(value)) return broken('a JSON-RPC batch, which was not asked for')
  if (!isObject(value)) return broken('JSON that is no JSON-RPC message')
  if (value['jsonrpc'] !== '2.0') return broken('JSON that is no JSON-RPC 2.0 message')
  const { id, method } = value
  if (typeof method === 'string') {
    if (id === undefined) return { kind: 'note', raw: value as RpcNote }
    return isId(id) ? { kind: 'request', id, raw: value as RpcRequest } : broken('a request without a usable id')
  }
  return readReply(value)
}

function readReply(value: JsonObject): Message {
  const { id, result, error } = value
  if (result !== undefined && error !== undefined) return broken('both a result and an error')
  if (error !== undefined) {
    if (!isObject(error) || !Number.isSafeInteger(error['code']) || typeof error['message'] !== 'string')
      return broken('a malformed JSON-RPC error')
    return { kind: 'reply', id: isId(id) ? id : null, result: null, error: error as JsonObject & RpcError }
  }
  if (result === undefined) return broken('neither a result nor an error')
  if (!isObject(result)) return broken('a result that is no object')
  if (!isId(id)) return broken('a result without an id')
  return { kind: 'reply', id, result, error: null }
}

function broken(why: string): Message {
  return { kind: 'broken', why }
}

function isId(value: unknown): value is RpcId {
  return typeof value === 'string' || typeof value === 'number'
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Deeper than anything that describes itself. */
const DEEPEST = 200

/** What a server says of itself is kept, merged and shown to many: nested beyond reason it is taken for nothing. */
export const isShowable = (value: JsonObject): boolean => !isDeeper(value, DEEPEST)

export const showable = (value: unknown): JsonObject => (isObject(value) && isShowable(value) ? value : {})
