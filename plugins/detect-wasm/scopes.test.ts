import type { Ran } from '@gatehouse/rule-sandbox'
import { createMemoryStore } from '@gatehouse/sdk/memory-store'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Opened, Scope } from './scopes.js'
import { createScopes } from './scopes.js'

const MINUTE = 60_000
const scope: Scope = { rule: 'rule', shadow: false, gateway: 'gateway', connection: 'connection' }
const write = (key: string, value: string | null, ttlSeconds = 60): Ran['writes'] => [{ key, value, ttlSeconds }]

/** Two replicas on one store, with a clock that is turned by hand. */
function twoReplicas() {
  let time = 1_000_000
  const store = createMemoryStore(() => time)
  const replicas = [0, 1].map(() => createScopes(store, () => time))
  const within = <T>(replica: number, run: (opened: Opened) => Promise<T>, of: Scope = scope): Promise<T> => {
    const { within: enter } = replicas[replica] as (typeof replicas)[number]
    return enter([of], ([opened]) => (opened == null ? Promise.reject(new Error('unreadable')) : run(opened)))
  }
  const values = (replica: number, of: Scope = scope) => within(replica, async (opened) => [...opened.values], of)
  return { store, within, values, turn: (ms: number) => void (time += ms) }
}

test('of two replicas that write at once the first is believed, and the other sees what it wrote', async () => {
  const { within, values } = twoReplicas()
  await within(0, async (mine) => {
    await within(1, async (others) => assert.is(await others.commit(write('a', '1')), true))
    assert.is(await mine.commit(write('b', '2')), false)
    const now = await mine.again()
    assert.equal([...now.values], [['a', '1']])
    assert.is(await now.commit(write('b', '2')), true)
  })
  const both = [
    ['a', '1'],
    ['b', '2'],
  ]
  assert.equal([await values(0), await values(1)], [both, both])
})

test('a change is refused over one, a deletion over a change, and a change over a deletion', async () => {
  const { within, values } = twoReplicas()
  const first: Ran['writes'] = [...write('a', '1'), ...write('b', '1')]
  for (const [theirs, ours] of [
    [write('a', '2'), write('a', '3')],
    [write('a', '2'), write('b', null)],
    [[...write('a', null), ...write('b', null)], write('a', '2')],
    [write('a', '2'), [...write('a', null), ...write('b', null)]],
  ] as const) {
    await within(0, (opened) => opened.commit(first))
    const stands = await within(0, async (mine) => {
      await within(1, (others) => others.commit(theirs))
      const after = await values(1)
      assert.is(await mine.commit(ours), false)
      return after
    })
    assert.equal(await values(0), stands)
  }
})

test('who only reads, or writes elsewhere, is not refused', async () => {
  const { within, values } = twoReplicas()
  const shadow = { ...scope, shadow: true }
  await within(0, async (mine) => {
    await within(1, (others) => others.commit(write('a', '1')))
    assert.is(await mine.commit([]), true)
  })
  await within(0, async (mine) => {
    await within(1, (others) => others.commit(write('a', 'tried')), shadow)
    assert.is(await mine.commit(write('a', '2')), true)
  })
  assert.equal([await values(0), await values(0, shadow)], [[['a', '2']], [['a', 'tried']]])
})

test('what has run out is nothing: it refuses nobody, and what stood beside it stays', async () => {
  const { within, values, turn, store } = twoReplicas()
  await within(0, (opened) => opened.commit([...write('short', '1', 60), ...write('long', '1', 120)]))
  turn(MINUTE)
  assert.equal(await values(1), [['long', '1']])
  assert.is(await within(1, (opened) => opened.commit(write('more', '1', 30))), true)
  turn(MINUTE)
  assert.equal(await values(0), [])
  await within(0, async (mine) => {
    assert.is(await mine.commit(write('a', '1', 60)), true)
    turn(MINUTE)
    assert.is(await (await mine.again()).commit(write('a', '2', 60)), true)
  })
  await within(0, (opened) => opened.commit(write('a', null)))
  assert.is(await store.get('kv:rule:gateway:connection'), undefined)
})

test('what runs out between reading and writing is another state', async () => {
  const { within, turn } = twoReplicas()
  await within(0, (opened) => opened.commit(write('a', '1')))
  await within(0, async (mine) => {
    turn(MINUTE)
    assert.is(await mine.commit(write('a', '2')), false)
    assert.is(await (await mine.again()).commit(write('a', '1')), true)
  })
})

test('all that a rule may store can be kept, whatever signs it is made of', async () => {
  const { within, values, store } = twoReplicas()
  for (const sign of ['\0', '\u001f', '"', '\\', '\u{10ffff}', 'x']) {
    const length = Math.floor(4_096 / Buffer.byteLength(sign)) - 32
    const all = Array.from({ length: 8 }, (_, n) => [`${n}${sign.repeat(20)}`, sign.repeat(length)] as const)
    const writes = all.map(([key, value]) => ({ key, value, ttlSeconds: 60 }))
    assert.is(await within(0, (opened) => opened.commit(writes)), true)
    const text = (await store.get('kv:rule:gateway:connection')) ?? ''
    assert.ok(Buffer.byteLength(text) <= 65_536, `${Buffer.byteLength(text)} bytes`)
    assert.not(text.includes('\0'))
    assert.equal(await values(1), all)
    await within(0, (opened) => opened.commit(all.map(([key]) => ({ key, value: null, ttlSeconds: 0 }))))
  }
})

test('what cannot be read is not taken for nothing', async () => {
  const { store, within } = twoReplicas()
  for (const text of ['', 'null', '[["a","1"]]', '{"base64":[["YQ==",1,2]]}']) {
    await store.set('kv:rule:gateway:connection', text)
    await within(0, async () => assert.unreachable()).catch((thrown: Error) => assert.is(thrown.message, 'unreadable'))
  }
})

test.run()
