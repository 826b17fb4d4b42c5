import type { IncomingMessage } from 'node:http'
import { networkOf } from '../../domain/network.js'
import { createThrottle, type Throttle } from '../pages/throttle.js'

export interface ThrottlesOptions {
  /** The client's, after trusted proxies. */
  readonly addressOf: (req: IncomingMessage) => string
  /** Registrations in a minute from one address. */
  readonly registrations: () => number
}

/** In all, whatever the addresses. */
const REGISTRATIONS_A_SECOND = 200
/** For one address in a minute; hosted clients share addresses. */
const TOKENS = 600
const AUTHORIZATIONS = 120
const ANSWERS = 60

/** How often one address (of IPv6: its network) may ask, by what it asks for. Of this replica alone. */
export function createThrottles({ addressOf, registrations }: ThrottlesOptions) {
  const keyOf = (req: IncomingMessage) => networkOf(addressOf(req))
  const all = createThrottle({ points: REGISTRATIONS_A_SECOND, seconds: 1 })
  const tokens = createThrottle({ points: TOKENS, seconds: 60 })
  const authorizations = createThrottle({ points: AUTHORIZATIONS, seconds: 60 })
  const answers = createThrottle({ points: ANSWERS, seconds: 60 })
  let each: { readonly limit: number; readonly throttle: Throttle } | undefined
  const register = async (address: string) => {
    const limit = registrations()
    // So many a minute, and three times as many at once.
    if (each?.limit !== limit) each = { limit, throttle: createThrottle({ points: limit * 3, seconds: 180 }) }
    await each.throttle(address)
    await all('all')
  }
  return {
    answer: (req: IncomingMessage) => answers(keyOf(req)),
    async request(path: string, req: IncomingMessage): Promise<void> {
      if (path === '/oauth/register') return register(keyOf(req))
      if (path === '/oauth/token' || path === '/oauth/revoke') return tokens(keyOf(req))
      if (path === '/oauth/authorize') return authorizations(keyOf(req))
    },
  }
}
