import type { Middleware } from 'koa'
import { z } from 'zod'
import { createHostFlow } from '../http/connect/host-flow.js'
import { createThrottle } from '../http/pages/throttle.js'
import { createOneTime } from '../identity/one-time.js'
import { type House, PARTS } from './house.js'

/** The pages on which people give agents tokens of their own. */
export function hostFlow(house: House, url: () => string): Middleware {
  return createHostFlow({
    store: house.get(PARTS.store),
    mutations: house.get(PARTS.configuration).mutations,
    browser: house.get(PARTS.browser),
    enrolment: house.get(PARTS.enrolment),
    snapshot: house.get(PARTS.snapshots).current,
    once: createOneTime(house.get(PARTS.oneTime), 'host-token', z.string()),
    throttle: createThrottle({ points: 60, seconds: 300 }),
    url,
  })
}
