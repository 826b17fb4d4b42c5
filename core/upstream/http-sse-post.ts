import type { Sent } from './duplex.js'
import { PeerLost, brokenProtocol, fault } from './faults.js'
import type { HttpAnswer } from './http-call.js'
import { noAnswer, refuseByStatus } from './http-exchange.js'
import type { HttpWire } from './http-wire.js'
import type { PeerContext } from './options.js'
import { writeJson } from '../mcp/json.js'

export interface SseSession {
  readonly context: PeerContext
  readonly wire: HttpWire
  /** Where messages are POSTed; null until the stream has named it. */
  path: string | null
  headers: readonly string[]
}

export interface Post extends Sent {
  /** Fulfilled when the server has taken the message; rejects when it did not. */
  readonly taken: Promise<void>
}

/** How long the word that a message was taken is waited for when its call has ended already. */
const REST_MS = 1_000

/** POSTs one message; what the server has to say to it comes on the stream. Sent again only after a 401. */
export function post(session: SseSession, message: object): Post {
  const { context, wire, path, headers } = session
  const { slug } = context
  const body = Buffer.from(writeJson(message))
  const { generation } = wire
  const send = () => wire.send({ method: 'POST', path: path ?? undefined, headers, body })
  let http = send()
  let isOver = false
  let isSettled = false
  let rest: NodeJS.Timeout | undefined

  async function deliver(): Promise<void> {
    try {
      let answer = await http.answer
      if (
        answer.status === 401 &&
        !isOver &&
        (await wire.renew(generation, { deadline: Date.now() + context.timing.dial })) &&
        !isOver
      ) {
        http = send()
        answer = await http.answer
      }
      checkTaken(slug, answer)
    } finally {
      isSettled = true
      clearTimeout(rest)
    }
  }

  const letGo = () => http.abort(fault('GH_UPSTREAM_CANCELLED', slug, 'was no longer waited for'))
  return {
    bytes: body.length,
    taken: deliver(),
    get hasLeft() {
      return http.hasLeft
    },
    over() {
      isOver = true
      if (isSettled) return
      if (http.hasLeft) rest = setTimeout(letGo, REST_MS).unref()
      else letGo()
    },
  }
}

/** The same for a message that nobody waits for but here. */
export async function postWithin(session: SseSession, message: object, ms: number): Promise<void> {
  const sent = post(session, message)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const { slug } = session.context
    const why = fault('GH_UPSTREAM_TIMEOUT', slug, `did not take a message within ${(ms / 1000).toFixed(1)} s`)
    timer = setTimeout(() => reject(why), ms)
  })
  try {
    await Promise.race([sent.taken, late])
  } finally {
    clearTimeout(timer)
    sent.over()
  }
}

/** A server that lost our session says 404, or 400 with a word about sessions: nothing ran. */
function checkTaken(slug: string, answer: HttpAnswer): void {
  const { status, text } = answer
  if (status < 300) return
  refuseByStatus(slug, answer)
  if (status === 404 || (status === 400 && /session/i.test(text)))
    throw new PeerLost('session', brokenProtocol(slug, 'word that our session is unknown'))
  if (status >= 500) throw noAnswer(slug, answer)
  throw fault('GH_UPSTREAM_PROTOCOL', slug, `did not take a message (HTTP ${status})`)
}
