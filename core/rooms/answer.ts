import type { JsonObject } from '@gatehouse/sdk'
import type { InSession, LegacySession } from '../call.js'
import { GatehouseError } from '../errors.js'
import { isObject } from '../mcp/message.js'
import { clientInfoOf } from '../mcp/translate.js'
import { isLegacyVersion, LATEST_LEGACY, META, SUPPORTED_VERSIONS } from '../mcp/versions.js'

/** The methods that the gateway answers by itself. */
export const OWN_METHODS = new Set(['initialize', 'ping', 'server/discover'])

export interface OwnAnswer {
  readonly result: JsonObject
  readonly headers: Readonly<Record<string, string>>
}

export type Answer = (call: InSession) => Promise<OwnAnswer>

/** What the servers offer that the caller may see. */
export interface Offer {
  readonly capabilities: JsonObject
  readonly instructions: string | null
}

export interface AnswerOptions {
  readonly version: string
  readonly offer: (call: InSession) => Promise<Offer>
  readonly openSession: (session: Omit<LegacySession, 'id'>, userKey: string) => Promise<LegacySession>
}

const LONGEST_CAPABILITIES = 16_384
const NO_HEADERS = Object.freeze({})

/** Answers for the gateway as a server: who it is, what it offers, that it is there. */
export function createAnswer(options: AnswerOptions): Answer {
  const serverInfo = { name: 'gatehouse', title: 'Gatehouse', version: options.version }
  return async (call) => {
    switch (call.method) {
      case 'ping':
        if (call.era === 'modern') throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD')
        return { result: {}, headers: NO_HEADERS }
      case 'initialize':
        return initialize(call, options, serverInfo)
      case 'server/discover':
        return { result: discover(await options.offer(call), serverInfo), headers: NO_HEADERS }
      default:
        throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD')
    }
  }
}

/** A known version is echoed; anything else is answered with the latest legacy one (2025-11-25, lifecycle). */
async function initialize(call: InSession, options: AnswerOptions, serverInfo: JsonObject): Promise<OwnAnswer> {
  if (call.era === 'modern') throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD')
  const asked = call.params.protocolVersion
  if (typeof asked !== 'string')
    throw new GatehouseError('GH_DOOR_PARAMS', { message: 'params.protocolVersion must be a string' })
  const version = isLegacyVersion(asked) ? asked : LATEST_LEGACY
  const { capabilities, instructions } = await options.offer(call)
  const { principal, plan } = call
  const session = await options.openSession(
    {
      version,
      connectionId: principal.connection.id,
      gatewayId: plan.gateway.id,
      client: clientInfoOf(call.params, 'legacy'),
      capabilities: capabilitiesOf(call.params),
      logLevel: null,
      subscriptions: [],
    },
    principal.user?.id ?? principal.connection.id,
  )
  call.trail.wire(version, session.id)
  const offered = { capabilities: knownTo(version, capabilities), ...(instructions === null ? {} : { instructions }) }
  return {
    result: { protocolVersion: version, serverInfo, ...offered },
    headers: { 'mcp-session-id': session.id },
  }
}

/** Capabilities that came with a later revision than the first. */
const SINCE: Readonly<Record<string, string>> = { completions: '2025-03-26', extensions: '2025-11-25' }

function knownTo(version: string, capabilities: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(capabilities).filter(([key]) => version >= (SINCE[key] ?? '')))
}

/** They are kept for the life of the session, of which a user may have many. */
function capabilitiesOf({ capabilities }: JsonObject): JsonObject {
  if (!isObject(capabilities)) return {}
  if (JSON.stringify(capabilities).length <= LONGEST_CAPABILITIES) return capabilities
  throw new GatehouseError('GH_DOOR_PARAMS', {
    message: `params.capabilities is over ${LONGEST_CAPABILITIES} characters`,
  })
}

function discover({ capabilities, instructions }: Offer, serverInfo: JsonObject): JsonObject {
  return {
    resultType: 'complete',
    supportedVersions: [...SUPPORTED_VERSIONS],
    capabilities,
    ...(instructions === null ? {} : { instructions }),
    ttlMs: 60_000,
    cacheScope: 'private',
    _meta: { [META.serverInfo]: serverInfo },
  }
}
