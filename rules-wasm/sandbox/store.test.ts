import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { RuleFault } from './fault.js'
import { Store } from './store.js'

function storeOf(stored: Readonly<Record<string, string>> | null): Store {
  const store = new Store()
  store.begin(stored === null ? null : new Map(Object.entries(stored)))
  return store
}

test('reads what it has written, and tells what it read and wants written', () => {
  const store = storeOf({ a: '1', b: '2' })
  assert.is(store.get('a'), '1')
  assert.is(store.get('z'), null)
  assert.ok(store.set('a', '9', 60))
  assert.is(store.get('a'), '9')
  store.delete('b')
  assert.is(store.get('b'), null)
  assert.equal({ ...store.reads }, { a: '1', z: null, b: '2' })
  assert.equal(store.writes, [
    { key: 'a', value: '9', ttlSeconds: 60 },
    { key: 'b', value: null, ttlSeconds: 0 },
  ])
})

test('keeps the longest time where none is given, and no longer', () => {
  const store = storeOf({})
  store.set('a', '1', 0)
  store.set('b', '1', 4_000_000_000)
  assert.equal(
    store.writes.map(({ ttlSeconds }) => ttlSeconds),
    [86_400, 86_400],
  )
})

test('has no room for more keys, bytes, or longer keys and values than its quotas', () => {
  const store = storeOf({})
  assert.not(store.set('k'.repeat(129), '', 0))
  assert.not(store.set('k', 'v'.repeat(4_097), 0))
  for (let n = 0; n < 64; n++) assert.ok(store.set(`${n}`, '', 0))
  assert.not(store.set('64', '', 0), 'keys')
  store.delete('0')
  assert.ok(store.set('64', '', 0), 'a deleted key makes room')
  const heavy = storeOf({})
  for (let n = 0; n < 7; n++) assert.ok(heavy.set(`${n}`, 'v'.repeat(4_096), 0))
  assert.ok(heavy.set('7', 'v'.repeat(4_088), 0))
  assert.not(heavy.set('8', '', 0), 'bytes')
  assert.ok(heavy.set('7', '', 0), 'what is replaced makes room')
})

test('a refusal can be repeated with what was read alone', () => {
  const stored = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`k${n}`, 'v']))
  const store = storeOf(stored)
  assert.not(store.set('more', '', 0))
  const again = storeOf(store.reads as Record<string, string>)
  assert.not(again.set('more', '', 0))
})

test('a rule without a store finds nothing and stores nothing', () => {
  const store = storeOf(null)
  assert.is(store.get('a'), null)
  assert.not(store.set('a', '1', 0))
  store.delete('a')
  assert.equal(store.writes, [])
  assert.equal({ ...store.reads }, {})
})

test('one run asks for few keys, whether they exist or not', () => {
  const store = storeOf({})
  assert.throws(
    () => {
      for (let n = 0; n < 1_000; n++) store.get(`${n}`)
    },
    (error: unknown) => error instanceof RuleFault && error.kind === 'trap',
  )
  assert.is(Object.keys(store.reads).length, 128)
})

test('names that every object has are keys like any', () => {
  const store = storeOf({})
  assert.is(store.get('__proto__'), null)
  assert.is(store.get('constructor'), null)
  assert.ok(store.set('__proto__', 'x', 0))
  assert.is(store.get('__proto__'), 'x')
})

test.run()
