import { count, excuse, failures, losses, score } from './compare.mjs'

/** The checks that the server itself passes in a whole run: fewer mean that something has silently not been run. */
const WHOLE = { '2025-11-25': 84, '2026-07-28': 164 }

/** The front at each revision whose server is of the other era alone, and what such a pair is called in crossed.yml. */
const CROSSED = {
  '2025-11-25': { front: 'modern', pair: 'legacy-to-modern' },
  '2026-07-28': { front: 'legacy', pair: 'modern-to-legacy' },
}

/**
 * The verdict on all fronts at one revision. The server itself must pass everything but what is expected to fail; the
 * gateway must pass what the server passes, save what crossed.yml excuses for a pair of different eras.
 */
export function judge({ revision, results, reasons, isWhole }) {
  const own = judgeServer({ revision, results, reasons, isWhole })
  const verdicts = Object.keys(results)
    .filter((front) => front !== 'direct')
    .map((front) => judgeFront(front, { revision, results, reasons }))
  const passed = verdicts.reduce((sum, verdict) => sum + verdict.passed, 0)
  const skipped = verdicts.reduce((sum, verdict) => sum + verdict.skipped, 0)
  const lost = [own, ...verdicts].flatMap((verdict) => verdict.lost)
  const problems = [own, ...verdicts].flatMap((verdict) => verdict.problems)
  return { lost, problems, sums: { passed, failed: count(lost) + problems.length, skipped } }
}

function judgeServer({ revision, results, reasons, isWhole }) {
  const { inexcusable, stale } = excuse(
    failures(results.direct),
    whole(reasons.expected[revision]),
    results.direct.keys(),
  )
  const problems = stale.map(({ scenario }) => `${scenario} of expected-failures.yml does not fail`)
  const passed = passedBy(results.direct)
  if (isWhole && passed !== WHOLE[revision]) {
    problems.push(`the server itself passes ${passed} checks instead of ${WHOLE[revision]}`)
  }
  return { lost: inexcusable.map((loss) => ({ front: 'direct', ...loss })), problems }
}

function judgeFront(front, { revision, results, reasons }) {
  const crossed = CROSSED[revision]
  const excuses = (front === crossed.front && reasons.crossed[crossed.pair]) || {}
  const found = losses(results.direct, results[front])
  const { excused, inexcusable, stale } = excuse(found, excuses, results.direct.keys())
  return {
    passed: found.reduce((left, { passes }) => left - passes, passedBy(results.direct)),
    skipped: count(excused),
    lost: inexcusable.map((loss) => ({ front, ...loss })),
    problems: stale.map(({ scenario, check }) => `${scenario}: ${check} of crossed.yml is not lost`),
  }
}

const passedBy = (results) => score([...results.values()].flat()).passed

/** A scenario that is expected to fail as a whole, in the form of the reasons for single checks. */
const whole = (reasons = {}) =>
  Object.fromEntries(Object.entries(reasons).map(([scenario, reason]) => [scenario, { '*': reason }]))
