import { lookup as systemLookup } from 'node:dns'
import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { Policy, Target } from './policy.js'

/** All addresses of a name, as the system resolves it (hosts file included). Rejects if there are none. */
export type Lookup = (host: string) => Promise<readonly LookupAddress[]>

export const lookupAll: Lookup = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)))
  })

/**
 * The `lookup` of one connection: resolves once, refuses if any answer is refused, and hands the socket the very answers
 * that were checked, so that no second resolution can differ (DNS rebinding).
 */
export function checkedLookup(lookup: Lookup, policy: Policy, target: Target): LookupFunction {
  return (_hostname, options, callback) => {
    checkedAddresses(lookup, policy, target).then(
      (addresses) => {
        const [first] = addresses
        if (options.all || !first) callback(null, [...addresses])
        else callback(null, first.address, first.family)
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, []),
    )
  }
}

async function checkedAddresses(lookup: Lookup, policy: Policy, target: Target): Promise<readonly LookupAddress[]> {
  const addresses = await lookup(target.host)
  policy.admit(
    target,
    addresses.map(({ address }) => address),
  )
  return addresses
}

/** Checks what a name resolves to now. False when it does not resolve within the time: then nothing is known of it. */
export async function admitIfResolvable(lookup: Lookup, policy: Policy, target: Target, ms: number): Promise<boolean> {
  const resolving = lookup(target.host).catch(() => undefined)
  const addresses = await within(ms, resolving)
  if (addresses === undefined) return false
  policy.admit(
    target,
    addresses.map(({ address }) => address),
  )
  return true
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
