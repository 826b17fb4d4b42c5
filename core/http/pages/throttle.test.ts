import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../../errors.js'
import { createThrottle } from './throttle.js'

const refused = (work: Promise<void>) =>
  work.then(
    () => false,
    (error: unknown) => error instanceof GatehouseError && error.code === 'GH_PAGE_RATE_LIMITED',
  )

test('so many of one key, and others are not touched', async () => {
  const throttle = createThrottle({ points: 2, seconds: 60 })
  assert.equal(
    [await refused(throttle('a')), await refused(throttle('a')), await refused(throttle('a'))],
    [false, false, true],
  )
  assert.not.ok(await refused(throttle('b')))
})

test('what turned out well does not count', async () => {
  const throttle = createThrottle({ points: 2, seconds: 60 })
  for (let n = 0; n < 10; n += 1) {
    assert.not.ok(await refused(throttle('a')))
    await throttle.forgive('a')
  }
  assert.not.ok(await refused(throttle('a', 2)))
  assert.ok(await refused(throttle('a')))
})

test.run()
