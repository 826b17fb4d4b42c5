import { GatehouseError } from '../errors.js'

/** The places for streams that stand open for as long as their clients like. */
export interface StreamPlaces {
  /** Takes one, for a user who may have few when one is named. Throws GH_DOOR_BUSY; gives back how to leave it. */
  take(user?: string): () => void
}

export interface PlacesOptions {
  readonly most?: number
  readonly perUser: () => number
}

const MOST = 5_000
const RETRY_AFTER_MS = 30_000

export function createStreamPlaces({ most = MOST, perUser }: PlacesOptions): StreamPlaces {
  const byUser = new Map<string, number>()
  let taken = 0
  const busy = (message: string) =>
    new GatehouseError('GH_DOOR_BUSY', { message, data: { retryAfterMs: RETRY_AFTER_MS } })
  const add = (user: string, one: 1 | -1) => {
    const now = (byUser.get(user) ?? 0) + one
    if (now > 0) byUser.set(user, now)
    else byUser.delete(user)
  }
  return {
    take(user) {
      if (taken >= most) throw busy('This replica has as many open streams as it may')
      if (user !== undefined && (byUser.get(user) ?? 0) >= perUser())
        throw busy(`At most ${perUser()} streams may be open at once`)
      taken += 1
      if (user !== undefined) add(user, 1)
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        taken -= 1
        if (user !== undefined) add(user, -1)
      }
    },
  }
}
