import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { GatehouseError } from '../../errors.js'

export interface ThrottleOptions {
  /** How many in `seconds`, for one key. */
  readonly points: number
  readonly seconds: number
}

/** Counts one of something for a key, such as an address; throws GH_PAGE_RATE_LIMITED past the limit. Of this replica alone. */
export interface Throttle {
  (key: string, points?: number): Promise<void>
  /** What was counted last turned out well, and counts no more: many people may share one address. */
  forgive(key: string): Promise<void>
}

export function createThrottle({ points, seconds }: ThrottleOptions): Throttle {
  const limiter = new RateLimiterMemory({ points, duration: seconds })
  const consume = async (key: string, count = 1) => {
    try {
      await limiter.consume(key, count)
    } catch (thrown) {
      if (!(thrown instanceof RateLimiterRes)) throw thrown
      throw new GatehouseError('GH_PAGE_RATE_LIMITED', { data: { retryAfterMs: thrown.msBeforeNext } })
    }
  }
  return Object.assign(consume, { forgive: async (key: string) => void (await limiter.reward(key)) })
}
