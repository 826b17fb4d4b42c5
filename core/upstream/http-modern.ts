import type { JsonObject } from '@gatehouse/sdk'
import { createCalls } from './calls.js'
import { MODERN_HEADERS, MODERN_VERSION, SERVER_INFO_KEY, createEnvelope, enclose, modernHeaders } from './envelope.js'
import { PeerLost, brokenProtocol, fault } from './faults.js'
import { exchange } from './http-exchange.js'
import type { ExchangeRules } from './http-exchange.js'
import { listenHttp } from './http-listen.js'
import type { HttpWire } from './http-wire.js'
import { isObject, showable } from './message.js'
import { listChangedKind } from './options.js'
import type { Peer, PeerContext } from './options.js'
import type { ServerInfo, UpstreamRequest } from './types.js'

/** How requests of the modern era go over HTTP; also for the probe, before there is a peer. */
export function modernRules(context: PeerContext, wire: HttpWire): ExchangeRules {
  const { slug, events } = context
  const envelope = createEnvelope(context.clientInfo, context.of.target.ability)
  return {
    era: 'modern',
    slug,
    wire,
    calls: createCalls(slug),
    dress(call) {
      const params = enclose(call.params, envelope(call.request.logLevel))
      const { method, paramHeaders } = call.request
      return { headers: MODERN_HEADERS.concat(modernHeaders(method, params, paramHeaders)), params }
    },
    contradict(answer, reply) {
      const { status } = answer
      if (status !== 400 && status !== 404 && status !== 405) return
      if (reply?.error && isModernCode(reply.error.code, reply.id !== null)) return
      throw new PeerLost('era', brokenProtocol(slug, `HTTP ${status} that is not of the modern era`))
    },
    onAside(call, aside) {
      const kind = listChangedKind(aside.method)
      if (kind) events.listChanged(kind)
      else if (!('id' in aside)) call.note(aside)
      else throw brokenProtocol(slug, 'a request, which this era does not know')
    },
    // Closing the response stream is the cancellation of this era.
    onGivenUp: () => {},
  }
}

/** The range that the revision reserves for itself, and JSON-RPC's own codes when they answer our id. */
function isModernCode(code: number, ours: boolean): boolean {
  return (code <= -32020 && code >= -32099) || (ours && code <= -32600 && code >= -32700)
}

/** What `server/discover` says, as one of ours; throws when it is no DiscoverResult that names our version. */
export function readDiscovery(slug: string, result: JsonObject): ServerInfo {
  const { supportedVersions, capabilities, instructions, _meta } = result
  if (!Array.isArray(supportedVersions) || !supportedVersions.includes(MODERN_VERSION))
    throw brokenProtocol(slug, `a discovery without the version ${MODERN_VERSION}`)
  const named = isObject(_meta) ? _meta[SERVER_INFO_KEY] : undefined
  return {
    era: 'modern',
    version: MODERN_VERSION,
    capabilities: showable(capabilities),
    serverInfo: showable(isObject(named) ? named : result['serverInfo']),
    instructions: typeof instructions === 'string' ? instructions : null,
  }
}

/** A stateless peer; what it holds open is one `subscriptions/listen` when the server tells of changed lists. */
export function openModernHttp(context: PeerContext, wire: HttpWire, info: ServerInfo): Peer {
  const rules = modernRules(context, wire)
  const listen = listenHttp(context, wire, info, rules.calls)
  return {
    info,
    stateful: false,
    get busy() {
      return rules.calls.size > 0
    },
    async request(request: UpstreamRequest) {
      const reply = await exchange(rules, request)
      if (reply.result && reply.result['resultType'] === undefined) context.events.doubted()
      return reply
    },
    listen: (uris) => listen.listen(uris),
    // A client of this era has nothing to tell a server outside of a request.
    notify() {},
    async stop() {
      listen.stop()
      rules.calls.failAll(fault('GH_UPSTREAM_UNREACHABLE', context.slug, 'was changed or removed meanwhile'))
    },
  }
}
