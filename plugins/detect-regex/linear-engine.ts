import v8 from 'node:v8'

/**
 * Makes V8 give up a regular expression that goes back over a text too often, and run it in linear time instead; and lets
 * `l` ask whether it could. The flags stay on: V8 dies when an expression made with `l` runs after they went off. They
 * must stand before the expressions are compiled, and hold for the whole process.
 *
 * Answers whether this V8 does what they say. The flags are experimental: without a proof nothing is to rely on them.
 */
export function enableLinearTime(): boolean {
  v8.setFlagsFromString('--enable-experimental-regexp-engine')
  v8.setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks')
  return isLinear('a+') && !isLinear('(?=a)') && Array.from({ length: 3 }).some(givesUp)
}

/** `l` is V8's own flag: it refuses what it cannot run in linear time. */
const ASK = 'gl'

/** True when V8 can run the pattern (with no flag that changes its meaning) in linear time. */
export function isLinear(source: string): boolean {
  try {
    return new RegExp(source, ASK).global
  } catch {
    return false
  }
}

/**
 * Each further letter doubles the work of one that goes back. Four more letters: sixteen times the time without the
 * protection, about the same with it.
 */
function givesUp(): boolean {
  const probe = new RegExp('^(?:[pP][rR]?|[pP][rR]?)+[oO]$', 'g')
  timeOf(probe, 'p'.repeat(20))
  return timeOf(probe, 'p'.repeat(24)) < 4 * timeOf(probe, 'p'.repeat(20))
}

function timeOf(probe: RegExp, text: string): number {
  const started = performance.now()
  probe.lastIndex = 0
  probe.test(text)
  return performance.now() - started
}
