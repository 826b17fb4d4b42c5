import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { trustedBefore } from './features.js'

type Told = 'trusted' | 'approved' | 'rejected'
const before = (...oldestFirst: readonly (readonly [Told, string])[]) =>
  trustedBefore(oldestFirst.map(([event, sha256]) => ({ event, sha256 })).toReversed())

test('what was trusted before is gone back to once, step by step', () => {
  assert.is(before(['trusted', 'one'], ['approved', 'two']), 'one')
  assert.is(before(['trusted', 'one'], ['approved', 'two'], ['approved', 'three']), 'two')
  assert.is(before(['trusted', 'one'], ['approved', 'two'], ['approved', 'three'], ['approved', 'two']), 'one')
})

test('taking an approval back twice does not trust again what was taken back', () => {
  assert.is(before(['trusted', 'one'], ['approved', 'two'], ['approved', 'one']), null)
})

test('what was rejected is never gone back to', () => {
  assert.is(before(['trusted', 'one'], ['approved', 'two'], ['rejected', 'one'], ['approved', 'three']), 'two')
  assert.is(before(['trusted', 'one'], ['rejected', 'one'], ['approved', 'two']), null)
})

test.run()
