import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { Agent, type Dispatcher } from 'undici'
import type { Replicas } from '../cluster/replicas.js'
import { HOP_HEADER, type Hop, type Hops } from './hop.js'

/**
 * What names the replica that alone can serve it (the answer to a question, a stream to take up again) may come in at any
 * other: that one passes the request on, once, and its answer back.
 */
export interface ToOwner {
  /** What another replica vouches for; null for a request of a client. Throws GH_DOOR_HOP. */
  arrived(req: IncomingMessage): Hop | null
  /** Whether that is this one. */
  isHere(owner: string | null): boolean
  /**
   * True when the owner has answered the client. False: to be served here, since it is ours or came from another replica
   * already, or because the owner is dead, names no address, or does not answer.
   */
  pass(owner: string, visit: PassedOn, sent: Sent): Promise<boolean>
  /** The same for one message of several: the owner's status, or null for false. */
  deliver(owner: string, visit: PassedOn, sent: Sent): Promise<number | null>
  /** Ends the event streams that run through here. */
  drain(): void
  stop(): Promise<void>
}

export interface PassedOn {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly hop: Hop | null
  /** The client's. */
  readonly address: string
}

export interface Sent {
  readonly body: Uint8Array
  /** How long the owner may take to begin its answer; 10 s unless told. */
  readonly patienceMs?: number | undefined
}

interface Asked extends Sent {
  readonly signal: AbortSignal
}

export interface ToOwnerOptions {
  readonly replicas: Pick<Replicas, 'id' | 'urlOf'>
  readonly hops: Hops
  readonly patienceMs?: number
  readonly connectMs?: number
}

/** Of one connection (RFC 9110, section 7.6.1), or said anew by whoever sends it on. */
const OF_THE_HOP = new Set(
  'connection keep-alive proxy-connection transfer-encoding te trailer upgrade expect host content-length date'.split(
    ' ',
  ),
)
/** An open event stream has a comment every 15 s. */
const SILENCE_MS = 60_000
const MISDIRECTED = 421

export function createToOwner(options: ToOwnerOptions): ToOwner {
  const { replicas, hops, patienceMs = 10_000, connectMs = 2_000 } = options
  // Not by way of egress, which refuses the private addresses that replicas are on: where this leads was written into our
  // own database by a gateway that holds the same master key, and nothing that a client sends can change it.
  const agent = new Agent({ connect: { timeout: connectMs }, bodyTimeout: SILENCE_MS })
  const streams = new Set<AbortController>()
  let stopped: Promise<void> | undefined

  /** Null when there is no owner to ask, or none that answers. */
  const ask = async (to: string, visit: PassedOn, { body, patienceMs: headersTimeout, signal }: Asked) => {
    const { req, hop, address } = visit
    const origin = to === replicas.id || hop !== null ? null : replicas.urlOf(to)
    if (origin === null || origin === 'dead') return null
    const [method, path] = [req.method as Dispatcher.HttpMethod, req.url ?? '/']
    const headers = { ...passing(req.headers), [HOP_HEADER]: hops.vouch({ to, method, path, body, address }) }
    const sent = { body: body.length === 0 ? null : body, headersTimeout: headersTimeout ?? patienceMs }
    const answer = await agent.request({ origin, path, method, headers, signal, ...sent }).catch(() => null)
    if (answer?.statusCode !== MISDIRECTED) return answer
    // Another replica has that address now.
    await answer.body.dump()
    return null
  }
  const whileThere = async <T>({ req, res }: PassedOn, work: (leaving: AbortController) => Promise<T>): Promise<T> => {
    const leaving = new AbortController()
    const leave = () => leaving.abort()
    res.once('close', leave)
    if (res.destroyed) leave()
    if (req.method === 'GET') streams.add(leaving)
    try {
      return await work(leaving)
    } finally {
      res.off('close', leave)
      streams.delete(leaving)
    }
  }

  return {
    arrived: (req) => hops.read(req),
    isHere: (owner) => owner === replicas.id,
    pass: (owner, visit, sent) =>
      whileThere(visit, async ({ signal }) => {
        const answer = await ask(owner, visit, { ...sent, signal })
        if (answer !== null) await sendBack(answer, visit.res)
        else if (signal.aborted) visit.res.destroy()
        return answer !== null || signal.aborted
      }),
    deliver: (owner, visit, sent) =>
      whileThere(visit, async ({ signal }) => {
        const answer = await ask(owner, visit, { ...sent, signal })
        await answer?.body.dump().catch(() => undefined)
        return answer?.statusCode ?? null
      }),
    drain() {
      for (const leaving of streams) leaving.abort()
    },
    stop() {
      for (const leaving of streams) leaving.abort()
      return (stopped ??= agent.close())
    },
  }
}

/** A client whose stream is cut knows that it is not whole. */
async function sendBack({ statusCode, headers, body }: Dispatcher.ResponseData, res: ServerResponse) {
  res.writeHead(statusCode, passing(headers, ['content-length']))
  res.flushHeaders()
  await pipeline(body, res).catch(() => res.destroy())
}

function passing(headers: IncomingHttpHeaders, also: readonly string[] = []): Record<string, string | string[]> {
  const named = String(headers.connection ?? '')
    .toLowerCase()
    .split(/\s*,\s*/)
  const stays = (name: string) => also.includes(name) || !(OF_THE_HOP.has(name) || named.includes(name))
  const passed = Object.entries(headers).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined)
  return Object.fromEntries(passed.filter(([name]) => stays(name)))
}
