import type { Dispatcher } from 'undici'
import { GatehouseError } from '../errors.js'
import type { ClientInfo } from './envelope.js'
import { NO_ABILITY } from './ability.js'
import { dialHttp } from './http-dial.js'
import { openWire } from './http-wire.js'
import { TIMING } from './options.js'
import type { PeerContext, UpstreamLimits } from './options.js'
import type { Target } from './types.js'

/** What a server that is called without any credential shows of itself. */
export type Probed =
  | { readonly kind: 'open' }
  /** With the `WWW-Authenticate` of a 401, if it sent one. */
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly challenge: string | null }
  | { readonly kind: 'unsupported'; readonly reason: string }
  | { readonly kind: 'unreachable'; readonly reason: string }

export interface ProbeOptions {
  readonly egress: { pool(origin: string): Dispatcher }
  readonly limits: () => UpstreamLimits
  readonly clientInfo: ClientInfo
}

/** Dials a server of which nothing is known but its URL, and hangs up. Never rejects. */
export function createProbe({ egress, limits, clientInfo }: ProbeOptions): (url: string) => Promise<Probed> {
  return async (url) => {
    const context: PeerContext = {
      of: { target: targetOf(url) },
      slug: new URL(url).host,
      clientInfo,
      limits,
      timing: TIMING,
      log: { debug() {}, warn() {} },
      events: { listChanged() {}, reopened() {}, note() {}, asked: null, doubted() {}, gone() {} },
    }
    try {
      const wire = await openWire(context, (origin) => egress.pool(origin))
      const peer = await dialHttp(context, wire, null)
      await peer.stop().catch(() => undefined)
      return { kind: 'open' }
    } catch (error) {
      return readFailure(error)
    }
  }
}

function readFailure(error: unknown): Probed {
  if (!(error instanceof GatehouseError)) return { kind: 'unreachable', reason: 'it could not be dialled' }
  const httpStatus = error.data?.['httpStatus']
  if (error.code === 'GH_UPSTREAM_AUTH' && typeof httpStatus === 'number')
    return { kind: 'refused', httpStatus, challenge: error.detail ?? null }
  const kind = error.code === 'GH_UPSTREAM_PROTOCOL' ? 'unsupported' : 'unreachable'
  return { kind, reason: error.message }
}

function targetOf(url: string): Target {
  const server = {
    id: 'probe',
    slug: new URL(url).host,
    title: '',
    url,
    command: null,
    cwd: null,
    env: [],
    auth: 'none',
    headers: [],
    oauth: null,
    protocol: 'auto',
    enabled: true,
    managedBy: 'system',
    createdAt: '',
    updatedAt: '',
  } as const
  return { server, key: 'probe', ability: NO_ABILITY, secrets: async () => ({ headers: {}, env: {} }) }
}
