import type { GatehouseError } from '../errors.js'
import { createAnswers } from './asked.js'
import { openDuplex } from './duplex.js'
import type { Carrier, Duplex } from './duplex.js'
import { fault } from './faults.js'
import type { HttpCall } from './http-call.js'
import { initializeRefused, initializeRequest, readInitialized } from './http-legacy.js'
import { post, postWithin } from './http-sse-post.js'
import type { SseSession } from './http-sse-post.js'
import { openSseStream } from './http-sse-stream.js'
import type { HttpWire } from './http-wire.js'
import type { Peer, PeerContext } from './options.js'
import type { ServerInfo } from './types.js'

const POST_HEADERS = ['content-type', 'application/json']

/**
 * The transport of 2024-11-05: everything from the server comes on one GET stream, everything to it is POSTed to the endpoint
 * that the stream named first. The session lives as long as the stream. When that is lost, all that waits fails, and
 * only what surely was not sent may be sent again.
 */
export async function openSse(context: PeerContext, wire: HttpWire): Promise<Peer> {
  const { slug } = context
  const session: SseSession = { context, wire, path: null, headers: POST_HEADERS }
  const carrier = carrierOf(session)
  const duplex = openDuplex(context, carrier)
  const heard = { at: Date.now() }
  const stream = await openSseStream(session, (value, bytes) => {
    heard.at = Date.now()
    return duplex.take(value, bytes)
  })
  let stopped = false
  let alive: { stop(): void } | undefined
  void outcomeOf(slug, stream).then((why) => {
    alive?.stop()
    duplex.end(why)
    if (!stopped) context.events.gone()
  })
  const stop = async () => {
    stopped = true
    duplex.end(fault('GH_UPSTREAM_UNREACHABLE', slug, 'was changed or removed meanwhile'))
    stream.abort(fault('GH_UPSTREAM_CANCELLED', slug, 'was let go'))
  }
  try {
    const info = await initialize(session, duplex)
    alive = keepAlive(context, duplex, heard)
    return {
      info,
      transport: 'sse',
      stateful: true,
      get busy() {
        return duplex.busy
      },
      async request(request) {
        const ready = wire.ready(request)
        if (ready !== undefined) await ready
        return duplex.request(request, 'legacy')
      },
      notify: (note) => carrier.tell(note),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function carrierOf(session: SseSession): Carrier {
  const { slug, log, timing } = session.context
  const tell = createAnswers(
    (message) => postWithin(session, message, timing.dial),
    (error) => log.debug({ server: slug, error }, 'a note or an answer to a server was not taken'),
  )
  return {
    send(message, lost) {
      const sent = post(session, message)
      sent.taken.catch(lost)
      return sent
    },
    tell(message) {
      if (session.path !== null) void tell(message)
    },
  }
}

async function initialize(session: SseSession, duplex: Duplex): Promise<ServerInfo> {
  const { slug, timing } = session.context
  const { result, error } = await duplex.request(initializeRequest(session.context), 'legacy')
  if (!result) throw initializeRefused(slug, error)
  const info = readInitialized(slug, result)
  session.headers = [...POST_HEADERS, 'mcp-protocol-version', info.version]
  // Awaited, since a request on another connection would overtake it.
  await postWithin(session, { jsonrpc: '2.0', method: 'notifications/initialized' }, timing.dial)
  return info
}

/** Why nothing comes any more; fulfilled when that is so. */
function outcomeOf(slug: string, stream: HttpCall): Promise<GatehouseError> {
  return stream.answer.then(
    () => fault('GH_UPSTREAM_UNREACHABLE', slug, 'ended its event stream'),
    (error: GatehouseError) => error,
  )
}

/** What lies between us and a server may lose a silent stream without a word, and POSTs would still be taken. */
function keepAlive({ timing }: PeerContext, duplex: Duplex, heard: { readonly at: number }): { stop(): void } {
  let timer: NodeJS.Timeout | undefined
  const wait = (ms: number) => (timer = setTimeout(look, ms).unref())
  function look(): void {
    const left = heard.at + timing.ping - Date.now()
    if (left > 0) return void wait(left)
    const ping = { method: 'ping', params: {}, deadline: Date.now() + 2 * timing.ping }
    // The stream itself runs out of patience before the ping does.
    duplex.request(ping, 'legacy').catch(() => undefined)
    wait(timing.ping)
  }
  wait(timing.ping)
  return { stop: () => clearTimeout(timer) }
}
