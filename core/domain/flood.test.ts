import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FLOOD_LIMITS, nextTurn, refill } from './flood.js'

const turn = (tokens: number, waiting: number, gatheringMs: number | null) =>
  nextTurn({ tokens, waiting, gatheringMs }, FLOOD_LIMITS)

test('each alert is told by itself until the tokens are spent, then one message tells of all', () => {
  assert.is(turn(20, 0, null), 'nothing')
  assert.is(turn(20, 10_000, null), 'single')
  assert.is(turn(1, 9_981, null), 'single')
  assert.is(turn(0.9, 9_980, null), 'gather')
  assert.is(turn(5, 9_980, 59_999), 'nothing')
  assert.is(turn(10, 9_980, 60_000), 'digest')
  assert.is(turn(10, 1, 60_000), 'single')
  assert.is(turn(0, 50, 60_000), 'nothing')
})

test('tokens come back with time, up to the burst, and a clock that goes back takes none', () => {
  assert.is(refill(0, 6_000, FLOOD_LIMITS), 1)
  assert.is(refill(19, 3_600_000, FLOOD_LIMITS), 20)
  assert.is(refill(3, -5_000, FLOOD_LIMITS), 3)
})

test('an hour of flood is at most the burst and ten messages a minute', () => {
  let [tokens, sent, gathersSince] = [20, 0, null as number | null]
  for (let now = 0; now < 3_600_000; now += 100) {
    tokens = refill(tokens, 100, FLOOD_LIMITS)
    const next = turn(tokens, 1_000, gathersSince === null ? null : now - gathersSince)
    if (next === 'gather') gathersSince = now
    if (next === 'digest') gathersSince = null
    if (next === 'single' || next === 'digest') [sent, tokens] = [sent + 1, tokens - 1]
  }
  assert.ok(sent <= 20 + 600, String(sent))
  assert.ok(sent >= 60)
})

test.run()
