import { isIP } from 'node:net'
import { buildConnector } from 'undici'
import type { Policy, Target } from './policy.js'
import { checkedLookup } from './resolve.js'
import type { Lookup } from './resolve.js'

export type Connector = buildConnector.connector

export interface ConnectorOptions {
  readonly policy: Policy
  readonly lookup: Lookup
  readonly connectMs: number
  /** PEM certificates that are trusted instead of the system's. */
  readonly ca?: string
}

/**
 * Connects straight to the target of one origin. A literal address was checked when the policy made the target, for sockets
 * never look it up; a name is checked in the socket's own lookup. TLS is verified against the name of the URL, whatever
 * `Host` a request carries.
 */
export function directConnector(target: Target, options: ConnectorOptions): Connector {
  const { policy, lookup, connectMs, ca } = options
  const connect = buildConnector({
    ...(ca === undefined ? {} : { ca }),
    timeout: connectMs,
    lookup: checkedLookup(lookup, policy, target),
  })
  return (request, callback) => connect({ ...request, hostname: target.host, servername: serverName(target) }, callback)
}

/** The name for SNI and for verification; none for a literal address, which is verified as an address. */
export function serverName(target: Target): string {
  return isIP(target.host) ? '' : target.host
}
