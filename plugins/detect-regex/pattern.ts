import { RegExpParser, RegExpSyntaxError } from '@eslint-community/regexpp'
import type { AST } from '@eslint-community/regexpp'
import type { ConfigError } from '@gatehouse/sdk'
import type { CheckName, LibraryPattern } from '@gatehouse/sdk/patterns'
import { alphabetOf, loopsOf } from './alphabet.js'
import type { Alphabet } from './alphabet.js'
import { foldCase } from './fold.js'
import { isLinear } from './linear-engine.js'
import { asWritten, canBeEmpty, linearise } from './linearise.js'
import type { Fold } from './linearise.js'
import { neededSign, neededTexts } from './needed.js'
import type { Windows } from './windows.js'

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
  /** Texts that hold none of these, in lower case, have no match. */
  readonly needs: readonly string[] | null
  /** Where alone it can match; null: anywhere. */
  readonly windows: Windows | null
  /** What it repeats without end; see `isSteep`. */
  readonly loops: Alphabet | null
  /** Whether the texts of a message may be looked at as one: it finds no less there than in each. */
  readonly joins: boolean
  /** What a match has to pass besides, and what narrows it. */
  readonly check: CheckName | null
}

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
  return compileTree(tree, { type, source, ignoreCase: true, check: null, linear })
}

/** Compiles a pattern of the library, which is known to be sound. */
export function compileReady(ready: LibraryPattern, linear: boolean): Pattern {
  const { id: type, pattern: source, ignoreCase = false, literals, check = null } = ready
  const compiled = compileTree(parse(source), { type, source, ignoreCase, check, linear })
  return literals === undefined ? compiled : { ...compiled, needs: literals.map((text) => text.toLowerCase()) }
}

interface Written {
  readonly type: string
  readonly source: string
  readonly ignoreCase: boolean
  readonly check: CheckName | null
  readonly linear: boolean
}

function compileTree(tree: AST.Pattern | Error, written: Written): Pattern {
  const { type, source, ignoreCase, check, linear } = written
  const flags = ignoreCase ? 'gi' : 'g'
  const nowhere = { regexp: null, weight: 0, needs: null, windows: null, loops: null, joins: false }
  const own = { type, source, flags, check, ...nowhere }
  if (tree instanceof Error) return own
  const needs = neededTexts(tree)
  return { ...own, needs, ...(linear ? compileLinear(tree, ignoreCase) : null) }
}

/** Without the flag `u` this is the letter p and a brace: a rule that would never find what it was written for. */
const PROPERTY = /(?<!\\)(?:\\\\)*\\[pP]\{/

function compileLinear(tree: AST.Pattern, ignoreCase: boolean): Partial<Pattern> | null {
  const said = linearise(tree, ignoreCase)
  if (said === null) return null
  // The group keeps it apart from an equal expression that something else compiled before the flags were set.
  const source = `(?:${said.source})`
  if (!isLinear(source)) return null
  try {
    const regexp = new RegExp(source, 'g')
    // Compiled at the first use: one that is too large for V8 shows itself here.
    regexp.test('')
    const fold = ignoreCase ? foldCase : asWritten
    const [windows, loops] = [windowsOf(tree, fold), loopsOf(tree, fold)]
    return { source, flags: 'g', regexp, weight: said.weight, windows, loops, joins: !EDGES.test(source) }
  } catch {
    return null
  }
}

/** Linear expressions have no lookaround: only these tell where a text begins and ends. Any such sign of their own is escaped. */
const EDGES = /[$^]/

function windowsOf(tree: AST.Pattern, fold: Fold): Windows | null {
  const sign = neededSign(tree)
  const alphabet = sign === null ? null : alphabetOf(tree, fold)
  return sign === null || alphabet === null ? null : { sign, alphabet }
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
