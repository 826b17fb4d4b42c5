import { RegExpParser, RegExpSyntaxError } from '@eslint-community/regexpp'
import type { AST } from '@eslint-community/regexpp'
import type { ConfigError } from '@gatehouse/sdk'
import type { CHECKS, LibraryPattern } from '@gatehouse/sdk/patterns'
import { isLinear } from './linear-engine.js'
import { canBeEmpty, linearise } from './linearise.js'
import { neededSign } from './needed.js'

/** A pattern ready to run. */
export interface Pattern {
  /** What findings are called: `pattern:1` is the rule's first; one of the library is called by its id. */
  readonly type: string
  /** What a worker runs. */
  readonly source: string
  readonly flags: string
  /** Proven to run in linear time, so it may run beside the calls; null: only in a worker. */
  readonly regexp: RegExp | null
  /** How much work it is for each character of a text. */
  readonly weight: number
  /** A text without any of these has no match; empty when nothing is known to be needed. */
  readonly needs: readonly string[]
  /** What a match has to pass besides, and what narrows it. */
  readonly check: CheckName | null
}
export type CheckName = keyof typeof CHECKS

/** Compiles one pattern of a rule; with `linear` false every pattern goes to the worker. */
export function compilePattern(text: string, index: number, linear: boolean): Pattern | ConfigError {
  const path = `patterns.${index}`
  const { source, offset } = unwrap(text)
  if (source === '') return { path, message: 'the pattern is empty' }
  const syntax = syntaxError(source, offset)
  if (syntax !== null) return { path, ...syntax }
  const tree = parse(source)
  if (tree instanceof Error ? new RegExp(source, 'i').test('') : canBeEmpty(tree)) {
    return { path, message: 'the pattern can match without taking a character' }
  }
  const property = PROPERTY.exec(source)
  if (property !== null) {
    const message = '\\p{…} needs the flag u, and rules run with i and g alone'
    return { path, message, position: property.index + property[0].length - 3 + offset }
  }
  const type = `pattern:${index + 1}`
  return (
    (linear && !(tree instanceof Error) ? compileLinear(tree, { type, ignoreCase: true, check: null }) : null) ??
    ({ type, source, flags: 'gi', regexp: null, weight: 0, needs: [], check: null } satisfies Pattern)
  )
}

/** Compiles a pattern of the library, which is known to be sound. */
export function compileReady(ready: LibraryPattern, linear: boolean): Pattern {
  const { id: type, pattern: source, ignoreCase = false, literals, check = null } = ready
  const tree = parse(source)
  const compiled = linear && !(tree instanceof Error) ? compileLinear(tree, { type, ignoreCase, check }) : null
  const slow = { type, source, flags: ignoreCase ? 'gi' : 'g', regexp: null, weight: 0, needs: [], check }
  return { ...(compiled ?? slow), ...(literals === undefined ? {} : { needs: literals }) }
}

/** Without the flag `u` this is the letter p and a brace: a rule that would never find what it was written for. */
const PROPERTY = /(?<!\\)(?:\\\\)*\\[pP]\{/

function compileLinear(
  tree: AST.Pattern,
  {
    type,
    ignoreCase,
    check,
  }: { readonly type: string; readonly ignoreCase: boolean; readonly check: CheckName | null },
): Pattern | null {
  const said = linearise(tree, ignoreCase)
  if (said === null) return null
  // The group keeps it apart from an equal expression that something else compiled before the flags were set.
  const source = `(?:${said.source})`
  if (!isLinear(source)) return null
  try {
    const regexp = new RegExp(source, 'g')
    // Compiled at the first use: one that is too large for V8 shows itself here.
    regexp.test('')
    const sign = neededSign(tree)
    return { type, source, flags: 'g', regexp, weight: said.weight, needs: sign === null ? [] : [sign], check }
  } catch {
    return null
  }
}

/** The pattern without the slashes it may stand in; flags behind them are not heeded. */
function unwrap(text: string): { source: string; offset: number } {
  const wrapped = /^\/(.*)\/[a-z]*$/s.exec(text)
  return wrapped === null ? { source: text, offset: 0 } : { source: wrapped[1] ?? '', offset: 1 }
}

function syntaxError(source: string, offset: number): Omit<ConfigError, 'path'> | null {
  try {
    void new RegExp(source, 'gi')
    return null
  } catch (thrown) {
    const parsed = parse(source)
    const message = thrown instanceof Error ? thrown.message : 'invalid regular expression'
    return parsed instanceof RegExpSyntaxError ? { message, position: parsed.index + offset } : { message }
  }
}

const parser = new RegExpParser({ ecmaVersion: 2025, strict: false })

/** The tree, or the error: our parser may not know what a newer V8 takes. */
function parse(source: string): AST.Pattern | Error {
  try {
    return parser.parsePattern(source, 0, source.length, { unicode: false })
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error('unreadable')
  }
}
