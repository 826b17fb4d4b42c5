import { Agent, Pool } from 'undici'
import type { Dispatcher } from 'undici'
import type { PluginDial } from '@gatehouse/sdk'
import { anyOf, parseAllowList } from './allow-list.js'
import { directConnector } from './connector.js'
import type { Connector } from './connector.js'
import { createDial } from './dial.js'
import { noting } from './failure.js'
import { createFetch } from './fetch.js'
import type { EgressCaps, EgressInit } from './fetch.js'
import { createBypass } from './no-proxy.js'
import { createPolicy } from './policy.js'
import type { Target } from './policy.js'
import { admitIfResolvable, lookupAll } from './resolve.js'
import type { Lookup } from './resolve.js'
import type { EgressResponse } from './response.js'
import { createProxy } from './tunnel.js'
import { readUrl } from './url.js'

export interface EgressOptions {
  /** CIDRs, addresses, host names and `*.suffix`, each optionally with `:port`, that may be private and plain http. */
  readonly allow: readonly string[]
  /** Whether this machine's own addresses are reachable without being listed. */
  readonly loopback: boolean
  readonly httpsProxy?: string | null
  readonly noProxy?: string | null
  /** PEM certificates that are trusted instead of the system's. */
  readonly ca?: string
  readonly caps?: Partial<EgressCaps>
  /** How names are resolved; the system's way unless told. */
  readonly lookup?: Lookup
}

/**
 * The one guarded way out. Every connection is checked when it is made: https only, public addresses only, save for what the
 * operator listed; all answers of DNS must pass and the socket goes to a checked one. Redirects are never followed.
 */
export interface Egress {
  /** For the moment something is saved: throws GH_EGRESS_REFUSED. A name that does not resolve at present passes. */
  check(url: string | URL): Promise<void>
  /** One whole exchange, in bounds of time and size. A redirect is an error. */
  fetch(url: string | URL, init?: EgressInit): Promise<EgressResponse>
  /**
   * The connections to one origin, the same object at every call, for streams and the hot path: only connecting is checked,
   * a request costs what it costs in undici. Whoever uses it treats a 3xx as a failure and bounds time and size.
   */
  pool(origin: string, options?: PoolOptions): Dispatcher
  /** One connection that is no HTTP, checked in the same way; the proxy is used for it too. */
  readonly dial: PluginDial
  /** Opens one more place from now on, written as in `allow`: what of ours is known only once we listen. */
  open(entry: string): void
  stop(): Promise<void>
}

export interface PoolOptions {
  /** Most connections; no limit unless told. */
  readonly connections?: number
}

const CAPS: EgressCaps = { bytes: 16 * 1024 * 1024, timeoutMs: 30_000, connectMs: 10_000 }

export function createEgress(options: EgressOptions): Egress {
  const caps = { ...CAPS, ...options.caps }
  const lookup = options.lookup ?? lookupAll
  const lists = [parseAllowList(options.allow)]
  const policy = createPolicy({ allow: anyOf(lists), loopback: options.loopback })
  const proxy = options.httpsProxy ? createProxy(options.httpsProxy, caps.connectMs) : undefined
  const isDirect = createBypass(options.noProxy ?? '')
  const connecting = {
    policy,
    lookup,
    connectMs: caps.connectMs,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  }
  const pools = new Map<string, Pool>()

  const connectorTo = (target: Target): Connector =>
    noting(proxy && !isDirect(target) ? proxy.connector(target, connecting) : directConnector(target, connecting))

  function openPool(origin: URL, settings: Pool.Options): Pool {
    return new Pool(origin.origin, { ...settings, connect: connectorTo(policy.target(origin)) })
  }

  // An agent lets go of an origin with its last connection: plugins may name any number of origins.
  const agent = new Agent({ factory: (origin, settings) => openPool(new URL(origin), settings) })

  return {
    fetch: createFetch({ agent, policy, caps }),
    dial: createDial({ ...connecting, connectorTo }),

    async check(url) {
      const target = policy.target(readUrl(url))
      await admitIfResolvable(lookup, policy, target, caps.connectMs)
    },

    pool(origin, { connections } = {}) {
      const key = `${connections ?? ''} ${origin}`
      const known = pools.get(key)
      if (known) return known
      const pool = openPool(readUrl(origin), connections === undefined ? {} : { connections })
      pools.set(key, pool)
      return pool
    },

    open(entry) {
      lists.push(parseAllowList([entry]))
    },

    async stop() {
      await Promise.all([agent.destroy(), ...[...pools.values()].map((pool) => pool.destroy())])
      await proxy?.stop()
    },
  }
}
