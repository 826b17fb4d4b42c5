import type { Suspended } from './suspended.js'

/** The calls that sleep at this replica until their client answers. */
export interface ParkedCalls {
  /** Puts a call to sleep; false when there are too many already, of all, of this user or of this user at this server. */
  park(call: Suspended, whose: { readonly user: string; readonly server: string }): boolean
  /** The call that waits for the answers to this round, if nobody else is at it. It is awake, and must be parked again or let go. */
  take(id: string, round: number): Suspended | null
  readonly size: number
  stop(): void
}

export interface ParkedLimits {
  readonly all: number
  readonly perUser: number
  readonly perServer: number
  /** Milliseconds that a call sleeps at most: with a question to a person, and without. */
  readonly person: number
  readonly machine: number
}

export const PARKED_LIMITS: ParkedLimits = { all: 1_000, perUser: 20, perServer: 5, person: 600_000, machine: 180_000 }

interface Parked {
  readonly call: Suspended
  readonly user: string
  readonly server: string
  readonly timer: NodeJS.Timeout
}

export function createParkedCalls(limits: ParkedLimits = PARKED_LIMITS): ParkedCalls {
  const asleep = new Map<string, Parked>()
  const count = (which: (parked: Parked) => boolean) => [...asleep.values()].filter(which).length

  function isFull(user: string, server: string): boolean {
    if (asleep.size >= limits.all) return true
    const own = count((parked) => parked.user === user)
    return (
      own >= limits.perUser || count((parked) => parked.user === user && parked.server === server) >= limits.perServer
    )
  }

  return {
    park(call, { user, server }) {
      if (isFull(user, server)) return false
      const isPerson = call.methods.includes('elicitation/create')
      const giveUp = () => {
        asleep.delete(call.id)
        call.cancel()
      }
      const timer = setTimeout(giveUp, isPerson ? limits.person : limits.machine)
      timer.unref()
      asleep.set(call.id, { call, user, server, timer })
      return true
    },
    take(id, round) {
      const parked = asleep.get(id)
      if (parked === undefined || parked.call.round !== round) return null
      asleep.delete(id)
      clearTimeout(parked.timer)
      return parked.call
    },
    get size() {
      return asleep.size
    },
    stop() {
      for (const { call, timer } of asleep.values()) {
        clearTimeout(timer)
        call.cancel()
      }
      asleep.clear()
    },
  }
}
