import type { AST } from '@eslint-community/regexpp'
import { complement, foldCase, has, union } from './fold.js'
import type { CharSet } from './fold.js'
import { escapeSet, membersOf } from './linearise.js'
import type { Fold } from './linearise.js'

/** A set of signs, quick to ask. */
export interface Alphabet {
  holds(unit: number): boolean
}

/**
 * The signs that can stand in a match, and no other. Null where nothing is won or what stands around a match counts for more than one sign: lookaround, references back, the
 * edges of the text.
 */
export function alphabetOf(pattern: AST.Pattern, fold: Fold = foldCase): Alphabet | null {
  const members = signsOf(pattern, fold)
  if (members === null || complement(members).length === 0) return null
  return tabulated(members)
}

/**
 * The signs that a pattern may repeat without end one by one (`\s+`, `.*`); null when there is no such loop. V8 goes back through
 * those without counting it, so a run of n such signs may cost n * n steps, whatever was proven.
 */
export function loopsOf(pattern: AST.Pattern, fold: Fold = foldCase): Alphabet | null {
  const looped = loopedIn(pattern, fold)
  return looped.length === 0 ? null : tabulated(union(looped))
}

function loopedIn(node: AST.Pattern | AST.Alternative | AST.Element, fold: Fold): CharSet {
  switch (node.type) {
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return node.alternatives.flatMap((one) => loopedIn(one, fold))
    case 'Alternative':
      return node.elements.flatMap((one) => loopedIn(one, fold))
    case 'Quantifier':
      return node.max === Infinity && isOne(node.element)
        ? (signsOf(node.element, fold) ?? EVERY)
        : loopedIn(node.element, fold)
    default:
      return []
  }
}

/** One sign at a time, however it is wrapped. */
function isOne(node: AST.Element): boolean {
  if (node.type !== 'Group' && node.type !== 'CapturingGroup')
    return !('alternatives' in node) && node.type !== 'Quantifier'
  return (
    node.alternatives.every(
      ({ elements: [first, ...rest] }) => first !== undefined && rest.length === 0 && isOne(first),
    ) && node.alternatives.length === 1
  )
}

const EVERY: CharSet = [[0, 0xffff]]

function tabulated(members: CharSet): Alphabet {
  const low = new Uint8Array(256)
  for (let unit = 0; unit < low.length; unit += 1) low[unit] = has(members, unit) ? 1 : 0
  return { holds: (unit) => (unit < 256 ? low[unit] === 1 : has(members, unit)) }
}

function signsOf(node: AST.Pattern | AST.Alternative | AST.Element, fold: Fold): CharSet | null {
  switch (node.type) {
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return node.type === 'Group' && node.modifiers !== null
        ? null
        : all(node.alternatives.map((one) => signsOf(one, fold)))
    case 'Alternative':
      return all(node.elements.map((one) => signsOf(one, fold)))
    case 'Quantifier':
      return signsOf(node.element, fold)
    case 'Character':
      return fold([[node.value, node.value]])
    case 'CharacterSet':
      return node.kind === 'any' ? ANY : folded(escapeSet(node), fold)
    case 'CharacterClass':
      return membersOf(node, fold)
    case 'Assertion':
      return node.kind === 'word' ? [] : null
    default:
      return null
  }
}

/** A dot: all but what ends a line. */
const ANY = complement([
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
])

const folded = (members: CharSet | null, fold: Fold) => members && fold(members)

function all(sets: readonly (CharSet | null)[]): CharSet | null {
  const ranges: (readonly [number, number])[] = []
  for (const members of sets) {
    if (members === null) return null
    ranges.push(...members)
  }
  return union(ranges)
}
