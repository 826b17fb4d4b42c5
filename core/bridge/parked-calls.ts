import { DEFAULT_LIMITS, type ParkedCallLimits } from '../domain/nouns.js'
import type { Suspended } from './suspended.js'

/** The calls that sleep at this replica until their client answers. */
export interface ParkedCalls {
  /**
   * Puts a call to sleep; false when the replica has too many. One more than this user may have, in all or at this server,
   * ends the one that sleeps longest: most likely nobody will come back to it.
   */
  park(call: Suspended, whose: Whose): boolean
  /** The call that waits for the answers to this round, and for nobody else. It must be parked again or let go. */
  take(id: string, round: number): Suspended | null
  /** Ends those that would not be let in any more; to be called after each change of the configuration. */
  recheck(): Promise<void>
  readonly size: number
  stop(): void
}

export interface Whose {
  readonly user: string
  readonly server: string
  /** Must not throw. */
  readonly mayGoOn: () => Promise<boolean>
}

export interface ParkedLimits extends ParkedCallLimits {
  /** Milliseconds that a call sleeps at most: with a question to a person, and without. */
  readonly person: number
  readonly machine: number
}

export const PARKED_LIMITS: ParkedLimits = { ...DEFAULT_LIMITS.parkedCalls, person: 600_000, machine: 180_000 }

interface Parked extends Whose {
  readonly call: Suspended
  readonly timer: NodeJS.Timeout
}

/** The limits are asked for at each call: they may change. What sleeps already is not woken by that. */
export function createParkedCalls(limitsNow: () => Partial<ParkedLimits> = () => ({})): ParkedCalls {
  const asleep = new Map<string, Parked>()
  const giveUp = ({ call, timer }: Parked) => {
    asleep.delete(call.id)
    clearTimeout(timer)
    call.cancel()
  }
  /** Of these, in the order in which they fell asleep, those too many for one more. */
  const surplus = (which: (parked: Parked) => boolean, most: number) => {
    const own = [...asleep.values()].filter(which)
    return own.slice(0, Math.max(0, own.length - most + 1))
  }

  return {
    park(call, { user, server, mayGoOn }) {
      const limits = { ...PARKED_LIMITS, ...limitsNow() }
      surplus((parked) => parked.user === user && parked.server === server, limits.perServer).forEach(giveUp)
      surplus((parked) => parked.user === user, limits.perUser).forEach(giveUp)
      if (asleep.size >= limits.perReplica) return false
      const isPerson = call.methods.includes('elicitation/create')
      const timer = setTimeout(() => giveUp(parked), isPerson ? limits.person : limits.machine)
      timer.unref()
      const parked: Parked = { call, user, server, mayGoOn, timer }
      asleep.set(call.id, parked)
      return true
    },
    take(id, round) {
      const parked = asleep.get(id)
      if (parked === undefined || parked.call.round !== round) return null
      asleep.delete(id)
      clearTimeout(parked.timer)
      return parked.call
    },
    async recheck() {
      const ask = async (parked: Parked) => {
        const isIn = await parked.mayGoOn()
        if (!isIn && asleep.get(parked.call.id) === parked) giveUp(parked)
      }
      await Promise.all([...asleep.values()].map(ask))
    },
    get size() {
      return asleep.size
    },
    stop() {
      for (const parked of asleep.values()) giveUp(parked)
    },
  }
}
