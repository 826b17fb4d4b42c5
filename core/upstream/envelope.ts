import type { JsonObject } from '@gatehouse/sdk'
import type { Ability } from './ability.js'
import { isObject } from './message.js'

export const MODERN_VERSION = '2026-07-28'
export const LEGACY_VERSION = '2025-11-25'
export const LEGACY_VERSIONS: ReadonlySet<string> = new Set(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])

const PREFIX = 'io.modelcontextprotocol/'
export const SUBSCRIPTION_KEY = `${PREFIX}subscriptionId`
export const SERVER_INFO_KEY = `${PREFIX}serverInfo`

export interface ClientInfo {
  readonly name: string
  readonly version: string
}

/** What every modern request carries in `_meta`, made once for a connection and level: log notes come only when asked for. */
export function createEnvelope(
  clientInfo: ClientInfo,
  ability: Ability,
): (logLevel?: string | null | undefined) => JsonObject {
  const quiet = {
    [`${PREFIX}protocolVersion`]: MODERN_VERSION,
    [`${PREFIX}clientCapabilities`]: ability.capabilities,
    [`${PREFIX}clientInfo`]: { name: clientInfo.name, version: clientInfo.version },
  }
  return (logLevel) => (typeof logLevel === 'string' ? { ...quiet, [`${PREFIX}logLevel`]: logLevel } : quiet)
}

/** Params with the envelope in `_meta`; every other key stays. */
export function enclose(params: JsonObject, envelope: JsonObject): JsonObject {
  const meta = params['_meta']
  return { ...params, _meta: isObject(meta) ? { ...meta, ...envelope } : envelope }
}

/** Which param is mirrored in `Mcp-Name`, by method. */
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

/** Of every POST of the modern era, as pairs in a row. */
export const MODERN_HEADERS: string[] = [
  'content-type',
  'application/json',
  'accept',
  'application/json, text/event-stream',
  'mcp-protocol-version',
  MODERN_VERSION,
]

/** `Mcp-Method`, `Mcp-Name` and the `Mcp-Param-*` headers of one modern request, as pairs in a row. */
export function modernHeaders(
  method: string,
  params: JsonObject,
  paramHeaders?: Readonly<Record<string, string>>,
): string[] {
  const headers = ['mcp-method', method]
  const key = NAMED[method]
  const name = key === undefined ? undefined : params[key]
  if (typeof name === 'string') headers.push('mcp-name', encodeHeaderValue(name))
  for (const header in paramHeaders) headers.push(header, sendable(paramHeaders[header] ?? ''))
  return headers
}

/** The caller encoded what looked like a sentinel; here only what no header can carry is left to do. */
function sendable(value: string): string {
  return value.startsWith('=?base64?') ? value : encodeHeaderValue(value)
}

/** A header value as it is, or in the base64 sentinel when it is empty, padded, not plain ASCII or looks like a sentinel. */
export function encodeHeaderValue(value: string): string {
  const plain = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(value)
  if (plain && !(value.startsWith('=?base64?') && value.endsWith('?='))) return value
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`
}
