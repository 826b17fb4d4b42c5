import type { GatehouseError } from '../errors.js'
import type { Upstreams } from './types.js'

type State = ReturnType<Upstreams['state']>

/** What was last seen of each server: `since` moves only when up turns to down or back. */
export interface Health {
  seen(serverId: string, fault: GatehouseError | null): void
  state(serverId: string): State
  forget(serverId: string): void
}

const UNKNOWN: State = Object.freeze({ up: null, reason: null, since: null })

export function createHealth(): Health {
  const states = new Map<string, State>()
  return {
    seen(serverId, fault) {
      const before = states.get(serverId)
      if (fault === null && before?.up) return
      const up = fault === null
      const since = before?.up === up ? before.since : Date.now()
      states.set(serverId, { up, reason: fault?.message ?? null, since })
    },
    state: (serverId) => states.get(serverId) ?? UNKNOWN,
    forget: (serverId) => void states.delete(serverId),
  }
}
