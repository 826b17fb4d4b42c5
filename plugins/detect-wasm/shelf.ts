import type { Evidence, RuleAction } from '@gatehouse/sdk'
import type { HoldingPool, Texts } from '@gatehouse/sdk/workers'
import type { Build } from './builds.js'
import type { Held } from './protocol.js'

export type RulePool = HoldingPool<Texts, string, Held>

/** A rule as it was prepared: what stands behind the `state` that core keeps. */
export interface Prepared {
  readonly key: number
  readonly build: Build
  readonly held: Held
  /** What stands in every receipt of it. */
  readonly evidence: Evidence
  readonly action: RuleAction | null
  readonly artifact: { readonly name: string; readonly version: number }
  /** Null while nobody has it: it remembers nothing then. */
  readonly rule: { readonly id: string; readonly name: string } | null
}

/** The rules that the threads hold. */
export interface Shelf {
  /** Rejects when a thread cannot hold it. */
  put(rule: Prepared): Promise<void>
  /** Answers how to give it back, at once when all threads hold it. A rule that was taken off is put there anew, for calls that began before. */
  use(rule: Prepared): GiveBack | Promise<GiveBack>
  /** When the calls that use it are over. */
  takeOff(rule: Prepared): void
  /** A thread does not hold it: all are to take it once more at its next use. */
  missed(rule: Prepared): void
}

export type GiveBack = () => void

interface Place {
  readonly held: Promise<void>
  isHeld: boolean
  uses: number
  leaves: boolean
}

export function createShelf(pool: RulePool): Shelf {
  const places = new Map<Prepared, Place>()
  /** Those that were put there, and not taken off. */
  const standing = new WeakSet<Prepared>()

  const placeOf = (rule: Prepared): Place => {
    const known = places.get(rule)
    if (known !== undefined) return known
    const place: Place = { held: pool.hold(rule.key, rule.held), isHeld: false, uses: 0, leaves: !standing.has(rule) }
    place.held.then(
      () => (place.isHeld = true),
      () => places.delete(rule),
    )
    places.set(rule, place)
    return place
  }

  function leave(rule: Prepared, place: Place): void {
    if (!place.leaves || place.uses > 0 || places.get(rule) !== place) return
    places.delete(rule)
    if (place.isHeld) return pool.drop(rule.key)
    // Somebody may have put it there anew by then.
    void place.held.then(
      () => places.has(rule) || pool.drop(rule.key),
      () => undefined,
    )
  }

  return {
    put(rule) {
      standing.add(rule)
      return placeOf(rule).held
    },
    use(rule) {
      const place = placeOf(rule)
      place.uses += 1
      const giveBack = () => {
        place.uses -= 1
        leave(rule, place)
      }
      if (place.isHeld) return giveBack
      return place.held.then(
        () => giveBack,
        (thrown: unknown) => {
          giveBack()
          throw thrown
        },
      )
    },
    missed: (rule) => void places.delete(rule),
    takeOff(rule) {
      standing.delete(rule)
      const place = places.get(rule)
      // Threads that did not miss it hold it still.
      if (place === undefined) return pool.drop(rule.key)
      place.leaves = true
      leave(rule, place)
    },
  }
}
