import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Prepared, RulePool } from './shelf.js'
import { createShelf } from './shelf.js'

/** A pool that notes what its threads are to hold. */
function fakePool(hold: (key: number) => Promise<void> = async () => {}) {
  const held = new Set<number>()
  const pool: RulePool = {
    hold: async (key) => {
      await hold(key)
      held.add(key)
    },
    drop: (key) => void held.delete(key),
    run: () => Promise.reject(new Error('not asked here')),
    warm() {},
    stop: async () => {},
  }
  return { held, shelf: createShelf(pool) }
}
const rule = (key: number) => ({ key, held: {} }) as unknown as Prepared
const settled = () => new Promise(setImmediate)

test('a rule that is taken off is dropped when the last call that uses it is over', async () => {
  const { held, shelf } = fakePool()
  const one = rule(1)
  await shelf.put(one)
  const [first, second] = await Promise.all([shelf.use(one), shelf.use(one)])
  shelf.takeOff(one)
  first()
  await settled()
  assert.ok(held.has(1))
  second()
  await settled()
  assert.not(held.has(1))
})

test('one that a thread missed, and that nobody used since, leaves the others too', async () => {
  const { held, shelf } = fakePool()
  const one = rule(1)
  await shelf.put(one)
  shelf.missed(one)
  shelf.takeOff(one)
  await settled()
  assert.not(held.has(1))
})

test('one that was never put there, or is no more, stands for its call alone', async () => {
  const { held, shelf } = fakePool()
  const one = rule(1)
  for (const prepare of [async () => {}, () => shelf.put(one).then(() => shelf.takeOff(one))]) {
    await prepare()
    const giveBack = await shelf.use(one)
    assert.ok(held.has(1))
    giveBack()
    await settled()
    assert.not(held.has(1))
  }
})

test('one that a thread does not hold is held once more, and stays', async () => {
  let times = 0
  const { held, shelf } = fakePool(async () => void (times += 1))
  const one = rule(1)
  await shelf.put(one)
  shelf.missed(one)
  for (let call = 0; call < 2; call += 1) (await shelf.use(one))()
  await settled()
  assert.equal([times, held.has(1)], [2, true])
})

test('one that cannot be held is refused, and tried again at its next use', async () => {
  let isBroken = true
  const { held, shelf } = fakePool(async () => {
    if (isBroken) throw new Error('no')
  })
  const one = rule(1)
  const words = (asked: unknown) =>
    Promise.resolve(asked).then(
      () => 'held',
      ({ message }: Error) => message,
    )
  assert.equal([await words(shelf.put(one)), await words(shelf.use(one))], ['no', 'no'])
  isBroken = false
  await shelf.use(one)
  assert.ok(held.has(1))
})

test.run()
