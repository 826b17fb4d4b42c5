import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { drain } from './drain.js'

test('a sweep goes on until it has come to the end, however much there is', async () => {
  let left = 25_001
  const limits = new Set<number>()
  await drain(async (limit) => {
    limits.add(limit)
    const gone = Math.min(limit, left)
    left -= gone
    return gone
  })
  assert.is(left, 0)
  assert.ok([...limits].every((limit) => limit <= 5_000))
})

test('it ends, also when rows come as fast as they go', async () => {
  let rounds = 0
  await drain(async (limit) => ((rounds += 1), limit))
  assert.ok(rounds < 1_000)
})

test.run()
