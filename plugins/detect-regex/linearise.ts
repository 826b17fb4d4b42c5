import type { AST } from '@eslint-community/regexpp'
import { complement, DIGITS, foldCase, SPACES, union, WORDS } from './fold.js'
import type { CharSet } from './fold.js'

/** A pattern said anew. `weight` is about how much work it is for each character of a text. */
export interface Linear {
  readonly source: string
  readonly weight: number
}

/** Past this a pattern costs too much for each character to be run beside the calls. */
const MOST_WEIGHT = 1_000
const EMPTY: Linear = { source: '', weight: 0 }

/** What a set of signs means: all that the flag `i` takes for one of them, or they alone. */
export type Fold = (set: CharSet) => CharSet
export const asWritten: Fold = (members) => members

/**
 * Says a pattern that is meant with the flag `i` (or, if told, without) anew without it, and without counts: V8 refuses to run
 * those in linear time. Letters become classes, `x{2,4}` becomes `xx(?:x(?:x)?)?`, groups do not capture. Null when it cannot be
 * said so (lookaround, references back, modifiers) or grows too large; such a pattern has to run where it can be killed.
 */
export function linearise(pattern: AST.Pattern, ignoreCase = true): Linear | null {
  return alternatives(pattern.alternatives, ignoreCase ? foldCase : asWritten)
}

function alternatives(list: readonly AST.Alternative[], fold: Fold): Linear | null {
  const said = list.map(({ elements }) => sequence(elements.map((node) => element(node, fold))))
  const whole = sequence(said)
  return whole && { source: said.map((one) => one?.source).join('|'), weight: whole.weight + list.length - 1 }
}

function sequence(parts: readonly (Linear | null)[]): Linear | null {
  let source = ''
  let weight = 0
  for (const part of parts) {
    if (part === null) return null
    source += part.source
    weight += part.weight
    if (weight > MOST_WEIGHT) return null
  }
  return { source, weight }
}

function element(node: AST.Element, fold: Fold): Linear | null {
  switch (node.type) {
    case 'Character':
      return print(fold([[node.value, node.value]]))
    case 'CharacterSet':
      return characterSet(node, fold)
    case 'CharacterClass':
      return characterClass(node, fold)
    case 'Quantifier':
      return quantifier(node, fold)
    case 'Group':
      return node.modifiers === null ? group(alternatives(node.alternatives, fold)) : null
    case 'CapturingGroup':
      return group(alternatives(node.alternatives, fold))
    case 'Assertion':
      return assertion(node)
    default:
      return null
  }
}

const group = (inner: Linear | null): Linear | null =>
  inner && { source: `(?:${inner.source})`, weight: inner.weight + 1 }

function assertion(node: AST.Assertion): Linear | null {
  if (node.kind === 'start') return { source: '^', weight: 1 }
  if (node.kind === 'end') return { source: '$', weight: 1 }
  return node.kind === 'word' ? { source: node.negate ? '\\B' : '\\b', weight: 1 } : null
}

function characterSet(node: AST.CharacterSet, fold: Fold): Linear | null {
  if (node.kind === 'any') return { source: '.', weight: 4 }
  const members = escapeSet(node)
  return members && print(fold(members))
}

/** Null for what needs the flag `u`. */
export function escapeSet(node: AST.CharacterSet): CharSet | null {
  if (node.kind === 'any' || node.kind === 'property') return null
  const members = { digit: DIGITS, space: SPACES, word: WORDS }[node.kind]
  return node.negate ? complement(members) : members
}

function characterClass(node: AST.CharacterClass, fold: Fold): Linear | null {
  const members = membersOf(node, fold)
  return members && print(members)
}

/** The signs of a class. */
export function membersOf(node: AST.CharacterClass, fold: Fold): CharSet | null {
  const ranges: (readonly [number, number])[] = []
  for (const member of node.elements) {
    if (member.type === 'Character') ranges.push([member.value, member.value])
    else if (member.type === 'CharacterClassRange') ranges.push([member.min.value, member.max.value])
    else {
      const members = member.type === 'CharacterSet' ? escapeSet(member) : null
      if (members === null) return null
      ranges.push(...members)
    }
  }
  const folded = fold(union(ranges))
  return node.negate ? complement(folded) : folded
}

function print(members: CharSet): Linear {
  const [only] = members
  if (members.length === 1 && only !== undefined && only[0] === only[1]) return { source: sign(only[0]), weight: 1 }
  const ranges = members.map(([low, high]) => (low === high ? sign(low) : `${sign(low)}-${sign(high)}`))
  return { source: `[${ranges.join('')}]`, weight: Math.max(1, members.length) }
}

const sign = (unit: number) => {
  const text = String.fromCharCode(unit)
  return /[0-9A-Za-z]/.test(text) ? text : `\\u${unit.toString(16).padStart(4, '0')}`
}

function quantifier({ element: node, min, max, greedy }: AST.Quantifier, fold: Fold): Linear | null {
  const inner = element(node, fold)
  if (inner === null) return null
  const lazy = greedy ? '' : '?'
  const copies = max === Infinity ? Math.max(min, 1) : max
  if (copies * (inner.weight + 1) > MOST_WEIGHT) return null
  if (max === Infinity) {
    const loop = min === 0 ? '*' : '+'
    const source = inner.source.repeat(Math.max(min - 1, 0)) + inner.source + loop + lazy
    return { source, weight: copies * inner.weight + 1 }
  }
  // A repetition that takes nothing is not tried again; nested copies of what can be empty would not hold to that.
  if (max - min > 1 && canBeEmpty(node)) return null
  let tail = ''
  for (let left = max - min; left > 0; left -= 1) tail = `(?:${inner.source}${tail})?${lazy}`
  const source = inner.source.repeat(min) + tail
  return source === '' ? EMPTY : { source, weight: max * (inner.weight + 1) }
}

/** True when a pattern can match without taking a character. */
export function canBeEmpty(node: AST.Pattern | AST.Element | AST.Alternative): boolean {
  switch (node.type) {
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return node.alternatives.some(canBeEmpty)
    case 'Alternative':
      return node.elements.every(canBeEmpty)
    case 'Quantifier':
      return node.min === 0 || canBeEmpty(node.element)
    case 'Assertion':
    case 'Backreference':
      return true
    default:
      return false
  }
}
