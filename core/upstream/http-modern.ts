import type { JsonObject } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { createCalls } from './calls.js'
import { MODERN_VERSION, SERVER_INFO_KEY, createEnvelope, enclose, modernHeaders } from './envelope.js'
import { PeerLost, brokenProtocol, fault } from './faults.js'
import { holdStream } from './held-stream.js'
import type { HeldStream } from './held-stream.js'
import { exchange } from './http-exchange.js'
import type { ExchangeRules } from './http-exchange.js'
import type { HttpWire } from './http-wire.js'
import { isObject, readMessage, showable } from './message.js'
import { listChangedKind, watchedLists } from './options.js'
import type { Peer, PeerContext } from './options.js'
import type { ServerInfo, UpstreamRequest } from './types.js'

const HEADERS = [
  'content-type',
  'application/json',
  'accept',
  'application/json, text/event-stream',
  'mcp-protocol-version',
  MODERN_VERSION,
]

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
      return { headers: HEADERS.concat(modernHeaders(method, params, paramHeaders)), params }
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
  const held = listen(context, wire, info, rules)
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
    // A client of this era has nothing to tell a server outside of a request.
    notify() {},
    async stop() {
      held?.stop()
      rules.calls.failAll(fault('GH_UPSTREAM_UNREACHABLE', context.slug, 'was changed or removed meanwhile'))
    },
  }
}

function listen(context: PeerContext, wire: HttpWire, info: ServerInfo, rules: ExchangeRules): HeldStream | null {
  const { slug, events, timing } = context
  const kinds = watchedLists(info.capabilities)
  if (kinds.length === 0) return null
  const notifications = Object.fromEntries(kinds.map((kind) => [`${kind}ListChanged`, true]))
  const params = enclose({ notifications }, createEnvelope(context.clientInfo, context.of.target.ability)())
  const body = Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', id: 'gatehouse-listen', method: 'subscriptions/listen', params }),
  )
  const headers = HEADERS.concat(modernHeaders('subscriptions/listen', params))

  function onMessage(value: unknown): boolean {
    const message = readMessage(value)
    if (message.kind === 'broken') throw brokenProtocol(slug, message.why)
    if (message.kind === 'reply') return true
    const kind = listChangedKind(message.raw.method)
    if (kind) events.listChanged(kind)
    else if (message.kind === 'note' && !ACKNOWLEDGED.has(message.raw.method) && !rules.calls.progress(message.raw))
      events.note(message.raw)
    return false
  }

  return holdStream({
    context,
    open: (onOpen) =>
      wire.send({ method: 'POST', headers, body, onMessage, onStream: onOpen, silence: timing.listenSilence }),
    again: (outcome, livedMs) => {
      if (outcome instanceof GatehouseError) return true
      // A server that grants nothing answers at once; one that ends a stream it has kept asks us to come back.
      if (outcome.stream) return !outcome.stream.answered || livedMs > timing.reopen
      return outcome.status >= 500 || outcome.status === 429
    },
    onReopen: () => events.reopened(),
  })
}

const ACKNOWLEDGED = new Set(['notifications/subscriptions/acknowledged'])
