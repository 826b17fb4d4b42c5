/** How much a word nearby adds, and the least that it makes of a score (as Presidio's enhancer). */
const RISE = 0.35
const LEAST = 0.4
/** Nearer words count a little more, so that of two kinds of number the one named last is meant. */
const NEARNESS = 0.01
const MOST_WORDS = 6
const LONGEST = 96

/** Finds the words before the values of one text. */
export interface Hints {
  raise(score: number, start: number, hints: ReadonlySet<string>): number
  /** False only when no value of the text can have a hint. */
  hasAny(hints: ReadonlySet<string>): boolean
}

export function createHints(text: string, given: ReadonlySet<string>): Hints {
  const columns = createColumns(text)
  const places = new Map<number, Place>()
  let lower: string | undefined
  const look = (start: number): Place => {
    const before = wordsOf(text.slice(Math.max(0, start - LONGEST), start)).slice(-MOST_WORDS)
    return { isStranger: STRANGERS.has(before.at(-1) ?? ''), words: columns(start) ?? before }
  }
  return {
    raise(score, start, hints) {
      // Several recognisers look at the same number.
      let place = places.get(start)
      if (place === undefined) places.set(start, (place = look(start)))
      if (place.isStranger) return score * FALL
      const distance = nearestOf(place.words, hints) ?? (isGiven(given, hints) ? MOST_WORDS : null)
      if (distance === null) return score
      return Math.min(1, Math.max(score + RISE, LEAST) + (MOST_WORDS - distance) * NEARNESS)
    },
    hasAny(hints) {
      const whole = (lower ??= text.toLowerCase())
      return isGiven(given, hints) || [...hints].some((word) => whole.includes(word))
    },
  }
}

/** The words that speak for a value: those before it, or at the head of its column. */
interface Place {
  readonly isStranger: boolean
  readonly words: readonly string[]
}

/** What a number is named that is not of a person. */
const STRANGERS = new Set(
  'sku order batch serial part isbn tracking voucher build version commit revision invoice ticket issue model sample bytes rows'.split(
    ' ',
  ),
)
const FALL = 0.3

const isGiven = (given: ReadonlySet<string>, hints: ReadonlySet<string>) =>
  [...given].some((word) => isHint(word, hints))

/** How many words lie between the last that is a hint and the value. */
function nearestOf(before: readonly string[], hints: ReadonlySet<string>): number | null {
  for (let at = before.length - 1; at >= 0; at -= 1)
    if (isHint(before[at] as string, hints)) return before.length - 1 - at
  return null
}

const isHint = (word: string, hints: ReadonlySet<string>) =>
  hints.has(word) || (word.endsWith('s') && hints.has(word.slice(0, -1)))

/** Words in lower case; `socialSecurityNumber` and `social_security_number` are three. */
export function wordsOf(text: string): readonly string[] {
  const apart = text.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return apart.match(/[a-z\u00aa-\uffff]+/g) ?? []
}

const SEPARATORS = ['|', '\t', ';', ','] as const
/** Longer texts are no tables that a person would look at. */
const LARGEST_TABLE = 65_536
const LONGEST_LINE = 1_000

/** For a place in a table: the words at the head of its column. A table is lines with equally many separators. */
function createColumns(text: string): (start: number) => readonly string[] | null {
  if (text.length > LARGEST_TABLE || !SEPARATORS.some((sign) => text.includes(sign))) return () => null
  const heads = new Map<number, string>()
  const inserts = /\bvalues\s*\(/i.test(text)
  const isTable = text.includes('\n')
  return (start) => {
    const inserted = inserts ? insertedColumn(text, start) : null
    if (inserted !== null || !isTable) return inserted
    const lineStart = text.lastIndexOf('\n', start - 1) + 1
    if (start - lineStart > LONGEST_LINE) return null
    const [line = ''] = text.slice(lineStart, lineStart + 2 * LONGEST_LINE).split('\n', 1)
    const separator = SEPARATORS.find((sign) => line.includes(sign))
    if (separator === undefined) return null
    const head = headOf(text, lineStart, { separator, columns: line.split(separator).length }, heads)
    // A head has names only: lines of prose may have equally many commas.
    if (head === '' || /\d/.test(head)) return null
    const column = line.slice(0, start - lineStart).split(separator).length - 1
    return wordsOf(head.split(separator)[column] ?? '')
  }
}

const INSERT = /\(([^()]{1,2000})\)\s*values\s*\(([^()]{0,4000})$/i

/** The column that a value of `INSERT INTO t (a, b) VALUES (…` goes to. */
function insertedColumn(text: string, start: number): readonly string[] | null {
  const match = INSERT.exec(text.slice(Math.max(0, start - LONGEST_INSERT), start))
  if (match === null) return null
  const [, columns = '', values = ''] = match
  return wordsOf(columns.split(',')[values.split(/',\s*'?/).length - 1] ?? '')
}

const LONGEST_INSERT = 2_048

interface Shape {
  readonly separator: string
  readonly columns: number
}

function headOf(text: string, lineStart: number, shape: Shape, heads: Map<number, string>): string {
  const passed: number[] = []
  let at = lineStart
  let head = ''
  while (at > 0) {
    const before = text.lastIndexOf('\n', at - 2) + 1
    const line = text.slice(before, at - 1)
    if (line.split(shape.separator).length !== shape.columns) break
    const known = heads.get(before)
    passed.push(before)
    head = known ?? line
    if (known !== undefined) break
    at = before
  }
  for (const place of passed) heads.set(place, head)
  return head
}
