import { randomOf, type Random } from './random.js'

/**
 * What is run. `FUZZ_SEED` draws other cases, `FUZZ_CASES` more or fewer of them in all, and `FUZZ_CASE=<suite>:<number>`
 * one alone, as a failure names it.
 */
export const SEED = process.env['FUZZ_SEED'] || '20260728'
const ALL = Number(process.env['FUZZ_CASES'] || 20_000)
const [ONLY_SUITE, ONLY_CASE] = (process.env['FUZZ_CASE'] ?? '').split(':')

export type Suite = keyof typeof SHARES
/** How the cases are spread over the suites; those that need no gateway come on top. */
const SHARES = { client: 0.5, http: 0.3, stdio: 0.2, pure: 1, dial: 0.1 } as const

export interface Case {
  readonly number: number
  readonly random: Random
}

/** Given out one by one, to many workers at once. */
export interface Cases {
  next(): Case | undefined
  readonly total: number
}

export function casesOf(suite: Suite): Cases {
  const numbers =
    ONLY_CASE === undefined
      ? Array.from({ length: Math.ceil(ALL * SHARES[suite]) }, (_, number) => number)
      : ONLY_SUITE === suite
        ? [Number(ONLY_CASE)]
        : []
  const total = numbers.length
  let at = 0
  return {
    total,
    next() {
      const number = numbers[at]
      at += 1
      return number === undefined ? undefined : { number, random: randomOf(SEED, suite, number) }
    },
  }
}

/** One case runs alone: what only many of them show cannot be asked for. */
export const isReplay = ONLY_CASE !== undefined

/** What a failure says, so that it can be run again alone. */
export function replayLine(suite: Suite, number: number): string {
  return `FUZZ_SEED=${SEED} FUZZ_CASE=${suite}:${number} npm test -- core/test/fuzz`
}

console.log(`fuzz seed ${SEED}, ${ALL} cases (FUZZ_SEED, FUZZ_CASES and FUZZ_CASE change that)`)
