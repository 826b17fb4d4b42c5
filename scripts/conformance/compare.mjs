/**
 * What one run of the suite says of one scenario: its checks with the id, the status and the message of each. An id may
 * come several times, so ids are counted.
 *
 * @typedef {{ id: string, status: string, errorMessage?: string, details?: Record<string, unknown> }} Check
 * @typedef {Map<string, readonly Check[]>} Results by scenario
 * @typedef {{ scenario: string, check: string, passes: number, times: number, message: string }} Loss; `passes` are those
 *   that are gone, `times` counts what fails anew as well
 * @typedef {Record<string, Record<string, string>>} Reasons by scenario and check
 */

/** How many checks passed, of those that passed or failed. @param {readonly Check[]} checks */
export function score(checks) {
  const passed = checks.filter(({ status }) => status === 'SUCCESS').length
  return { passed, of: checks.filter(isJudged).length }
}

const isJudged = ({ status }) => status === 'SUCCESS' || status === 'FAILURE' || status === 'WARNING'

/**
 * The checks that passed in `before` and do not in `after`, and those that fail only in `after`. A check that is not
 * there any more is as lost as one that fails: a scenario that gives up early must not look better for it.
 *
 * @param {Results} before @param {Results} after @returns {Loss[]}
 */
export function losses(before, after) {
  return [...before].flatMap(([scenario, checks]) => {
    const now = after.get(scenario) ?? []
    const ids = new Set([...checks, ...now].map(({ id }) => id))
    return [...ids].flatMap((id) => lossOf(scenario, id, { checks: ofId(checks, id), now: ofId(now, id) }))
  })
}

const ofId = (checks, id) => checks.filter((check) => check.id === id)

function lossOf(scenario, check, { checks, now }) {
  const [before, after] = [score(checks), score(now)]
  const passes = Math.max(0, before.passed - after.passed)
  const fails = Math.max(0, after.of - after.passed - (before.of - before.passed))
  const times = Math.max(passes, fails)
  if (times === 0) return []
  return [{ scenario, check, passes, times, message: reasonOf(now) }]
}

/** What the suite says of a check that did not pass. Not all that is not a success is told as a failure. */
function reasonOf(checks) {
  const told = checks.find(({ status }) => status !== 'SUCCESS')
  if (told === undefined) return 'it was not reached'
  const { status, errorMessage, details } = told
  const text = errorMessage ?? details?.message ?? details?.note ?? 'no reason given'
  return status === 'FAILURE' ? text : `${status.toLowerCase()}: ${text}`
}

/**
 * Parts losses into those with a reason and those without; `stale` are the reasons for what is not lost in the scenarios
 * that ran. The key '*' stands for all checks of its scenario.
 *
 * @param {readonly Loss[]} found @param {Reasons} reasons @param {Iterable<string>} ran
 */
export function excuse(found, reasons, ran) {
  const reasonFor = ({ scenario, check }) => reasons[scenario]?.[check] ?? reasons[scenario]?.['*']
  const excused = found.filter((loss) => reasonFor(loss) !== undefined)
  const isUsed = (scenario, check) =>
    excused.some((loss) => loss.scenario === scenario && (check === '*' || loss.check === check))
  const names = new Set(ran)
  const stale = Object.entries(reasons)
    .filter(([scenario]) => names.has(scenario))
    .flatMap(([scenario, checks]) =>
      Object.keys(checks)
        .filter((check) => !isUsed(scenario, check))
        .map((check) => ({ scenario, check })),
    )
  return { excused, inexcusable: found.filter((loss) => reasonFor(loss) === undefined), stale }
}

/** The checks that failed, as losses: of the server itself there is nothing to compare with. @param {Results} results */
export function failures(results) {
  return losses(new Map([...results.keys()].map((scenario) => [scenario, []])), results)
}

/** @param {readonly { times: number }[]} found */
export const count = (found) => found.reduce((sum, { times }) => sum + times, 0)
