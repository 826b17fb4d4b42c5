import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Circuit } from './circuit.js'
import { fault } from './faults.js'

const DOWN = fault('GH_UPSTREAM_UNREACHABLE', 'crm', 'cannot be reached (ECONNREFUSED)')

function bench() {
  const clock = { now: 1_000_000 }
  const circuit = new Circuit(() => clock.now)
  const fail = (times: number) => Array.from({ length: times }, () => circuit.failed(DOWN))
  return { clock, circuit, fail }
}

test('five failures in a row open it, once', () => {
  const { circuit, fail, clock } = bench()
  assert.equal(fail(4), [false, false, false, false])
  assert.is(circuit.pause, 0)
  assert.equal(fail(3), [true, false, false])
  assert.equal(circuit.opening, { fault: DOWN, since: clock.now })
})

test('an answer between them begins the row anew', () => {
  const { circuit, fail } = bench()
  fail(4)
  assert.not(circuit.answered())
  fail(4)
  assert.is(circuit.opening, null)
})

test('one trial goes after 1 s, the next after 2, 4, 8, 16 and then every 30 s, though none of them ends', () => {
  const { circuit, fail, clock } = bench()
  fail(5)
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    assert.is(circuit.pause, seconds * 1_000)
    clock.now += seconds * 1_000 - 1
    assert.is(circuit.pause, 1)
    clock.now += 1
    assert.is(circuit.pause, 0)
    circuit.go()
  }
})

test('failures of calls that were under way when it opened make no pause longer', () => {
  const { circuit, fail } = bench()
  fail(60)
  assert.is(circuit.pause, 1_000)
})

test('any answer closes it, and its next opening begins with the shortest pause', () => {
  const { circuit, fail, clock } = bench()
  fail(5)
  clock.now += 1_000
  circuit.go()
  assert.ok(circuit.answered())
  assert.equal([circuit.pause, circuit.opening], [0, null])
  fail(5)
  assert.is(circuit.pause, 1_000)
  clock.now += 1_000
  circuit.go()
  assert.is(circuit.pause, 2_000)
})

test.run()
