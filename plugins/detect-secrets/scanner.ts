import type { Finding, Leaf } from '@gatehouse/sdk'
import { CHECKS } from '@gatehouse/sdk/patterns'
import type { Check, LibraryPattern, Stretch } from '@gatehouse/sdk/patterns'
import { NAMES, readAssignment } from './assignments.js'
import type { AssignmentOptions } from './assignments.js'
import { ASSIGNMENT, SECRETS } from './config.js'
import type { RuleConfig } from './config.js'
import { createFinder } from './finder.js'

/** Adds the secrets of one text to the findings. False when the time was over before: then they are not all there. */
export type Scanner = (leaf: Leaf, index: number, into: Into) => boolean

export interface Into {
  readonly findings: Finding[]
  /** By the clock of `performance`. */
  readonly until: number
}

export interface ScannerOptions {
  readonly patterns: readonly LibraryPattern[]
  /** Null: values behind names are left alone. */
  readonly assignments: AssignmentOptions | null
}

/** A pattern, tried where one of its literals stands. */
interface Vendor {
  readonly id: string
  readonly regexp: RegExp
  readonly check: Check | null
  readonly at: readonly number[]
  /** Where its last match in this text ended: none begins before. */
  done: number
}
interface NameSeen {
  readonly name: string
  readonly at: number
}

/** A pattern has proof in its form; a value behind a name has not. */
const SURE = 1
const LIKELY = 0.6

/**
 * One walk over a text finds the literals of all patterns and the names of values; only where one stands, its pattern is tried, at
 * that place alone. Each pattern either ends within a bound or takes what it walked over, so a hostile text costs linear time.
 */
export function createScanner({ patterns, assignments }: ScannerOptions): Scanner {
  const vendors = patterns.flatMap((pattern) => {
    const vendor = toVendor(pattern)
    return (pattern.literals ?? []).map((text) => ({ text, vendor }))
  })
  const literals = vendors.map(({ text }) => ({ text, ignoreCase: false }))
  const names = (assignments === null ? [] : NAMES).map((text) => ({ text, ignoreCase: true }))
  const findAll = createFinder([...literals, ...names])
  const findNames = createFinder(names)

  return ({ kind, text }, leaf, { findings, until }) => {
    const seen: NameSeen[] = []
    const clock = clockOf(until)
    const first = findings.length
    if (kind === 'whole') {
      // What the whole message holds stands in its values, too; only a name can stand apart from its value.
      findNames(text, (needle, at) => {
        seen.push({ name: NAMES[needle] as string, at })
        return !clock.tick()
      })
    } else {
      const tried = new Set<Vendor>()
      findAll(text, (needle, at) => {
        const vendor = vendors[needle]?.vendor
        if (vendor === undefined) seen.push({ name: NAMES[needle - vendors.length] as string, at })
        else {
          tried.add(vendor)
          const stretch = tryAt(vendor, text, at)
          if (stretch !== null) findings.push(findingOf(vendor.id, leaf, stretch, SURE))
        }
        return !clock.tick()
      })
      for (const vendor of tried) vendor.done = 0
    }
    if (assignments !== null && seen.length > 0) {
      const taken = findings.slice(first)
      for (const value of secretValues(text, { seen, taken, clock }, assignments)) {
        findings.push(findingOf(ASSIGNMENT, leaf, value, LIKELY))
      }
    }
    return !clock.isOver
  }
}

/** The scanner of a rule. */
export function scannerFor({ only, except, entropy, minEntropy }: RuleConfig): Scanner {
  const isWanted = (id: string) => (only === undefined || only.includes(id)) && except?.includes(id) !== true
  return createScanner({
    patterns: SECRETS.filter(({ id }) => isWanted(id)),
    assignments: entropy && isWanted(ASSIGNMENT) ? { minEntropy } : null,
  })
}

/** `tick` looks at the time every 64th time, and answers whether it is over. */
interface Clock {
  tick(): boolean
  isOver: boolean
}

function clockOf(until: number): Clock {
  let ticks = 0
  const clock: Clock = {
    isOver: false,
    tick() {
      ticks += 1
      if ((ticks & 63) === 0) clock.isOver ||= performance.now() > until
      return clock.isOver
    },
  }
  return clock
}

function toVendor({ id, pattern, at = [0], check, ignoreCase }: LibraryPattern): Vendor {
  const regexp = new RegExp(pattern, ignoreCase === true ? 'iy' : 'y')
  return { id, regexp, check: check === undefined ? null : CHECKS[check], at, done: 0 }
}

const findingOf = (type: string, leaf: number, [start, end]: Stretch, score: number): Finding => ({
  type,
  leaf,
  start,
  end,
  score,
})

function tryAt(vendor: Vendor, text: string, literal: number): Stretch | null {
  for (const offset of vendor.at) {
    const start = literal - offset
    if (start < vendor.done) continue
    vendor.regexp.lastIndex = start
    if (!vendor.regexp.test(text)) continue
    vendor.done = vendor.regexp.lastIndex
    if (vendor.check === null) return [start, vendor.done]
    const inner = vendor.check(text.slice(start, vendor.done))
    return inner && [start + inner[0], start + inner[1]]
  }
  return null
}

/** The secrets among the values behind names. What a pattern has found already, and a name inside of a value, are none. */
function secretValues(
  text: string,
  {
    seen,
    taken,
    clock,
  }: { readonly seen: readonly NameSeen[]; readonly taken: readonly Finding[]; readonly clock: Clock },
  options: AssignmentOptions,
): readonly Stretch[] {
  const secrets: Stretch[] = []
  const spans = taken.toSorted((a, b) => a.start - b.start)
  let next = 0
  let done = 0
  for (const { name, at } of seen.toSorted((a, b) => a.at - b.at)) {
    if (clock.tick()) break
    if (at < done) continue
    const assignment = readAssignment(text, at, name, options)
    if (assignment === null) continue
    const [start, end] = assignment.value
    done = end
    while (next < spans.length && (spans[next] as Finding).end <= start) next += 1
    const isTaken = next < spans.length && (spans[next] as Finding).start < end
    if (assignment.isSecret && !isTaken) secrets.push(assignment.value)
  }
  return secrets
}
