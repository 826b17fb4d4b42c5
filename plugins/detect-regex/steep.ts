import type { Alphabet } from './alphabet.js'

/** A text of so many signs may be all one run. */
export const LONGEST_RUN = 2_500
/** Steps of some nanoseconds each that may be taken beside the calls. */
const MOST_STEPS = LONGEST_RUN * LONGEST_RUN

/** Whether a text has so long runs of the signs that a pattern repeats that it must not meet the pattern beside the calls. */
export function isSteep(text: string, loops: Alphabet | null): boolean {
  if (loops === null || text.length <= LONGEST_RUN) return false
  let steps = 0
  let run = 0
  for (let index = 0; index < text.length; index += 1) {
    if (!loops.holds(text.charCodeAt(index))) run = 0
    else if ((steps += run += 1) > MOST_STEPS) return true
  }
  return false
}
