import type { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { RE2JS } from 're2js'
import type { Problem } from './types.js'

/** What is wrong with the regular expressions of a manifest. They are of the syntax of RE2, which needs time in proportion to a text. */
export function checkPatterns({ patterns, config }: RuleManifest): readonly Problem[] {
  const ofConfig = Object.entries(config).map(([key, { pattern }]) => [`config.${key}.pattern`, pattern] as const)
  const ofRule = Object.entries(patterns).map(([id, pattern]) => [`patterns.${id}`, pattern] as const)
  return [...ofConfig, ...ofRule].flatMap(([path, pattern]) => {
    const problem = pattern === undefined ? null : problemOf(pattern)
    return problem === null ? [] : [{ path, message: `is no regular expression of RE2: ${problem}` }]
  })
}

function problemOf(pattern: string): string | null {
  try {
    RE2JS.compile(pattern)
    return null
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
  const compiled = RE2JS.compile(pattern)
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
