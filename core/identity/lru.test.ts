import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Lru } from './lru.js'

test('what is asked for stays, however much comes after it', () => {
  const lru = new Lru<number>(100)
  lru.set('kept', 1)
  for (let n = 0; n < 10_000; n += 1) {
    lru.set(`n${n}`, n)
    assert.is(lru.get('kept'), 1)
  }
})

test('it never holds more than it may, and at least the half that was asked for last', () => {
  const lru = new Lru<number>(100)
  for (let n = 0; n < 1_000; n += 1) lru.set(`n${n}`, n)
  const held = Array.from({ length: 1_000 }, (_, n) => n).filter((n) => lru.get(`n${n}`) !== undefined)
  assert.ok(held.length <= 100, `${held.length}`)
  for (let n = 951; n < 1_000; n += 1) assert.ok(held.includes(n), `${n}`)
})

test('what is deleted or replaced does not come back from the older half', () => {
  const lru = new Lru<number>(4)
  lru.set('a', 1)
  lru.set('b', 1)
  lru.set('a', 2)
  assert.is(lru.get('a'), 2)
  lru.set('b', 2)
  lru.delete('a')
  lru.delete('b')
  assert.equal([lru.get('a'), lru.get('b')], [undefined, undefined])
})

test.run()
