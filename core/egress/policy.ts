import { isIP, isIPv6 } from 'node:net'
import { specialRange } from './address.js'
import type { AllowList } from './allow-list.js'
import { isOtherService, isPrivateName } from './special-names.js'
import { GatehouseError } from '../errors.js'

/** Where a connection would go. `host` is lower case, without brackets and without a trailing dot. */
export interface Target {
  /** Whether what is said there is under TLS; what is not goes only to what the operator listed. */
  readonly secure: boolean
  readonly host: string
  readonly port: number
}

export interface Policy {
  /** Refuses by what the URL alone tells: scheme, userinfo, literal addresses, names of this machine. */
  target(url: URL): Target
  /** The same for a host and a port. */
  place(host: string, port: number, secure: boolean): Target
  /** Refuses the target if any one of the addresses it resolves to is refused. */
  admit(target: Target, addresses: readonly string[]): void
  /** For a name that cannot be resolved here, before somebody else resolves it (a proxy): refuses what is surely private. */
  admitUnresolved(target: Target): void
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
    return target.secure || isListedName ? undefined : 'no TLS'
  }

  function admit(target: Target, addresses: readonly string[]): void {
    if (addresses.length === 0) throw refused(target, 'no address')
    for (const address of addresses) {
      const reason = refusal(target, address)
      if (reason) throw refused(target, reason, address)
    }
  }

  function admitUnresolved(target: Target): void {
    if (allow.hasHost(target.host, target.port)) return
    if (isPrivateName(target.host)) throw refused(target, 'private name')
    if (!target.secure) throw refused(target, 'no TLS')
  }

  /** A name may lead to a listed address, or to this machine: that is known when it is resolved. */
  function admitNamed(target: Target): Target {
    if (isIP(target.host)) admit(target, [target.host])
    else if (!loopback && !allow.hasBlocks(target.port)) admitUnresolved(target)
    return target
  }

  function admitPort(target: Target): Target {
    const { host, port } = target
    const isListed = allow.hasHost(host, port) || allow.hasAddress(host, port) || (loopback && isThisMachine(host))
    if (isOtherService(target.port) && !isListed) throw refused(target, 'port of another service')
    return target
  }

  return {
    admit,
    admitUnresolved,
    target: (url) => admitPort(admitNamed(readTarget(url))),
    place: (host, port, secure) => admitNamed(readPlace(host, port, secure)),
  }
}

export function isThisMachine(host: string): boolean {
  return isLocalName(host) || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** A name of this machine. */
export function isLocalName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost')
}

function readTarget(url: URL): Target {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refusedUrl('only https and http URLs can be reached')
  if (url.username || url.password) throw refusedUrl('a URL must not carry a user name or password')
  const secure = url.protocol === 'https:'
  return {
    secure,
    host: plainHost(url.hostname),
    port: portOf(url.port === '' ? (secure ? 443 : 80) : Number(url.port)),
  }
}

// What a URL makes of a host is what its other spellings (short, octal, full-width) are told apart by here too.
function readPlace(host: string, port: number, secure: boolean): Target {
  const url = `https://${isIPv6(host) ? `[${host}]` : host}/`
  const isHost = (isIPv6(host) || /^[^\s/?#@:\\]+$/.test(host)) && URL.canParse(url)
  if (!isHost) throw refusedUrl('the address is not a host name')
  return { secure, host: plainHost(new URL(url).hostname), port: portOf(port) }
}

function portOf(port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw refusedUrl('the port is not one from 1 to 65535')
}

/** The host of a URL as DNS and allow lists spell it. What has an empty label is no name: resolvers differ over it. */
export function plainHost(hostname: string): string {
  const host = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
  if (host.split('.').includes('')) throw refusedUrl('the address is not a host name')
  return host
}

function refusedUrl(message: string): GatehouseError {
  return new GatehouseError('GH_EGRESS_REFUSED', { message })
}

const FACTS: Readonly<Record<string, string>> = {
  'no TLS': 'is not reached without TLS',
  'private name': 'is not a public name',
  'port of another service': 'is not reached at this port',
}

function refused({ host, port }: Target, reason: string, address?: string): GatehouseError {
  const fact = FACTS[reason] ?? 'is not a public address'
  return new GatehouseError('GH_EGRESS_REFUSED', {
    message: `${host} ${fact}; the operator can allow it with GATEHOUSE_EGRESS_ALLOW`,
    detail: `${host}:${port} refused: ${reason}${address === undefined ? '' : `, ${address}`}`,
  })
}
