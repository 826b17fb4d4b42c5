import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createThrottle } from './throttle.js'

test('after a stroke of work it rests, so that its share holds', async () => {
  let now = 0
  const throttle = createThrottle(0.25, () => now)
  const started = performance.now()
  now = 19
  await throttle.rest(new AbortController().signal)
  assert.ok(performance.now() - started < 15, 'too short to count')
  now = 20
  await throttle.rest(new AbortController().signal)
  assert.ok(performance.now() - started >= 59, 'three times as long as it worked')
})

test('a rest ends when it is cancelled', async () => {
  let now = 0
  const throttle = createThrottle(0.25, () => now)
  now = 60_000
  const cancelled = new AbortController()
  const resting = throttle.rest(cancelled.signal)
  cancelled.abort()
  let thrown: unknown
  await resting.catch((error: unknown) => (thrown = error))
  assert.is((thrown as Error).name, 'AbortError')
})

test.run()
