import type { Era, JsonObject } from '@gatehouse/sdk'
import { clip } from '../domain/clip.js'
import { withoutMark, writeJson } from './json.js'
import { isObject } from './message.js'
import { META, RESERVED_META_PREFIX } from './versions.js'

/** Fields that only the modern era has at the top of a result. */
const MODERN_ONLY = ['resultType', 'ttlMs', 'cacheScope'] as const

/**
 * A result of the upstream's era in the caller's. Everything but the fields that the other era does not know is carried
 * as it came; the same object comes back when nothing has to change. What a legacy server writes into fields that only
 * the modern era has means nothing: it can neither ask the client something nor have a result cached.
 */
export function translateResult(result: JsonObject, from: Era, to: Era, method: string): JsonObject {
  if (to === 'legacy') return from === 'legacy' ? result : toLegacy(result, method)
  if (from === 'modern' && 'resultType' in result) return result
  const own = from === 'modern' ? result : without(result, MODERN_ONLY)
  const cache = method === 'resources/read' ? { ttlMs: 0, cacheScope: 'private' } : {}
  return { ...cache, ...own, resultType: 'complete' }
}

function toLegacy(result: JsonObject, method: string): JsonObject {
  const kept = without(result, MODERN_ONLY)
  return method === 'tools/call' ? withObjectStructure(kept) : kept
}

/** Before 2026-07-28 `structuredContent` is an object; any other JSON is moved into a text item. */
function withObjectStructure(result: JsonObject): JsonObject {
  const value = result.structuredContent
  if (value === undefined || isObject(value)) return result
  const text = writeJson(value)
  const content = Array.isArray(result.content) ? result.content : []
  const isThere = content.some((item) => isObject(item) && item.type === 'text' && item.text === text)
  return {
    ...without(result, ['structuredContent']),
    content: isThere ? content : [...content, { type: 'text', text }],
  }
}

/**
 * Params as an upstream shall get them: the client's envelope and progress token are taken out (each face has its own),
 * every other `_meta` key is kept.
 */
export function withoutEnvelope(params: JsonObject): JsonObject {
  const meta = params._meta
  if (!isObject(meta)) return params
  const kept = Object.entries(meta).filter(([key]) => key !== 'progressToken' && !key.startsWith(RESERVED_META_PREFIX))
  const { _meta: _, ...rest } = params
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) }
}

export function progressTokenOf(params: JsonObject): string | number | undefined {
  const token = isObject(params._meta) ? params._meta.progressToken : undefined
  return typeof token === 'string' || typeof token === 'number' ? token : undefined
}

/** The least level of log notes that a client wants to hear: of the modern era by request, and none unless it says so. */
export function logLevelOf(call: {
  readonly era: Era
  readonly params: JsonObject
  readonly session: { readonly logLevel: string | null } | null
}): string | null | undefined {
  if (call.era === 'legacy') return call.session?.logLevel ?? undefined
  const level = isObject(call.params._meta) ? call.params._meta[META.logLevel] : undefined
  return typeof level === 'string' ? level : null
}

/** What a client declared that it can do. */
export function capabilitiesOf(call: {
  readonly era: Era
  readonly params: JsonObject
  readonly session: { readonly capabilities: JsonObject } | null
}): JsonObject {
  if (call.era === 'legacy') return call.session?.capabilities ?? {}
  const declared = isObject(call.params._meta) ? call.params._meta[META.capabilities] : undefined
  return isObject(declared) ? declared : {}
}

export function clientInfoOf(params: JsonObject, era: Era): { name: string | null; version: string | null } {
  const info =
    era === 'modern' ? (isObject(params._meta) ? params._meta[META.clientInfo] : undefined) : params.clientInfo
  const text = (value: unknown) => (typeof value === 'string' ? clip(withoutMark(value), 200) : null)
  return isObject(info) ? { name: text(info.name), version: text(info.version) } : { name: null, version: null }
}

/** The object itself when it has none of the keys. */
function without(object: JsonObject, keys: readonly string[]): JsonObject {
  if (!keys.some((key) => Object.hasOwn(object, key))) return object
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}
