import { GatehouseError } from '../errors.js'
import { LEGACY_VERSIONS, MODERN_VERSION } from './envelope.js'
import { PeerLost, fault } from './faults.js'
import { exchange } from './http-exchange.js'
import { openLegacyHttp } from './http-legacy.js'
import { openSse } from './http-sse.js'
import { modernRules, openModernHttp, readDiscovery } from './http-modern.js'
import type { HttpWire } from './http-wire.js'
import { isObject } from './message.js'
import type { Peer, PeerContext } from './options.js'
import type { RpcError, ServerInfo } from './types.js'
import type { Dialect } from './verdicts.js'

/** What `server/discover` brought: the server's word of itself, or that it does not speak the modern era. */
export type Probe = ServerInfo | 'not modern'

/**
 * Opens a server whose dialect is known, or finds it out: `server/discover`, then `initialize`, then a GET for the endpoint of
 * 2024-11-05. An outage, a refusal of the credential or a plea for patience is thrown and says nothing about the dialect.
 */
export async function dialHttp(context: PeerContext, wire: HttpWire, dialect: Dialect | null): Promise<Peer> {
  if (dialect === 'sse') return openSse(context, wire)
  if (dialect === 'legacy') return openLegacyHttp(context, wire)
  const probe = await probeHttp(context, wire)
  if (probe !== 'not modern') return openModernHttp(context, wire, probe)
  if (dialect === 'modern')
    throw new PeerLost('era', fault('GH_UPSTREAM_PROTOCOL', context.slug, 'does not speak the modern era'))
  return openLegacyHttp(context, wire).catch((error: unknown) => {
    if (error instanceof PeerLost && error.why === 'transport') return openOlder(context, wire, error.fault)
    throw error instanceof GatehouseError && error.code === 'GH_UPSTREAM_PROTOCOL'
      ? speaksNothing(context, error)
      : error
  })
}

/** The last attempt. Who is silent here has refused a POST before: that is no outage. */
async function openOlder(context: PeerContext, wire: HttpWire, refused: GatehouseError): Promise<Peer> {
  try {
    return await openSse(context, wire)
  } catch (error) {
    const last = error instanceof PeerLost ? error.fault : error
    if (last instanceof GatehouseError && (last.code === 'GH_UPSTREAM_PROTOCOL' || last.code === 'GH_UPSTREAM_TIMEOUT'))
      throw speaksNothing(context, refused, last)
    throw last
  }
}

export async function probeHttp(context: PeerContext, wire: HttpWire): Promise<Probe> {
  const request = { method: 'server/discover', params: {}, deadline: Date.now() + context.timing.dial }
  try {
    const reply = await exchange(modernRules(context, wire), request)
    if ((reply.httpStatus ?? 0) >= 500)
      throw fault('GH_UPSTREAM_UNREACHABLE', context.slug, `is failing (HTTP ${reply.httpStatus})`)
    return reply.result ? readProbe(context.slug, reply.result) : readRefusal(context, reply.error)
  } catch (error) {
    if (error instanceof PeerLost) return 'not modern'
    if (error instanceof GatehouseError && error.code === 'GH_UPSTREAM_PROTOCOL' && !(error instanceof Verdictless))
      return 'not modern'
    throw error
  }
}

/** A protocol fault that must not be taken for "legacy". */
class Verdictless extends GatehouseError {}

/** A result of `server/discover`; what is no such result was said by an older server. */
export function readProbe(slug: string, result: Parameters<typeof readDiscovery>[1]): Probe {
  const versions = result['supportedVersions']
  if (!Array.isArray(versions)) return 'not modern'
  return versions.includes(MODERN_VERSION) ? readDiscovery(slug, result) : readVersions(slug, versions)
}

/** The errors with which a server of the modern era refuses; every other error is what older servers say. */
export function readRefusal({ slug, log }: PeerContext, error: RpcError | null): Probe {
  if (error?.code === -32022) return readVersions(slug, isObject(error.data) ? error.data['supported'] : undefined)
  if (error?.code !== -32020 && error?.code !== -32021) return 'not modern'
  log.warn({ server: slug, code: error.code }, 'a server of the modern era refused our discovery')
  throw verdictless(slug, `speaks the modern era, but refused our discovery (${error.code})`)
}

function readVersions(slug: string, versions: unknown): Probe {
  const named = Array.isArray(versions) ? versions : []
  if (named.length === 0 || named.some((version) => LEGACY_VERSIONS.has(String(version)))) return 'not modern'
  throw verdictless(slug, `speaks only versions that this gateway does not know (${named.slice(0, 5).join(', ')})`)
}

function verdictless(slug: string, what: string): Verdictless {
  const { message, data } = fault('GH_UPSTREAM_PROTOCOL', slug, what)
  return new Verdictless('GH_UPSTREAM_PROTOCOL', { message, ...(data ? { data } : {}) })
}

/** What the server said to each attempt is kept for the log. */
function speaksNothing({ slug }: PeerContext, cause: GatehouseError, last?: GatehouseError): GatehouseError {
  const said = ({ message, detail }: GatehouseError) => (detail === undefined ? message : `${message}: ${detail}`)
  const detail = last === undefined ? said(cause) : `POST: ${said(cause)}; GET: ${said(last)}`
  return fault('GH_UPSTREAM_PROTOCOL', slug, `speaks neither era of MCP over HTTP: ${cause.message}`, { cause, detail })
}
