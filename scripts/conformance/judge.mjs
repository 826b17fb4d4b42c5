import { count, excuse, failures, losses, score } from './compare.mjs'

/** The checks that the server itself passes in a whole run: fewer mean that something has silently not been run. */
const WHOLE = { '2025-11-25': 84, '2026-07-28': 164 }

/** The era of the wire at each revision; with a server of the other one alone, the pair is crossed. */
const ERA = { '2025-11-25': 'legacy', '2026-07-28': 'modern' }

/**
 * The verdict on all fronts at one revision. The server itself must pass everything but what is expected to fail; the
 * gateway must pass what the server passes, save what crossed.yml excuses for a pair of different eras.
 */
export function judge({ revision, results, reasons, options }) {
  const ran = [...results.direct.keys()]
  const direct = excuse(failures(results.direct), whole(reasons.expected[revision]), ran)
  const problems = direct.stale.map(({ scenario }) => `expected-failures.yml: ${scenario} does not fail any more`)
  const passed = ran.reduce((sum, scenario) => sum + score(results.direct.get(scenario)).passed, 0)
  if (options.scenarios === null && passed !== WHOLE[revision]) {
    problems.push(`the server itself passes ${passed} checks instead of ${WHOLE[revision]}`)
  }
  const lost = [...direct.inexcusable.map((loss) => ({ front: 'direct', ...loss }))]
  const sums = { passed: 0, failed: count(lost), skipped: 0 }
  for (const front of options.fronts.filter((name) => name !== 'direct')) {
    const found = losses(results.direct, results[front])
    const isCrossed = front !== 'both' && front !== ERA[revision]
    const { excused, inexcusable, stale } = excuse(found, (isCrossed && reasons.crossed[revision]) || {}, ran)
    problems.push(
      ...stale.map(({ scenario, check }) => `crossed.yml: ${front}, ${scenario}, ${check} is not lost any more`),
    )
    lost.push(...inexcusable.map((loss) => ({ front, ...loss })))
    sums.passed += Math.max(0, passed - count(found))
    sums.failed += count(inexcusable)
    sums.skipped += count(excused)
  }
  sums.failed += problems.length
  return { lost, problems, sums }
}

/** A scenario that is expected to fail as a whole, in the form of the reasons for single checks. */
const whole = (reasons = {}) =>
  Object.fromEntries(Object.entries(reasons).map(([scenario, reason]) => [scenario, { '*': reason }]))
