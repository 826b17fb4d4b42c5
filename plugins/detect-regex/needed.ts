import type { AST } from '@eslint-community/regexpp'
import { foldCase } from './fold.js'

/**
 * What a text must hold to have a match at all: at least one of these, looked for in the text's lower case. Null when nothing
 * is known, or only what stands in every text. To look for a text is a hundred times cheaper than to run an expression.
 */
export function neededTexts(pattern: AST.Pattern): readonly string[] | null {
  const { some } = inAnyOf(pattern.alternatives.map(knownOf))
  return some !== null && some.every(isRare) ? some : null
}

/**
 * A sign without which the pattern (with the flag `i`) cannot match, the rarest in common texts if there are several; null
 * when there is none, or none is known.
 */
export function neededSign(pattern: AST.Pattern): string | null {
  const signs = [...needed(pattern)].map((unit) => String.fromCharCode(unit))
  return signs.toSorted((a, b) => commonness(a) - commonness(b))[0] ?? null
}

/** What is known of all that a node matches: it is this text, or it holds at least one of these. */
interface Known {
  readonly exact: string | null
  readonly some: readonly string[] | null
}
const UNKNOWN: Known = { exact: null, some: null }
const MOST_TEXTS = 16
const LONGEST_TEXT = 32

function knownOf(node: AST.Alternative | AST.Element): Known {
  switch (node.type) {
    case 'Alternative':
      return inSequence(node.elements.map(knownOf))
    case 'Group':
    case 'CapturingGroup':
      return inAnyOf(node.alternatives.map(knownOf))
    case 'Quantifier':
      return repeated(node)
    case 'Assertion':
      return { exact: '', some: null }
    case 'Character':
      return alike([node.value])
    case 'CharacterClass':
      return node.negate || node.elements.some(({ type }) => type !== 'Character')
        ? UNKNOWN
        : alike(node.elements.map((member) => (member as AST.Character).value))
    default:
      return UNKNOWN
  }
}

/** Signs that are one in lower case. What a text's lower case may turn into something else is not known. */
function alike(units: readonly number[]): Known {
  const signs = new Set(units.map((unit) => String.fromCharCode(unit).toLowerCase()))
  const [sign] = signs
  if (signs.size !== 1 || sign === undefined) return UNKNOWN
  const isKnown = units.every((unit) => unit < 128 || (isAlone(unit) && sign === String.fromCharCode(unit)))
  return isKnown ? { exact: sign, some: null } : UNKNOWN
}

function repeated({ element, min, max }: AST.Quantifier): Known {
  if (min === 0) return max === 0 ? { exact: '', some: null } : UNKNOWN
  const { exact, some } = knownOf(element)
  if (exact === null) return { exact: null, some }
  const least = exact.repeat(Math.min(min, LONGEST_TEXT)).slice(0, LONGEST_TEXT)
  const isExact = min === max && exact.length * min <= LONGEST_TEXT
  return isExact ? { exact: least, some: null } : { exact: null, some: least === '' ? null : [least] }
}

/** Texts that follow one another are one; of what all matches hold, the rarest is kept. */
function inSequence(parts: readonly Known[]): Known {
  let run = ''
  let isExact = true
  let best: readonly string[] | null = null
  const weigh = (some: readonly string[] | null) => {
    if (some !== null && rarity(some) > rarity(best)) best = some
  }
  for (const { exact, some } of parts) {
    if (exact !== null && run.length + exact.length <= LONGEST_TEXT) {
      run += exact
      continue
    }
    isExact = false
    if (run !== '') weigh([run])
    run = exact ?? ''
    weigh(some)
  }
  if (isExact) return { exact: run, some: null }
  if (run !== '') weigh([run])
  return { exact: null, some: best }
}

function inAnyOf(choices: readonly Known[]): Known {
  const [only] = choices
  if (choices.length === 1 && only?.exact != null)
    return { exact: only.exact, some: only.exact === '' ? null : [only.exact] }
  const texts = new Set<string>()
  for (const { exact, some } of choices) {
    const held = exact === null ? some : exact === '' ? null : [exact]
    if (held === null) return UNKNOWN
    for (const text of held) texts.add(text)
  }
  return texts.size > MOST_TEXTS ? UNKNOWN : { exact: null, some: [...texts] }
}

const ORDINARY = /^[a-z0-9 ]$/
const isRare = (text: string) => text.length > 1 || !ORDINARY.test(text)

/** The more, the better: how rare the commonest of them is in ordinary texts. */
function rarity(some: readonly string[] | null): number {
  if (some === null) return 0
  const least = Math.min(...some.map((text) => text.length + [...text].filter((sign) => !COMMON.includes(sign)).length))
  return least - some.length / 100
}

/** The code units that stand in every match. */
function needed(node: AST.Pattern | AST.Alternative | AST.Element): ReadonlySet<number> {
  switch (node.type) {
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return inAll(node.alternatives.map(needed))
    case 'Alternative':
      return new Set(node.elements.flatMap((element) => [...needed(element)]))
    case 'Quantifier':
      return node.min === 0 ? NONE : needed(node.element)
    case 'Character':
      return isAlone(node.value) ? new Set([node.value]) : NONE
    default:
      return NONE
  }
}

const NONE: ReadonlySet<number> = new Set()

function inAll([first = NONE, ...others]: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  return new Set([...first].filter((unit) => others.every((other) => other.has(unit))))
}

/** No letter in another case may stand in its place. */
const isAlone = (unit: number) => foldCase([[unit, unit]]).every(([low, high]) => low === high && low === unit)

const COMMON = ' "e.,0123456789-:/\'()_{}[]'
const commonness = (sign: string) => {
  const at = COMMON.indexOf(sign)
  return at < 0 ? 0 : COMMON.length - at
}
