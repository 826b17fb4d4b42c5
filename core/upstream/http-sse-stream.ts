import type { GatehouseError } from '../errors.js'
import { brokenProtocol, fault, gist } from './faults.js'
import { header } from './http-call.js'
import type { HttpAnswer, HttpCall } from './http-call.js'
import { noAnswer, refuseByStatus } from './http-exchange.js'
import type { SseSession } from './http-sse-post.js'

/** Takes one message; gives what is wrong with it, or null. */
type Take = (value: unknown, bytes: number) => string | null

const HEADERS = ['accept', 'text/event-stream']

/**
 * Opens the stream and waits until the server has named its endpoint, which then is the path of the session. A refused
 * credential is renewed once.
 */
export async function openSseStream(session: SseSession, take: Take): Promise<HttpCall> {
  const { context, wire } = session
  const { generation } = wire
  const until = Date.now() + context.timing.dial
  for (let again = false; ; again = true) {
    const stream = new Opening(session, take)
    const answer = await stream.named(until)
    if (answer === null) return stream.http
    if (again || answer.status !== 401 || !(await wire.renew(generation, { deadline: until })))
      throw noStream(context.slug, answer)
  }
}

/** One GET on its way to become the stream. */
class Opening {
  readonly http: HttpCall
  #hasHead = false
  #onNamed = () => {}

  constructor(
    private readonly session: SseSession,
    take: Take,
  ) {
    const { context, wire } = session
    this.http = wire.send({
      method: 'GET',
      headers: HEADERS,
      body: null,
      silence: 2 * context.timing.ping,
      onStream: () => (this.#hasHead = true),
      onEvent: ({ type, data }) => {
        if (type === 'endpoint') this.#name(data)
      },
      onMessage(value, text) {
        const wrong = take(value, Buffer.byteLength(text))
        if (wrong !== null) throw brokenProtocol(context.slug, wrong)
        return false
      },
    })
  }

  /** Fulfilled with null when the endpoint is known, and with the answer when there is no stream. */
  async named(until: number): Promise<HttpAnswer | null> {
    const named = new Promise<null>((resolve) => (this.#onNamed = () => resolve(null)))
    const timer = setTimeout(() => this.http.abort(this.#late()), until - Date.now())
    try {
      return await Promise.race([named, this.http.answer])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Credentials and messages go where it leads: nowhere but to the server that was configured. */
  #name(reference: string): void {
    const { context, wire } = this.session
    const path = wire.pathOf(reference)
    if (path === null)
      throw brokenProtocol(context.slug, 'an endpoint that is not of its own origin', originOf(reference))
    this.session.path ??= path
    this.#onNamed()
  }

  #late(): GatehouseError {
    const { slug, timing } = this.session.context
    const within = `within ${(timing.dial / 1000).toFixed(1)} s`
    if (this.#hasHead) return brokenProtocol(slug, `an event stream that named no endpoint ${within}`)
    return fault('GH_UPSTREAM_TIMEOUT', slug, `did not answer ${within}`)
  }
}

/** Without the rest of the URL, which may hold the key of a session. */
function originOf(reference: string): string {
  return URL.canParse(reference) ? new URL(reference).origin : `${reference.length} characters`
}

function noStream(slug: string, answer: HttpAnswer): GatehouseError {
  const { status, headers, text, stream } = answer
  refuseByStatus(slug, answer)
  if (status >= 500) return noAnswer(slug, answer)
  if (stream) return brokenProtocol(slug, 'an event stream that ended before it named an endpoint')
  const type = header(headers, 'content-type')?.split(';')[0] ?? 'nothing'
  const what = status < 300 ? `${type} instead of an event stream` : `HTTP ${status} instead of an event stream`
  return brokenProtocol(slug, what, gist(text))
}
