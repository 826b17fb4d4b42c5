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

/** What no model reads of a definition: links to pictures, and what clients and servers tell each other. Of a schema it reads all. */
const UNREAD = new Set(['icons', '_meta', 'size', 'execution'])
const REFERENCE = /^\S{0,200}$/
/** What says nothing as long as it is what its key wants. */
const WORDS_OF: ReadonlyMap<string, RegExp> = new Map([
  ['type', /^[a-z]{1,16}$/i],
  ['format', /^[a-z][a-z\d_-]{0,31}$/i],
  ['mimeType', /^[\w.+*-]{1,60}\/[\w.+*-]{1,100}(?:; ?[\w=."-]{1,40})?$/],
  ['$schema', REFERENCE],
  ['$id', REFERENCE],
  ['$ref', REFERENCE],
])
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
      if (!areKeysNames && place.depth === 0 && UNREAD.has(key)) continue
      if (!areKeysNames && (place.role !== 'value' || place.depth < 2) && isNoText(key, item)) continue
      const path = `${place.path}.${key}`
      if (areKeysNames || !isKnownKey(key)) add(key, { ...below, path, role: 'name' })
      walk(item, areKeysNames ? { ...below, path } : placeOf(key, { ...below, path }), NAMED_BY_KEY.has(key))
    }
  }
  walk(definition, { path: '$', role: 'prose', isInput: false, depth: 0 }, false)
  return { texts, isCut }
}

function isNoText(key: string, value: Json | undefined): boolean {
  const words = WORDS_OF.get(key)
  if (words === undefined) return false
  return [value].flat().every((item) => typeof item !== 'object' && words.test(String(item)))
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
