import type { RuleManifest } from '@gatehouse/sdk/rule-abi'
import * as re2 from './re2.js'
import type { Problem } from './types.js'

/**
 * How many steps of RE2's programs the patterns of one manifest may have, all together: those of its configuration are matched by whoever
 * is configured, on the thread of the calls; those of the rule are compiled by each thread that begins.
 */
const mostSteps = { config: 2_000, rule: 5_000 } as const

/** What is wrong with the regular expressions of a manifest. They are of the syntax of RE2, which needs time in proportion to a text. */
export function checkPatterns({ patterns, config }: RuleManifest): readonly Problem[] {
  const ofConfig = Object.entries(config).map(([key, { pattern }]) => [`config.${key}.pattern`, pattern] as const)
  const ofRule = Object.entries(patterns).map(([id, pattern]) => [`patterns.${id}`, pattern] as const)
  return [...check(ofConfig, mostSteps.config), ...check(ofRule, mostSteps.rule)]
}

function check(all: readonly (readonly [path: string, pattern: string | undefined])[], most: number): Problem[] {
  const problems: Problem[] = []
  let left = most
  for (const [path, pattern] of all) {
    const size = pattern === undefined ? 0 : sizeOf(pattern)
    if (typeof size === 'string') problems.push({ path, message: `is no regular expression of RE2: ${size}` })
    else if ((left -= size) < 0) return [...problems, { path, message: tooLarge(most) }]
  }
  return problems
}

const tooLarge = (most: number): string =>
  `makes the patterns larger than ${most} steps, all together: a repetition such as {1000} counts as often as it says. Write + or * where the number does not matter, and compare lengths in the rule`

/** The steps of its program, or what is wrong with it. */
function sizeOf(pattern: string): number | string {
  try {
    return re2.compile(pattern).programSize()
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown'
  }
}

const VERSION = 'patterns-2'

/**
 * What fuel counts, for the evidence of receipts (`meter`): two runs are to use the same only where this is the same. What looks cost
 * stands in it for the modules that may look.
 */
export function meterOf({ capabilities }: RuleManifest, ...versions: readonly (string | number)[]): string {
  return [...versions, ...(capabilities.includes('regex') ? [VERSION] : [])].join(' ')
}

/**
 * A pattern of a rule. What a look costs depends on the pattern and the text alone, not on what was cached before: whether there is a
 * match costs for each byte, and where it is for each byte that had to be read for that, which is several times dearer, and may be more than
 * the match has: `a.*b|a` reads on for a `b`.
 */
export interface Pattern {
  /** `most` bytes may be read to tell where a match is: past them it is refused, as what cannot be paid. */
  find(text: Uint8Array, from: number, most: number): Look | null
  readonly fuelPerByte: number
  readonly fuelPerMatchedByte: number
}

export interface Look {
  readonly start: number
  readonly end: number
  /** Bytes that were read to tell where it is. */
  readonly read: number
}

export function compilePatterns(patterns: RuleManifest['patterns']): ReadonlyMap<string, Pattern> {
  return new Map(Object.entries(patterns).map(([id, pattern]) => [id, compile(pattern)]))
}

/** Bytes that the automaton of one pattern may keep, by its own count. */
const mostCached = 524_288
const UNANCHORED = 0

function compile(pattern: string): Pattern {
  const compiled = re2.compile(pattern)
  const engine = compiled.re2()
  engine.dfa.stateBudget = engine.dfa.memBudget = mostCached
  const size = compiled.programSize()
  return {
    fuelPerByte: 2 + Math.ceil(size / 4),
    fuelPerMatchedByte: size,
    find(text, from, most) {
      // Asked for no groups it uses its automaton; most texts hold no match.
      if (engine.executeEngine(re2.inputOf(text), from, UNANCHORED, 0) === null) return null
      const input = re2.boundedInputOf(text, from, most)
      const found = engine.executeEngine(input, from, UNANCHORED, 2) as readonly [number, number] | null
      return found && { start: found[0], end: found[1], read: input.read }
    },
  }
}
