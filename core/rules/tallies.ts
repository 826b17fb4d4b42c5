import type { RuleWatch, Tally } from '../domain/rule-watch.js'
import type { CompiledRule } from '../domain/snapshot.js'
import type { Ended } from './judge.js'

/** A tally that was taken, and whose it is. */
export interface Taken {
  readonly compiled: CompiledRule
  readonly tally: Tally
}

/** Counts what rules come to, in memory, for somebody who writes it down now and then. */
export interface Tallies {
  note(ended: Ended): void
  /** All since the last time. */
  take(): readonly Taken[]
}

/** So many counters of one rule are told apart. */
const MOST_COUNTERS = 200
const COUNTER = 'counter.'

export function createTallies(): Tallies {
  let dirty = new Map<RuleWatch, CompiledRule>()
  const fresh = (compiled: CompiledRule): Tally => {
    dirty.set(compiled.watch, compiled)
    return (compiled.watch.tally = emptyTally())
  }
  return {
    note(ended) {
      const { compiled } = ended
      add(compiled.watch.tally ?? fresh(compiled), ended)
    },
    take() {
      const taken = [...dirty.values()].flatMap((compiled) => {
        const { tally } = compiled.watch
        compiled.watch.tally = null
        return tally === null ? [] : [{ compiled, tally }]
      })
      dirty = new Map()
      return taken
    },
  }
}

export const emptyTally = (): Tally => ({
  calls: 0,
  changes: 0,
  blocks: 0,
  detections: 0,
  undecided: 0,
  strikes: {},
  fuelCalls: 0,
  fuelSum: 0,
  fuelMax: 0,
  msSum: 0,
  msMax: 0,
  counters: {},
})

/** A new one, of both. */
export const mergeTallies = (some: Tally, others: Tally): Tally => ({
  calls: some.calls + others.calls,
  changes: some.changes + others.changes,
  blocks: some.blocks + others.blocks,
  detections: some.detections + others.detections,
  undecided: some.undecided + others.undecided,
  strikes: merged(some.strikes, others.strikes),
  fuelCalls: some.fuelCalls + others.fuelCalls,
  fuelSum: some.fuelSum + others.fuelSum,
  fuelMax: Math.max(some.fuelMax, others.fuelMax),
  msSum: some.msSum + others.msSum,
  msMax: Math.max(some.msMax, others.msMax),
  counters: merged(some.counters, others.counters),
})

function merged(some: Tally['counters'], others: Tally['counters']): Tally['counters'] {
  const both = { ...some }
  for (const [name, n] of Object.entries(others)) raise(both, name, n)
  return both
}

function add(tally: Tally, { verdict, ms, told }: Ended): void {
  tally.calls += 1
  if (verdict === 'modify') tally.changes += 1
  else if (verdict === 'block') tally.blocks += 1
  else if (verdict === 'detect') tally.detections += 1
  else if (verdict === 'undecided') tally.undecided += 1
  tally.msSum += ms
  if (ms > tally.msMax) tally.msMax = ms
  if (told !== null) addTold(tally, told)
}

function addTold(tally: Tally, { evidence, counts, strike }: NonNullable<Ended['told']>): void {
  const fuel = evidence?.['fuel']
  if (typeof fuel === 'number' && fuel >= 0) {
    tally.fuelCalls += 1
    tally.fuelSum += fuel
    tally.fuelMax = Math.max(tally.fuelMax, fuel)
  }
  if (strike !== null) raise(tally.strikes, kindOf(strike), 1)
  for (const [name, n] of Object.entries(counts ?? {})) raise(tally.counters, name, n)
  for (const [key, n] of Object.entries(evidence ?? {}))
    if (key.startsWith(COUNTER) && typeof n === 'number' && n > 0)
      raise(tally.counters, key.slice(COUNTER.length), Math.floor(n))
}

/** A name is what a rule says: it may be called like what every object has. */
function raise(counters: Record<string, number>, name: string, n: number): void {
  const isKnown = Object.hasOwn(counters, name)
  if (name === '__proto__' || (!isKnown && Object.keys(counters).length >= MOST_COUNTERS)) return
  counters[name] = isKnown ? (counters[name] as number) + n : n
}

const kindOf = (strike: string): string => /^([a-z]{1,32})(?::|$)/.exec(strike)?.[1] ?? 'other'
