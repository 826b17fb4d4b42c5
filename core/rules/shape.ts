import { isDeepStrictEqual } from 'node:util'
import type { FeatureKind, Json, JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { isMarked, withoutMark } from '../mcp/json.js'
import { META } from '../mcp/versions.js'

/** What happens to the texts of a message. `value` answers the text that shall stand in its place. */
export interface Visitor {
  value(text: string): string
  key(text: string): void
}

export type Leg = 'request' | 'response'

/** Deeper than any honest message; keeps a hostile one from exhausting the stack. */
const MAX_DEPTH = 512
/** Keys of content whose values are not text but encodings, addresses and marks of the protocol. */
const NO_TEXT: ReadonlyMap<string, RegExp> = new Map([
  ['uri', /^/],
  ['type', /^[a-z_/-]{1,64}$/i],
  ['mimeType', /^[\w.+-]{1,80}\/[\w.+-]{1,80}(?:; ?[\w-]{1,40}="?[\w.+-]{1,80}"?)?$/],
])
const PAYLOADS = new Set(['data', 'blob'])
/** In no alphabet of base64. */
const NO_BASE64 = /[^A-Za-z0-9+/=_\r\n-]/

/**
 * Shows every text of a message's params (request) or result (response) to the visitor, always in the same order, and
 * answers the message with what the visitor put in their place. What did not change keeps its identity.
 */
export function visit(message: JsonObject, leg: Leg, kind: FeatureKind, visitor: Visitor): JsonObject {
  return leg === 'request' ? visitParams(message, kind, visitor) : visitResult(message, kind, visitor)
}

/** What names the feature, and the server's own mark that comes back to it. Under another kind they are texts like any. */
export function isNameOfParams(key: string, value: Json | undefined, kind: FeatureKind): boolean {
  if (key === 'ref') return kind !== 'tool' && isObject(value)
  return (key === 'requestState' || key === nameOf(kind)) && typeof value === 'string'
}
const nameOf = (kind: FeatureKind) => (kind === 'resource' ? 'uri' : 'name')

/** All that a client sends reaches the server: what the protocol does not know of is no side door. */
function visitParams(params: JsonObject, kind: FeatureKind, visitor: Visitor): JsonObject {
  if (kind === 'resource' && typeof params['uri'] === 'string') visitor.key(params['uri'])
  // Only one of them names a feature, and nobody has permitted the other.
  const isTwice = isObject(params['ref']) && params[nameOf(kind)] !== undefined
  return mapObject(params, (key, value) => {
    if (key === '_meta') return meta(value, visitor)
    if (!isNameOfParams(key, value, kind)) return every(value, visitor)
    if (isObject(value)) return reference(value, visitor, isTwice)
    if (isTwice && key === nameOf(kind)) visitor.key(value as string)
    return value
  })
}

const NAMES_OF_REFERENCE = new Set(['type', 'name', 'uri'])

function reference(ref: JsonObject, visitor: Visitor, isShown: boolean): JsonObject {
  return mapObject(ref, (key, value) => {
    if (!NAMES_OF_REFERENCE.has(key) || typeof value !== 'string') return every(value, visitor)
    if (isShown) visitor.key(value)
    return value
  })
}

/** Marks of the protocol beside the content of a result. */
const MARKS_OF_RESULT = new Set(['isError', 'resultType', 'ttlMs', 'cacheScope'])
/** What is no sentence and holds nothing: anything else in the place of a mark is looked at. */
const isMark = (value: Json | undefined) =>
  typeof value === 'string' ? /^[a-z_]{1,32}$/.test(value) : typeof value !== 'object'

/** The state of a question is sealed before anybody looks: no rule shall meet its signs by chance. Elsewhere it is a text. */
export const isSealedState = (result: JsonObject, key: string): boolean =>
  key === 'requestState' && result['resultType'] === 'input_required' && typeof result[key] === 'string'

function visitResult(result: JsonObject, kind: FeatureKind, visitor: Visitor): JsonObject {
  const structured = kind === 'tool' ? every(result['structuredContent'], visitor) : undefined
  return mapObject(result, (key, value) => {
    if (key === '_meta') return meta(value, visitor)
    if (key === 'inputRequests') return every(value, visitor, true)
    if (kind === 'prompt' && key === 'messages') return list(value, visitor, (entry) => promptMessage(entry, visitor))
    if (kind === 'resource' && key === 'contents') return list(value, visitor, (entry) => resource(entry, visitor))
    if (kind === 'tool' && key === 'structuredContent') return structured
    if (kind === 'tool' && key === 'content') {
      const mirror = mirrorOf(result['structuredContent'], structured, visitor)
      return list(value, visitor, (entry) => mirror(entry) ?? block(entry, visitor))
    }
    const isLeft = (MARKS_OF_RESULT.has(key) && isMark(value)) || isSealedState(result, key)
    return isLeft ? value : every(value, visitor, true)
  })
}

function promptMessage(message: JsonObject, visitor: Visitor): JsonObject {
  return mapObject(message, (key, value) => {
    if (key === 'role') return value
    if (key !== 'content') return every(value, visitor, true)
    return Array.isArray(value) ? list(value, visitor, (entry) => block(entry, visitor)) : entryOf(value, visitor)
  })
}

const entryOf = (value: Json | undefined, visitor: Visitor) =>
  isObject(value) ? block(value, visitor) : every(value, visitor)

/** One block of content. A kind that we do not know is taken to be text all through, save what is plainly not. */
function block(entry: JsonObject, visitor: Visitor): JsonObject {
  return mapObject(entry, (key, value) => {
    if (key === '_meta') return meta(value, visitor)
    if (key === 'annotations') return annotations(value, visitor)
    if (isNoText(key, value) && !isTextOf(entry, key)) return value
    if (key === 'resource' && isObject(value)) return resource(value, visitor)
    return every(value, visitor, true)
  })
}

function resource(entry: JsonObject, visitor: Visitor): JsonObject {
  return mapObject(entry, (key, value) => {
    if (key === '_meta') return meta(value, visitor)
    if (key === 'annotations') return annotations(value, visitor)
    return isNoText(key, value) ? value : every(value, visitor, true)
  })
}

/** Whom it is for, how much it matters, and since when it stands; nothing else. */
function annotations(value: Json | undefined, visitor: Visitor): Json | undefined {
  if (!isObject(value)) return every(value, visitor)
  return mapObject(value, (key, inner) => (isAnnotation(key, inner) ? inner : every(inner, visitor)))
}
function isAnnotation(key: string, value: Json | undefined): boolean {
  if (key === 'audience') return Array.isArray(value) && value.every((one) => one === 'user' || one === 'assistant')
  if (key === 'priority') return typeof value === 'number'
  return key === 'lastModified' && typeof value === 'string' && /^[\d:.TZ+-]{4,40}$/.test(value)
}

/** What a server says aside is read by clients too; only the protocol's own marks are left alone. */
function meta(value: Json | undefined, visitor: Visitor): Json | undefined {
  if (!isObject(value)) return every(value, visitor)
  return mapObject(value, (key, inner) => (isOwnMark(key, inner) ? inner : every(inner, visitor)))
}
const OWN_MARKS: ReadonlySet<string> = new Set([
  ...Object.values(META),
  'io.modelcontextprotocol/related-task',
  'progressToken',
])
/** W3C Trace Context, section 3.2.2. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
const isOwnMark = (key: string, value: Json | undefined) =>
  OWN_MARKS.has(key) || (key === 'traceparent' && typeof value === 'string' && TRACEPARENT.test(value))

/**
 * Servers repeat `structuredContent` as JSON in a text block. When the rules changed the original, the copy is made anew
 * from what they left of it: nothing slips through the other copy, and it stays valid JSON. A copy in the server's own
 * spelling is looked at as a text besides, since two spellings can differ in more than spaces (a key given twice).
 */
function mirrorOf(before: Json | undefined, after: Json | undefined, visitor: Visitor) {
  if (typeof before !== 'object' || before === null) return () => null
  let compact: string | undefined
  return (entry: JsonObject): JsonObject | null => {
    const text = entry['text']
    if (entry['type'] !== 'text' || typeof text !== 'string') return null
    compact ??= JSON.stringify(before)
    const exact = text === compact || (text.includes('\n') && text === JSON.stringify(before, null, 2))
    if (!exact && !isDeepStrictEqual(looksLikeJson(text) ? parseJson(text) : undefined, before)) return null
    const own = exact ? text : visitor.value(text)
    const copy = after === before ? own : JSON.stringify(after, null, text.includes('\n') ? 2 : 0)
    return copy === text ? rest(entry, visitor) : { ...rest(entry, visitor), text: copy }
  }
}

const rest = (entry: JsonObject, visitor: Visitor) =>
  mapObject(entry, (key, value) => (key === '_meta' ? meta(value, visitor) : value))

/** True when a text could be a JSON object or array, told by its first and last sign. */
export function looksLikeJson(text: string): boolean {
  const trimmed = text.trim()
  const first = trimmed.charAt(0)
  const last = trimmed.charAt(trimmed.length - 1)
  return (first === '{' && last === '}') || (first === '[' && last === ']')
}

/** Undefined when the text is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function every(value: Json, visitor: Visitor, content?: boolean, depth?: number): Json
function every(value: Json | undefined, visitor: Visitor, content?: boolean, depth?: number): Json | undefined
function every(value: Json | undefined, visitor: Visitor, content?: boolean, depth = 0): Json | undefined {
  if (typeof value === 'string') return isMarked(value) ? visitMarked(value, visitor) : visitor.value(value)
  if (typeof value === 'number') return visitNumber(value, visitor)
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw new GatehouseError('GH_INSPECT_DEPTH')
  if (Array.isArray(value)) return mapArray(value, (item) => every(item, visitor, content, depth + 1))
  return mapObject(value as JsonObject, (key, inner) => {
    if (content && isNoText(key, inner)) return inner
    visitor.key(key)
    return every(inner, visitor, content, depth + 1)
  })
}

/**
 * Card, account and phone numbers travel as JSON numbers too: integers of five digits and more count as text. One that is
 * changed becomes a string, unless what it became is a number again.
 */
function visitNumber(value: number, visitor: Visitor): Json {
  if (!Number.isInteger(value) || Math.abs(value) < 10_000) return value
  const before = String(value)
  const after = visitor.value(before)
  if (after === before) return value
  return String(Number(after)) === after && Number.isFinite(Number(after)) ? Number(after) : after
}

/** A number that no double holds: its digits are the text. */
function visitMarked(value: string, visitor: Visitor): string {
  const before = withoutMark(value)
  const after = visitor.value(before)
  return after === before ? value : after
}

/** A list of entries; what is no list, or no entry in it, is text all through. */
function list(value: Json | undefined, visitor: Visitor, each: (entry: JsonObject) => JsonObject): Json | undefined {
  if (!Array.isArray(value)) return every(value, visitor, true)
  return mapArray(value, (item) => (isObject(item) ? each(item) : every(item, visitor, true)))
}

function mapArray(items: readonly Json[], each: (item: Json) => Json): readonly Json[] {
  let copy: Json[] | null = null
  for (let index = 0; index < items.length; index += 1) {
    const before = items[index] as Json
    const after = each(before)
    if (after === before) continue
    copy ??= items.slice()
    copy[index] = after
  }
  return copy ?? items
}

function mapObject(object: JsonObject, each: (key: string, value: Json | undefined) => Json | undefined): JsonObject {
  let copy: Record<string, Json | undefined> | null = null
  for (const key of Object.keys(object)) {
    const before = object[key]
    const after = each(key, before)
    if (after === before) continue
    // A spread makes every key the copy's own, `__proto__` too: assigning cannot reach a prototype.
    copy ??= { ...object }
    copy[key] = after
  }
  return copy ?? object
}

/** A text block has no payload: what it carries under that name is not base64. */
const isTextOf = (entry: JsonObject, key: string) => entry['type'] === 'text' && (key === 'data' || key === 'blob')

const isNoText = (key: string, value: Json | undefined) =>
  (typeof value === 'string' && NO_TEXT.get(key)?.test(value) === true) || isPayload(key, value)

/** Base64 where it belongs. What is none is a text, whatever it stands under. */
export const isPayload = (key: string, value: unknown): boolean =>
  PAYLOADS.has(key) && typeof value === 'string' && !NO_BASE64.test(value)

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
