import type { Dispatcher } from 'undici'
import { fault } from './faults.js'
import type { Patience } from '../domain/bearer.js'
import { HttpCall } from './http-call.js'
import type { HttpSend } from './http-call.js'
import type { PeerContext } from './options.js'

export interface WireSend {
  readonly method: 'POST' | 'GET' | 'DELETE'
  /** Of `pathOf`; the server's own unless given. */
  readonly path?: string | undefined
  readonly headers: readonly string[]
  readonly body: Buffer | null
  readonly onMessage?: HttpSend['onMessage']
  readonly onEvent?: HttpSend['onEvent']
  readonly onStream?: () => void
  readonly silence?: number | undefined
  readonly flow?: HttpSend['flow']
}

/** The endpoint of one server as one identity: its connections, its path and its credential. */
export interface HttpWire {
  send(send: WireSend): HttpCall
  /** The path behind a URL that the server names, absolute or relative to its own; null when it leads to another origin. */
  pathOf(reference: string): string | null
  /** Rises when the credential changes. */
  readonly generation: number
  /** Nothing when the credential is good as it stands; else to be awaited before anything is sent. */
  ready(patience: Patience): void | Promise<void>
  /** Opens the secrets, or renews the token, after generation `refused` was refused; true when there are others by now. */
  renew(refused: number, patience: Patience): Promise<boolean>
  /** After a 403 for want of scope (RFC 6750, section 3.1): throws where somebody can give more. */
  stepUp(challenge: string | undefined): Promise<void>
}

export async function openWire(context: PeerContext, pool: (origin: string) => Dispatcher): Promise<HttpWire> {
  const { slug, of, clientInfo, limits } = context
  const url = readUrl(slug, of.target.server.url)
  const ownPath = url.pathname + url.search
  const agent = ['user-agent', `${clientInfo.name}/${clientInfo.version}`]
  let generation = 0
  let credential = readHeaders((await of.target.secrets()).headers)
  await of.target.bearer?.ready({ deadline: Date.now() + context.timing.dial })
  let known: Known = { headers: [], token: null, all: [] }
  const poolOfOrigin = () => pool(url.origin)
  /** A session sends the same headers again and again. */
  const withOurs = (headers: readonly string[]): string[] => {
    const token = of.target.bearer?.token ?? null
    if (known.headers !== headers || known.token !== token)
      known = { headers, token, all: [...headers, ...agent, ...credential, ...authorization(token)] }
    return known.all
  }
  return {
    send: ({ method, path = ownPath, headers, body, onMessage, onEvent, onStream, silence, flow }) =>
      new HttpCall({
        slug,
        pool: poolOfOrigin,
        method,
        path,
        headers: withOurs(headers),
        body,
        limits: limits(),
        onMessage: onMessage ?? unexpected,
        onEvent,
        onStream,
        silence,
        flow,
      }),
    pathOf(reference) {
      const named = URL.canParse(reference, url.href) ? new URL(reference, url) : null
      return named?.origin === url.origin ? named.pathname + named.search : null
    },
    get generation() {
      return of.target.bearer?.version ?? generation
    },
    ready: (patience) => of.target.bearer?.ready(patience),
    async stepUp(challenge) {
      const { bearer } = of.target
      if (bearer === undefined || challenge === undefined || !/\berror="?insufficient_scope\b/.test(challenge)) return
      await bearer.stepUp(/\bscope="([^"]{1,2000})"/.exec(challenge)?.[1] ?? null)
    },
    async renew(refused, patience) {
      if (of.target.bearer !== undefined) return of.target.bearer.renew(refused, patience)
      if (generation !== refused) return true
      const fresh = readHeaders((await of.target.secrets()).headers)
      if (generation === refused && fresh.join('\n') !== credential.join('\n')) {
        credential = fresh
        known = { headers: [], token: null, all: [] }
        generation++
      }
      return generation !== refused
    },
  }
}

interface Known {
  readonly headers: readonly string[]
  readonly token: string | null
  readonly all: string[]
}

function authorization(token: string | null): string[] {
  return token === null ? [] : ['authorization', `Bearer ${token}`]
}

const unexpected = () => false

function readUrl(slug: string, url: string | null): URL {
  if (url !== null && URL.canParse(url) && /^https?:/i.test(url)) return new URL(url)
  throw fault('GH_UPSTREAM_UNREACHABLE', slug, 'has no usable URL')
}

const OURS =
  /^(?:host|connection|content-.*|transfer-encoding|accept|accept-encoding|upgrade|expect|te|mcp-.*|last-event-id)$/

/** The stored headers as pairs in a row, without those that carry the protocol itself. */
function readHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    OURS.test(name.toLowerCase()) ? [] : [name.toLowerCase(), value],
  )
}
