import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { expiryOf } from './tokens.js'

test('a lifetime is one that a date can say, whatever the server says', () => {
  const now = Date.now()
  assert.is(expiryOf({ expires_in: 3600 }, now), now + 3_600_000)
  for (const expires_in of [undefined, 0, -1, Number.NaN, Infinity]) assert.is(expiryOf({ expires_in }, now), null)
  for (const expires_in of [1e12, 1e300, Number.MAX_VALUE]) {
    const at = new Date(expiryOf({ expires_in }, now) ?? 0)
    assert.ok(at.getTime() > now)
    assert.ok(at.getUTCFullYear() < 2_200, at.toISOString())
  }
})

test.run()
