import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { OneTimeRows } from '../../db/repositories/one-time.js'
import { GatehouseError } from '../../errors.js'
import { createOneTime } from '../one-time.js'

const TTL_MS = 10 * 60_000
const Trip = z.object({ idpId: z.string(), kept: z.string(), to: z.string() })
export type Trip = z.output<typeof Trip>

/** A person has been sent to a provider and is expected back in the same browser, once, within ten minutes. */
export interface Trips {
  /** The `state` of a trip that is about to begin. */
  newState(): string
  begin(state: string, browserId: string, trip: Trip): Promise<void>
  /** Throws GH_PAGE_GONE for a state that is unknown, used, too old or another browser's (which spends nothing). */
  end(state: string, browserId: string): Promise<Trip>
}

export function createTrips(rows: OneTimeRows): Trips {
  const kept = createOneTime(rows, 'sso_trip', Trip)
  return {
    newState: () => randomBytes(32).toString('base64url'),
    begin: (state, bound, payload) => kept.put(state, { payload, ttlMs: TTL_MS, bound }),
    async end(state, bound) {
      const trip = await kept.take(state, bound)
      if (trip === null) throw gone()
      return trip
    },
  }
}

const gone = (): GatehouseError =>
  new GatehouseError('GH_PAGE_GONE', {
    message:
      'This sign-in was finished already, took longer than ten minutes, or began in another browser. Begin again.',
    detail: 'the state is unknown, spent, expired or of another browser',
  })
