import { isIP } from 'node:net'
import { GatehouseError } from '../../errors.js'

/** How documents that clients are known by are fetched (Client ID Metadata Documents). */
export interface DocumentFetch {
  readonly mostBytes: number
  /** By its URL alone: nothing on an address, without a path, or when too much is under way. */
  allows(clientId: string): boolean
  /** A failure is remembered for a while: the library keeps none, and asks twice. */
  readonly fetch: typeof globalThis.fetch
}

export interface DocumentOptions {
  /** The guarded way out. */
  readonly fetch: typeof globalThis.fetch
  readonly now?: () => number
}

export const MOST_BYTES = 32 * 1024
const MOST_AT_ONCE = 8
const FAILED_MS = 60_000
const MOST_REMEMBERED = 1_000

export function createDocumentFetch({ fetch: guarded, now = Date.now }: DocumentOptions): DocumentFetch {
  const failed = new Map<string, number>()
  let underWay = 0
  const remember = (url: string) => {
    if (failed.size >= MOST_REMEMBERED) failed.clear()
    failed.set(url, now() + FAILED_MS)
  }
  return {
    mostBytes: MOST_BYTES,
    allows(clientId) {
      const url = URL.canParse(clientId) ? new URL(clientId) : null
      if (url === null || url.protocol !== 'https:' || url.pathname === '/') return false
      return isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 && underWay < MOST_AT_ONCE
    },
    async fetch(input, init) {
      const url = String(input instanceof Request ? input.url : input)
      if ((failed.get(url) ?? 0) > now())
        throw new GatehouseError('GH_EGRESS_FAILED', { detail: 'this document could not be read a moment ago' })
      // Many may have been allowed at the same moment.
      if (underWay >= MOST_AT_ONCE)
        throw new GatehouseError('GH_EGRESS_FAILED', { detail: 'too many documents are being read' })
      underWay += 1
      try {
        const answer = await guarded(url, { ...init, redirect: 'manual' })
        if (answer.status !== 200) remember(url)
        return answer
      } catch (thrown) {
        remember(url)
        throw thrown
      } finally {
        underWay -= 1
      }
    },
  }
}
