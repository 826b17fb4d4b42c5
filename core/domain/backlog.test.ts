import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Backlog } from './backlog.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('what waits fills it, and it is drained when enough has left', async () => {
  const backlog = new Backlog(null)
  for (let n = 0; n < 1_000; n += 1) assert.ok(backlog.enter())
  assert.ok(backlog.full)
  let isDrained = false
  void backlog.drained().then(() => (isDrained = true))
  await turn()
  assert.not(isDrained)
  backlog.leave()
  await turn()
  assert.equal([isDrained, backlog.full], [true, false])
})

test('a reader that is full fills it, too', async () => {
  let wake: () => void = () => undefined
  const reader = { full: true, drained: () => new Promise<void>((resolve) => (wake = resolve)) }
  const backlog = new Backlog(reader)
  assert.ok(backlog.full)
  let isDrained = false
  void backlog.drained().then(() => (isDrained = true))
  wake()
  await turn()
  assert.not(isDrained, 'it is full still')
  reader.full = false
  wake()
  await turn()
  assert.ok(isDrained)
})

test('nothing more comes in when it holds ten times what fills it', () => {
  const backlog = new Backlog(null)
  for (let n = 0; n < 10_000; n += 1) assert.ok(backlog.enter())
  assert.not(backlog.enter())
  backlog.leave()
  assert.ok(backlog.enter())
})

test.run()
