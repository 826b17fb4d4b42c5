import type { Evaluation } from '@gatehouse/sdk'
import { block, modify, pass, undecided } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createTallies, emptyTally, mergeTallies } from './tallies.js'
import { bench, rule, subject } from './testing.js'

const ANSWERS: readonly Evaluation[] = [
  { ...pass(), evidence: { fuel: 10, 'counter.seen': 5 }, counts: { rows: 2 } },
  { ...block('no'), evidence: { fuel: 30 }, counts: { rows: 1, constructor: 4, __proto__: 1 } as never },
  modify({ message: { name: 'find_contact', arguments: { t: 'y' } } }),
  { ...undecided('x'), strike: 'trap: unreachable' },
  { ...pass(), strike: 'late' },
  { ...pass(), strike: 'Something else' },
]

test('every verdict, fuel, faults by kind and counters are counted, and taken once', async () => {
  const tallies = createTallies()
  let n = 0
  const { rules, compile } = bench({ teller: () => ANSWERS[n++ % ANSWERS.length] as Evaluation }, ['teller'], {
    tallies,
  })
  const compiled = await compile([rule({ engine: 'teller', action: null })])
  for (const _ of ANSWERS) await rules.inspectRequest(compiled, subject(), { name: 'find_contact', arguments: {} })
  const [taken, ...others] = tallies.take()
  assert.is(others.length, 0)
  assert.is(taken?.compiled, compiled[0])
  const { msSum, msMax, ...rest } = taken?.tally ?? emptyTally()
  assert.equal(rest, {
    calls: 6,
    changes: 1,
    blocks: 1,
    detections: 0,
    undecided: 1,
    strikes: { trap: 1, late: 1, other: 1 },
    fuelCalls: 2,
    fuelSum: 40,
    fuelMax: 30,
    counters: { rows: 3, seen: 5, constructor: 4 },
  })
  assert.ok(msSum >= msMax && msMax > 0)
  assert.equal(tallies.take(), [])
})

test('two tallies are one, and neither is changed', () => {
  const some = { ...emptyTally(), calls: 1, msMax: 3, strikes: { trap: 1 }, counters: { a: 1 } }
  const others = { ...emptyTally(), calls: 2, msMax: 2, strikes: { trap: 2, late: 1 }, counters: { b: 1 } }
  const { calls, msMax, strikes, counters } = mergeTallies(some, others)
  assert.equal([calls, msMax, strikes, counters], [3, 3, { trap: 3, late: 1 }, { a: 1, b: 1 }])
  assert.equal(some.strikes, { trap: 1 })
})

test.run()
