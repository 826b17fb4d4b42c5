import { Roll, type Enrolled } from '../domain/roll.js'

/** Those who came in and are still here. */
export interface Standing<Visit> {
  enter(visit: Visit): void
  leave(visit: Visit): void
}

interface Present extends Enrolled {
  readonly at: number
}

export interface StandingOptions<Visit extends Present> {
  /** Whether the visit would be let in now. Must not throw. */
  readonly stillEnters: (visit: Visit) => Promise<boolean>
  /** Ends a visit that would not. */
  readonly end: (visit: Visit) => void
  readonly everyMs?: number
}

const AT_ONCE = 64

/** Ends within a second the calls and streams of whoever lost the right to them: what came in long ago was let in then. */
export function createStanding<Visit extends Present>(options: StandingOptions<Visit>): Standing<Visit> {
  const { stillEnters, end, everyMs = 500 } = options
  const visits = new Roll<Visit>()
  let timer: NodeJS.Timeout | undefined
  const sweep = async () => {
    const before = Date.now() - everyMs
    const due = visits.all().filter(({ at }) => at <= before)
    // After a change each person is read anew: one after another, thousands would take longer than they may.
    for (let from = 0; from < due.length; from += AT_ONCE)
      await Promise.all(
        due.slice(from, from + AT_ONCE).map(async (visit) => {
          if (!(await stillEnters(visit)) && visits.has(visit)) end(visit)
        }),
      )
    timer = undefined
    if (visits.size > 0) arm()
  }
  // At most one timer for all, and none while nobody is here.
  const arm = () => {
    timer ??= setTimeout(() => void sweep(), everyMs).unref()
  }
  return {
    enter(visit) {
      visits.add(visit)
      arm()
    },
    leave: (visit) => visits.delete(visit),
  }
}
