import { Trail } from './trail.js'
import type { Recorder } from './types.js'

/** Somebody who was turned away elsewhere than at the MCP door. Never holds what they tried it with. */
export interface Refusal {
  /** What was asked for, e.g. `auth/signin`, `oauth/token`. */
  readonly method: string
  /** Why, for the log; the answer said less. */
  readonly reason: string
  readonly httpStatus: number
  readonly ip: string | null
  readonly userAgent: string | null
}

/** Writes an `auth_refused` row. Settles when it is on record; a full record (strict audit) throws GH_RECORD_FULL. */
export type Refused = (refusal: Refusal) => Promise<void>

const LONGEST = 512

export function createRefused(recorder: Recorder, now: () => number = Date.now): Refused {
  return ({ method, reason, httpStatus, ip, userAgent }) => {
    const trail = new Trail({ at: now(), method, rpcId: null, ip, userAgent, bytes: 0 }, 0)
    trail.leg('auth_refused', { httpStatus, error: reason.slice(0, LONGEST), offset: 0 })
    return recorder.append(trail.close('auth_refused', httpStatus, null))
  }
}
