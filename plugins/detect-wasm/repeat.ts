import type { Evaluation } from '@gatehouse/sdk'
import { undecided } from '@gatehouse/sdk'
import type { Opened } from './scopes.js'

/** Of so many replicas that are asked without a pause, all but one come too late at a time, always others. */
const MOST_REPETITIONS = 32

/**
 * Asks a rule once more on what is stored now, as long as another replica stores something else meanwhile: `ask` answers null then.
 * Undecided when that goes on for too long.
 */
export async function repeat(
  opened: Opened | null,
  ask: (opened: Opened) => Promise<Evaluation | null>,
): Promise<Evaluation> {
  let now = opened
  for (let left = MOST_REPETITIONS; left > 0; left -= 1) {
    const next = await now?.again().catch(() => null)
    if (next == null) return undecided('what the rule remembers could not be read')
    const evaluation = await ask(next)
    if (evaluation !== null) return evaluation
    now = next
  }
  return undecided('what the rule wants to remember was changed meanwhile, again and again')
}
