import type { Json, JsonObject } from '@gatehouse/sdk'
import type { Role, Text } from './types.js'

/** No honest definition comes near these: a longer one is suspicious for that, and not looked through. */
export const MOST_TEXTS = 5_000
export const MOST_SIGNS = 128 * 1024
const DEEPEST = 64

export interface Texts {
  readonly texts: readonly Text[]
  readonly isCut: boolean
}

/** What no model reads: links to pictures, and what clients and servers tell each other. */
const UNREAD = new Set(['icons', '_meta', 'mimeType', '$schema', '$id', '$ref', 'type', 'format', 'size', 'execution'])
/** Their keys are names that the model fills in. */
const NAMED_BY_KEY = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
const VALUES = new Set(['default', 'const', 'enum', 'examples', 'example'])
const NAMES = new Set(['name', 'uri', 'uriTemplate'])

interface Place {
  readonly path: string
  readonly role: Role
  readonly isInput: boolean
  readonly depth: number
}

/** Every text of a definition that a model gets to read, names of properties included, in order. */
export function textsOf(definition: JsonObject): Texts {
  const texts: Text[] = []
  let left = MOST_SIGNS
  let isCut = false
  const add = (text: string, { path, role, isInput }: Place): void => {
    if (text === '') return
    if (left <= 0 || texts.length >= MOST_TEXTS) return void (isCut = true)
    if (text.length > left) isCut = true
    texts.push({ path, role, isInput, text: text.length > left ? text.slice(0, left) : text })
    left -= text.length
  }
  const walk = (value: Json | undefined, place: Place, areKeysNames: boolean): void => {
    if (typeof value === 'string') return add(value, place)
    if (value === null || typeof value !== 'object') return
    if (isCut) return
    if (place.depth > DEEPEST) return void (isCut = true)
    const below = { ...place, depth: place.depth + 1 }
    if (Array.isArray(value)) {
      value.forEach((item, at) => walk(item, { ...below, path: `${place.path}[${at}]` }, false))
      return
    }
    for (const [key, item] of Object.entries(value)) {
      if (!areKeysNames && (place.role !== 'value' || place.depth < 2) && UNREAD.has(key)) continue
      const path = `${place.path}.${key}`
      if (areKeysNames || !isKnownKey(key)) add(key, { ...below, path, role: 'name' })
      walk(item, areKeysNames ? { ...below, path } : placeOf(key, { ...below, path }), NAMED_BY_KEY.has(key))
    }
  }
  walk(definition, { path: '$', role: 'prose', isInput: false, depth: 0 }, false)
  return { texts, isCut }
}

function placeOf(key: string, place: Place): Place {
  const isInput = place.isInput || key === 'inputSchema' || key === 'arguments'
  if (VALUES.has(key)) return { ...place, isInput, role: 'value' }
  if (NAMES.has(key) && !place.path.includes('Schema')) return { ...place, isInput, role: 'name' }
  return { ...place, isInput }
}

/** Keywords of schemas and of MCP; any other key is a word of the server's own. */
function isKnownKey(key: string): boolean {
  return /^(?:\$?[a-z]+(?:[A-Z][a-z]+){0,3})$/.test(key)
}
