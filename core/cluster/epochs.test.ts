import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createStore } from '../db/repositories/store.js'
import { fakeVault, migratedDatabase } from '../db/testing.js'
import { GatehouseError } from '../errors.js'
import { createEpochs } from './epochs.js'
import { ifUnlocked, withAdvisoryLock } from './locks.js'

const NEVER = 2 ** 30
const database = await migratedDatabase()
const other = await database.open()
const [here, there] = [database.dataSource, other].map((dataSource) => createStore({ dataSource, vault: fakeVault }))

test('a bump holds here at once and is heard at the other replica', async () => {
  const mine = createEpochs({ store: here!, intervalMs: NEVER })
  const theirs = createEpochs({ store: there!, intervalMs: 10 })
  await Promise.all([mine.check(), theirs.check()])
  const heard = new Promise<number>((resolve) => theirs.onChange(resolve))
  const epoch = await mine.bump()
  assert.is(mine.current(), epoch)
  assert.is(await heard, epoch)
  mine.stop()
  theirs.stop()
})

test('a check that is asked for after a change sees it, though another check is under way', async () => {
  const answers: ((epoch: number) => void)[] = []
  const store = { epoch: () => new Promise<number>((resolve) => answers.push(resolve)), bumpEpoch: async () => 0 }
  const epochs = createEpochs({ store, intervalMs: NEVER })
  const first = epochs.check()
  const second = epochs.check()
  const third = epochs.check()
  answers.shift()?.(1)
  assert.is(await first, 1)
  for (; answers.length === 0;) await Promise.resolve()
  answers.shift()?.(2)
  assert.equal(await Promise.all([second, third]), [2, 2])
  assert.is(answers.length, 0, 'those who wait share one question')
  epochs.stop()
})

test('freshness counts from the question, not from the answer', async () => {
  let now = 0
  const store = { epoch: async () => ((now += 100), 1), bumpEpoch: async () => 1 }
  const epochs = createEpochs({ store, intervalMs: NEVER, clock: () => now })
  assert.is(epochs.freshWithin(1e9), false)
  await epochs.check()
  assert.is(epochs.freshWithin(99), false)
  assert.is(epochs.freshWithin(100), true)
  epochs.stop()
})

test('an answer that a bump has overtaken does not turn the number back; a restored backup does', async () => {
  const answers: ((epoch: number) => void)[] = []
  const store = { epoch: () => new Promise<number>((resolve) => answers.push(resolve)), bumpEpoch: async () => 8 }
  const epochs = createEpochs({ store, intervalMs: NEVER })
  const overtaken = epochs.check()
  await epochs.bump()
  answers.shift()?.(7)
  assert.is(await overtaken, 8)
  const restored = epochs.check()
  answers.shift()?.(3)
  assert.is(await restored, 3)
  epochs.stop()
})

test('a database that is away or silent leaves the last number, and says so', async () => {
  let epoch: () => Promise<number> = async () => 5
  const epochs = createEpochs({
    store: { epoch: () => epoch(), bumpEpoch: async () => 5 },
    intervalMs: NEVER,
    answerMs: 20,
  })
  await epochs.check()
  const code = (): Promise<string> =>
    epochs.check().then(
      () => 'answered',
      (error: GatehouseError) => error.code,
    )
  epoch = () => Promise.reject(new GatehouseError('GH_DB_UNAVAILABLE'))
  assert.is(await code(), 'GH_DB_UNAVAILABLE')
  epoch = () => new Promise(() => undefined)
  assert.is(await code(), 'GH_DB_UNAVAILABLE')
  assert.is(epochs.current(), 5)
  epoch = async () => 6
  assert.is(await epochs.check(), 6)
  epochs.stop()
})

test('of one lock two replicas never hold it together, and more waiters than connections come through', async () => {
  let inside = 0
  let most = 0
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside)
    await here!.epoch()
    inside -= 1
  }
  const turns = [database.dataSource, other].flatMap((each) =>
    Array.from({ length: 12 }, () => withAdvisoryLock(each, 'work', work)),
  )
  await Promise.all(turns)
  assert.is(most, 1)
  const failed = withAdvisoryLock(other, 'work', () => Promise.reject(new Error('mine')))
  assert.is(await failed.catch((error: Error) => error.message), 'mine')
  assert.is(await withAdvisoryLock(database.dataSource, 'work', async () => 'next'), 'next')
})

test('a job that another replica is at is left to it', async () => {
  const ran = await ifUnlocked(database.dataSource, 'job', async () => {
    assert.is(await ifUnlocked(other, 'job', () => Promise.reject(new Error('must not run'))), false)
    assert.is(await ifUnlocked(other, 'another job', async () => undefined), true)
  })
  assert.is(ran, true)
  assert.is(await ifUnlocked(other, 'job', async () => undefined), true)
})

test.after(() => database.drop())
test.run()
