import type { Json, JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.js'
import { isObject } from './message.js'
import { withoutMark } from './json.js'

/** An argument that a tool wants mirrored into the header `Mcp-Param-<name>` (revision 2026-07-28). */
export interface ParamHeader {
  readonly name: string
  readonly path: readonly string[]
  readonly type: 'string' | 'integer' | 'boolean'
}

const ANNOTATION = 'x-mcp-header'
const HEADER = 'Mcp-Param-'
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const NONE: readonly ParamHeader[] = []
/** Values of these keywords are data or names, where the annotation's word means nothing. */
const DATA = new Set(['const', 'default', 'enum', 'examples', 'required'])
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])
const DEEPEST = 64

const known = new WeakMap<JsonObject, readonly ParamHeader[] | null>()

/**
 * The annotations of a tool, or null when one of them is invalid: then the tool must not be offered. Valid is a header
 * token, unique whatever its case, on a string, integer or boolean that is reached through `properties` alone.
 */
export function paramHeadersOf(tool: JsonObject): readonly ParamHeader[] | null {
  const cached = known.get(tool)
  if (cached !== undefined) return cached
  const found = findAnnotations(tool['inputSchema'])
  known.set(tool, found)
  return found
}

/** The headers for a call of this tool; an argument that is absent or null has none. Unsafe values go as base64. */
export function paramHeaders(tool: JsonObject, args: JsonObject | undefined): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const annotation of paramHeadersOf(tool) ?? NONE) {
    const value = asText(valueAt(args, annotation.path))
    if (value !== null) headers[HEADER + annotation.name] = encodeHeaderValue(value)
  }
  return headers
}

/**
 * Compares what a modern client sent with the arguments. `header` looks a header up by its lower-case name. A missing
 * (unless it `mayMiss`), different or malformed one throws GH_DOOR_HEADER_MISMATCH; headers that no annotation names are
 * nobody's business.
 */
export function checkParamHeaders(
  tool: JsonObject,
  args: JsonObject | undefined,
  { header, mayMiss = false }: { header: (name: string) => string | undefined; mayMiss?: boolean },
): void {
  for (const annotation of paramHeadersOf(tool) ?? NONE) {
    const name = HEADER + annotation.name
    const expected = asText(valueAt(args, annotation.path))
    const sent = header(name.toLowerCase())
    if (sent === undefined && (expected === null || mayMiss)) continue
    if (expected === null || sent === undefined || !agrees(annotation, decodeHeaderValue(sent), expected))
      throw new GatehouseError('GH_DOOR_HEADER_MISMATCH', { message: `${name} does not match the arguments` })
  }
}

function agrees(annotation: ParamHeader, sent: string | null, expected: string): boolean {
  if (sent === null) return false
  if (sent === expected) return true
  return annotation.type === 'integer' && /^-?\d+(\.0+)?$/.test(sent) && Number(sent) === Number(expected)
}

function asText(value: Json | undefined): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? withoutMark(value) : JSON.stringify(value)
}

function valueAt(args: JsonObject | undefined, path: readonly string[]): Json | undefined {
  let value: Json | undefined = args
  for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return value
}

function findAnnotations(schema: Json | undefined): readonly ParamHeader[] | null {
  const found: ParamHeader[] = []
  if (!walk(schema, [], found)) return null
  const names = new Set(found.map((annotation) => annotation.name.toLowerCase()))
  if (names.size !== found.length) return null
  return found.length === 0 ? NONE : found
}

/** `path` is null where arguments cannot be followed statically. False as soon as something is invalid. */
function walk(schema: Json | undefined, path: readonly string[] | null, found: ParamHeader[], depth = 0): boolean {
  if (Array.isArray(schema)) return (schema as readonly Json[]).every((item) => walk(item, null, found, depth + 1))
  if (!isObject(schema)) return true
  if (depth > DEEPEST) return false
  if (Object.hasOwn(schema, ANNOTATION) && !annotate(schema, path, found)) return false
  return Object.entries(schema).every(([keyword, value]) => {
    if (DATA.has(keyword) || keyword === ANNOTATION) return true
    if (!NAMED.has(keyword) || !isObject(value)) return walk(value, null, found, depth + 1)
    return Object.entries(value).every(([name, sub]) =>
      walk(sub, path !== null && keyword === 'properties' ? [...path, name] : null, found, depth + 1),
    )
  })
}

function annotate(schema: JsonObject, path: readonly string[] | null, found: ParamHeader[]): boolean {
  const name = schema[ANNOTATION]
  const type = schema['type']
  if (path === null || path.length === 0 || typeof name !== 'string' || !TOKEN.test(name)) return false
  if (type !== 'string' && type !== 'integer' && type !== 'boolean') return false
  found.push({ name, path, type })
  return true
}
