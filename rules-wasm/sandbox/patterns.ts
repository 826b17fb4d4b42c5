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

/** A pattern of a rule, and what a byte of text costs it at most. */
export interface Pattern {
  find(text: Uint8Array, from: number): readonly [start: number, end: number] | null
  readonly fuelPerByte: number
}

export function compilePatterns(patterns: RuleManifest['patterns']): ReadonlyMap<string, Pattern> {
  return new Map(Object.entries(patterns).map(([id, pattern]) => [id, compile(pattern)]))
}

function compile(pattern: string): Pattern {
  const compiled = RE2JS.compile(pattern)
  return {
    fuelPerByte: 1 + Math.ceil(compiled.programSize() / 4),
    find(text, from) {
      const matcher = compiled.matcher(text)
      return matcher.find(from) ? [matcher.start(), matcher.end()] : null
    },
  }
}
