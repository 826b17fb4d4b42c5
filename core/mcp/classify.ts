import type { Era, Json, JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { decodeHeaderValue } from './header-value.js'
import { idOf, isObject, readMessage, type Message } from './message.js'
import {
  isLegacyVersion,
  isModernOrLater,
  LATEST_LEGACY,
  META,
  MODERN_VERSION,
  SUPPORTED_VERSIONS,
  UNSTATED_LEGACY,
} from './versions.js'

/** A fault of a client that is borne. */
export type Tolerance = 'legacy-header'

/** One message of a POST, with its era; or what is wrong with it, to be answered after authentication. */
export type Classified =
  | {
      readonly kind: 'request'
      readonly era: Era
      readonly version: string
      readonly message: Message & { kind: 'request' }
      readonly tolerated?: Tolerance
    }
  | {
      readonly kind: 'notification'
      readonly era: Era
      readonly version: string
      readonly message: Message & { kind: 'notification' }
    }
  | {
      readonly kind: 'response'
      readonly era: 'legacy'
      readonly version: string
      readonly message: Message & { kind: 'response' }
    }
  | {
      readonly kind: 'fault'
      readonly era: Era
      readonly version: string
      readonly id: string | number | null
      readonly error: GatehouseError
    }

/** The headers that tell an era; lower-case names, as they came. */
export interface EraHeaders {
  readonly version: string | undefined
  readonly sessionId: string | undefined
  readonly method: string | undefined
  readonly name: string | undefined
}

/**
 * Tells the era of one message by its body, never by its headers alone: a `_meta` with a protocol version is modern, all
 * else is legacy. Total: every value gives exactly one row.
 */
export function classify(value: Json, headers: EraHeaders): Classified {
  const message = readMessage(value)
  const headerIsModern = headers.version !== undefined && isModernOrLater(headers.version)
  const version = legacyVersion(headers.version)
  if (message === null)
    return fault(
      'legacy',
      version,
      idOf(value),
      new GatehouseError('GH_DOOR_NOT_RPC', { message: 'Not a JSON-RPC 2.0 message' }),
    )
  if (message.kind === 'response') {
    const wrong =
      headers.sessionId === undefined
        ? new GatehouseError('GH_DOOR_NOT_RPC', { message: 'A response needs a session' })
        : headerIsModern
          ? null
          : unknownVersion(headers.version)
    // Its id is one of ours: an error that carried it would look like the answer to a request of the client's own.
    return wrong === null
      ? { kind: 'response', era: 'legacy', version, message }
      : fault('legacy', version, null, wrong)
  }
  const meta = isObject(message.params._meta) ? message.params._meta : undefined
  const stated = meta?.[META.version]
  const isModern =
    stated !== undefined ||
    (message.kind === 'request' && message.method === 'server/discover') ||
    (headerIsModern && message.method !== 'initialize')
  if (!isModern) return legacy(message, headers, version)
  if (message.kind === 'notification') return { kind: 'notification', era: 'modern', version: MODERN_VERSION, message }
  const isBorne = isUnderLegacyHeader(meta, headers)
  const wrong = checkEnvelope(meta, headers, isBorne) ?? checkNames(message, headers, isBorne)
  if (wrong !== null) return fault('modern', MODERN_VERSION, message.id, wrong)
  const tolerated = isBorne ? { tolerated: 'legacy-header' as const } : {}
  return { kind: 'request', era: 'modern', version: MODERN_VERSION, message, ...tolerated }
}

function legacy(
  message: Message & { kind: 'request' | 'notification' },
  headers: EraHeaders,
  version: string,
): Classified {
  const wrong = message.method === 'initialize' ? null : unknownVersion(headers.version)
  if (wrong !== null) return fault('legacy', version, message.kind === 'request' ? message.id : null, wrong)
  return message.kind === 'request'
    ? { kind: 'request', era: 'legacy', version, message }
    : { kind: 'notification', era: 'legacy', version, message }
}

function unknownVersion(stated: string | undefined): GatehouseError | null {
  if (stated === undefined || isLegacyVersion(stated)) return null
  return new GatehouseError('GH_DOOR_NOT_RPC', {
    message: `Unknown MCP-Protocol-Version '${stated.slice(0, 40)}'; served are ${SUPPORTED_VERSIONS.join(', ')}`,
  })
}

const LOG_LEVELS: readonly unknown[] = [
  ...['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'],
  undefined,
]

/**
 * Claude sends bodies of the modern era under the header of an older version (tolerance `legacy-header`): there the body
 * wins, and other headers of the era may be missing, though not differ. Nobody else is borne with.
 */
function isUnderLegacyHeader(meta: JsonObject | undefined, { version }: EraHeaders): boolean {
  if (meta?.[META.version] !== MODERN_VERSION || version === undefined || !isLegacyVersion(version.trim())) return false
  const client = meta[META.clientInfo]
  const name = isObject(client) ? client.name : undefined
  return typeof name === 'string' && /^claude/i.test(name)
}

/** The modern ladder, steps 1 to 3: envelope, header against body, version. */
function checkEnvelope(meta: JsonObject | undefined, headers: EraHeaders, isBorne: boolean): GatehouseError | null {
  const version = meta?.[META.version]
  const missing = [
    ...(typeof version === 'string' ? [] : [META.version]),
    ...(isObject(meta?.[META.capabilities]) ? [] : [META.capabilities]),
  ]
  if (missing.length > 0)
    return new GatehouseError('GH_DOOR_ENVELOPE', { message: `_meta lacks ${missing.join(' and ')}` })
  if (!LOG_LEVELS.includes(meta?.[META.logLevel]))
    return new GatehouseError('GH_DOOR_PARAMS', { message: `_meta.${META.logLevel} is no log level` })
  if (headers.version === undefined)
    return new GatehouseError('GH_DOOR_HEADER_MISMATCH', { message: 'The MCP-Protocol-Version header is missing' })
  if (!isBorne && headers.version.trim() !== version)
    return new GatehouseError('GH_DOOR_HEADER_MISMATCH', {
      message: 'MCP-Protocol-Version and _meta name different versions',
    })
  if (version !== MODERN_VERSION)
    return new GatehouseError('GH_DOOR_VERSION', {
      message: `Protocol version '${String(version).slice(0, 40)}' is not served`,
      data: { supported: SUPPORTED_VERSIONS, requested: version },
    })
  return null
}

/** Which param the `Mcp-Name` header of a method repeats. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/** Step 4: `Mcp-Method` and `Mcp-Name` against the body. */
function checkNames(
  message: Message & { kind: 'request' },
  headers: EraHeaders,
  isBorne: boolean,
): GatehouseError | null {
  if (headers.method === undefined) {
    if (!isBorne) return mismatch('The Mcp-Method header is missing')
  } else if (headers.method.trim() !== message.method) return mismatch('Mcp-Method and the body name different methods')
  const param = NAMED.get(message.method)
  if (param === undefined) return null
  if (headers.name === undefined) return isBorne ? null : mismatch('The Mcp-Name header is missing')
  const named = decodeHeaderValue(headers.name)
  return named !== null && named === message.params[param] ? null : mismatch(`Mcp-Name and params.${param} differ`)
}

const mismatch = (message: string) => new GatehouseError('GH_DOOR_HEADER_MISMATCH', { message })

const fault = (era: Era, version: string, id: string | number | null, error: GatehouseError): Classified => ({
  kind: 'fault',
  era,
  version,
  id,
  error,
})

const legacyVersion = (header: string | undefined) =>
  header === undefined ? UNSTATED_LEGACY : isLegacyVersion(header) ? header : LATEST_LEGACY
