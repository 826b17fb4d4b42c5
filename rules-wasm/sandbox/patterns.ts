import type { RuleManifest } from '@gatehouse/sdk/rule-abi'
import * as re2 from './re2.js'
import type { Problem } from './types.js'

/**
 * How many steps of RE2's programs the patterns of one manifest may have, all together: those of its configuration are matched by whoever
 * is configured, on the thread of the calls; those of the rule are compiled by each thread that begins.
 */
const mostSteps = { config: 2_000, rule: 20_000 } as const

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
  `makes the patterns larger than ${most} steps, all together: a repetition such as {1000} counts as often as it says`

/** The steps of its program, or what is wrong with it. */
function sizeOf(pattern: string): number | string {
  try {
    return re2.compile(pattern).programSize()
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown'
  }
}

/**
 * A pattern of a rule. What a look costs depends on the pattern and the text alone, not on what was cached before: whether there is a
 * match costs for each byte, and where it is for each byte up to its end besides, which is several times dearer.
 */
export interface Pattern {
  find(text: Uint8Array, from: number): readonly [start: number, end: number] | null
  readonly fuelPerByte: number
  readonly fuelPerMatchedByte: number
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
    find(text, from) {
      const matcher = compiled.matcher(text)
      // Asked for no groups it uses its automaton; most texts hold no match.
      const [exists] = engine.matchMachineInput(matcher.matcherInput, from, text.length, UNANCHORED, 0) as [boolean]
      return exists && matcher.find(from) ? [matcher.start(), matcher.end()] : null
    },
  }
}
