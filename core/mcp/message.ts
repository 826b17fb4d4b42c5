import type { Json, JsonObject } from '@gatehouse/sdk'
import { isMarked } from './json.js'

/** A JSON-RPC message by its shape alone. */
export type Message =
  | { readonly kind: 'request'; readonly id: string | number; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'response'; readonly id: string | number; readonly body: JsonObject }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const EMPTY: JsonObject = Object.freeze({})

/**
 * Reads one JSON-RPC 2.0 message; null when it is none. Ids are strings or whole numbers (MCP forbids null and fractions),
 * params are an object or absent.
 */
export function readMessage(value: Json): Message | null {
  if (!isObject(value) || value.jsonrpc !== '2.0') return null
  const { id, method, params } = value
  if (method === undefined) {
    const answers = Number('result' in value) + Number('error' in value)
    return isId(id) && answers === 1 ? { kind: 'response', id, body: value } : null
  }
  if (typeof method !== 'string' || method === '' || isMarked(method)) return null
  if (params !== undefined && !isObject(params)) return null
  if (!('id' in value)) return { kind: 'notification', method, params: params ?? EMPTY }
  return isId(id) ? { kind: 'request', id, method, params: params ?? EMPTY } : null
}

export interface Note {
  readonly method: string
  readonly params: JsonObject | undefined
}

/** A server's note; null when it is none of the protocol. Some write params that they do not have as null. */
export function readNote({ method, params }: JsonObject): Note | null {
  if (typeof method !== 'string' || method === '' || isMarked(method)) return null
  if (params === undefined || params === null) return { method, params: undefined }
  return isObject(params) ? { method, params } : null
}

const isId = (id: unknown): id is string | number => (typeof id === 'string' ? !isMarked(id) : Number.isSafeInteger(id))

/** The id of something that failed to be a message, so that the error can carry it. */
export function idOf(value: unknown): string | number | null {
  const id = isObject(value) ? value.id : undefined
  return isId(id) ? id : null
}
