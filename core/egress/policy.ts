import { isIP } from 'node:net'
import { specialRange } from './address.js'
import type { AllowList } from './allow-list.js'
import { GatehouseError } from '../errors.js'

/** Where a connection would go. `host` is lower case, without brackets and without a trailing dot. */
export interface Target {
  readonly secure: boolean
  readonly host: string
  readonly port: number
}

export interface Policy {
  /** Refuses by what the URL alone tells: scheme, userinfo, literal addresses, names of this machine. */
  target(url: URL): Target
  /** Refuses the target if any one of the addresses it resolves to is refused. */
  admit(target: Target, addresses: readonly string[]): void
}

// A listed name opens the networks that operators build; what else its DNS may answer (cloud metadata is link-local)
// has to be listed as an address.
const OPEN_TO_LISTED_NAMES = new Set(['private', 'uniqueLocal', 'loopback', 'carrierGradeNat'])

/** The rules of the way out, pure: nothing is resolved or connected here. */
export function createPolicy(options: { readonly allow: AllowList; readonly loopback: boolean }): Policy {
  const { allow, loopback } = options

  function refusal(target: Target, address: string): string | undefined {
    const range = specialRange(address)
    const isListed = allow.hasAddress(address, target.port) || (loopback && range === 'loopback')
    if (isListed) return undefined
    const isListedName = allow.hasHost(target.host, target.port)
    if (range !== undefined && !(isListedName && OPEN_TO_LISTED_NAMES.has(range))) return `range ${range}`
    return target.secure || isListedName ? undefined : 'plain http'
  }

  function admit(target: Target, addresses: readonly string[]): void {
    if (addresses.length === 0) throw refused(target, 'no address')
    for (const address of addresses) {
      const reason = refusal(target, address)
      if (reason) throw refused(target, reason, address)
    }
  }

  function admitName(target: Target): void {
    if (allow.hasHost(target.host, target.port)) return
    if (isLocalName(target.host)) {
      if (!loopback && !allow.hasBlocks) throw refused(target, 'range loopback')
    } else if (!target.secure && !allow.hasBlocks && !loopback) throw refused(target, 'plain http')
  }

  return {
    admit,
    target(url) {
      const target = readTarget(url)
      if (isIP(target.host)) admit(target, [target.host])
      else admitName(target)
      return target
    },
  }
}

export function isLocalName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost')
}

function readTarget(url: URL): Target {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refusedUrl('only https and http URLs can be reached')
  if (url.username || url.password) throw refusedUrl('a URL must not carry a user name or password')
  const secure = url.protocol === 'https:'
  return { secure, host: plainHost(url.hostname), port: Number(url.port) || (secure ? 443 : 80) }
}

/** The host of a URL as DNS and allow lists spell it. */
export function plainHost(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
}

function refusedUrl(message: string): GatehouseError {
  return new GatehouseError('GH_EGRESS_REFUSED', { message })
}

function refused({ host, port }: Target, reason: string, address?: string): GatehouseError {
  const fact = reason === 'plain http' ? 'is not reached over plain http' : 'is not a public address'
  return new GatehouseError('GH_EGRESS_REFUSED', {
    message: `${host} ${fact}; the operator can allow it with GATEHOUSE_EGRESS_ALLOW`,
    detail: `${host}:${port} refused: ${reason}${address === undefined ? '' : `, ${address}`}`,
  })
}
