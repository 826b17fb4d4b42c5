import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { systemThread } from './thread-time.js'
import type { Deed } from './worker.fixture.js'
import { createWorkerPool } from './workers.js'
import type { Place, TaskFailure } from './workers.js'

const poolOf = (size: number) =>
  createWorkerPool<Deed, number>({ script: new URL('./worker.fixture.js', import.meta.url), size })
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error: Error) => error.message,
  )

test('each task gets its own answer, however many wait for one thread', async () => {
  const pool = poolOf(1)
  const answers = await Promise.all([1, 2, 3, 4].map((number) => pool.run({ add: [number, 10] }, 10_000)))
  assert.equal(answers, [11, 12, 13, 14])
  await pool.stop()
})

test('what a thread throws is a failure of that task alone', async () => {
  const pool = poolOf(1)
  assert.is(await failure(pool.run({ fail: 'no such thing' }, 10_000)), 'no such thing')
  assert.is(await pool.run({ add: [1] }, 10_000), 1)
  await pool.stop()
})

test('a thread that is late is ended, and another one takes its place', async () => {
  const pool = poolOf(1)
  const [late, next] = [failure(pool.run({ hang: true }, 200)), pool.run({ add: [2, 3] }, 10_000)]
  assert.match(await late, 'no answer within 200 ms')
  assert.is(await next, 5)
  await pool.stop()
})

test('what is under way and what waits fail when it stops, and so does what comes later', async () => {
  const pool = poolOf(1)
  const tasks = [pool.run({ hang: true }, 60_000), pool.run({ add: [1] }, 60_000)].map(failure)
  await pool.stop()
  for (const task of tasks) assert.is(await task, 'the engine stops')
  assert.is(await failure(pool.run({ add: [1] }, 1_000)), 'no worker is free')
})

const readyPool = (size: number) =>
  createWorkerPool<Deed, number, number>({
    script: new URL('./worker.fixture.js', import.meta.url),
    size,
    spares: 1,
    holdMs: 2_000,
    longestWaitMs: 60_000,
  })
const fate = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: TaskFailure) => [error.kind, error.step],
  )

test('a thread is ended for the step that takes too long, and says which', async () => {
  const pool = readyPool(1)
  const left = { left: ({ step, ms }: Place) => (step === null ? 5_000 : 200) - ms, lookMs: 200 }
  assert.is(await pool.run({ steps: [100, 100, 100] }, left), 3)
  assert.equal(await fate(pool.run({ steps: [1, 1, 0, 1] }, left)), ['late', 2])
  assert.is(await pool.run({ add: [1] }, left), 1)
  await pool.stop()
})

test('a thread that had no processor gets as much time again, and not for ever', async () => {
  if (systemThread() === null) return
  const pool = readyPool(1)
  const left = { left: ({ step, ms }: Place) => (step === null ? 5_000 : 100) - ms, lookMs: 100 }
  assert.is(await pool.run({ sleep: 250 }, left), 0)
  assert.equal(await fate(pool.run({ steps: [250] }, left)), ['late', 0])
  assert.equal(await fate(pool.run({ sleep: 2_000 }, left)), ['late', 0])
  await pool.stop()
})

test('three threads ended in a row leave a pool that answers', async () => {
  const pool = readyPool(2)
  const left = { left: ({ step, ms }: Place) => (step === null ? 5_000 : 50) - ms, lookMs: 50 }
  const ended = await Promise.all([1, 2, 3].map(() => fate(pool.run({ steps: [0] }, left))))
  assert.equal(ended, [
    ['late', 0],
    ['late', 0],
    ['late', 0],
  ])
  assert.is(await pool.run({ add: [4] }, left), 4)
  await pool.stop()
})

test('a thread that ends by itself fails its task alone', async () => {
  const pool = readyPool(1)
  assert.equal(await fate(pool.run({ end: true }, 10_000)), ['lost', null])
  assert.is(await pool.run({ add: [5] }, 10_000), 5)
  await pool.stop()
})

test('what is held is held by every thread, and by those that take over', async () => {
  const pool = readyPool(2)
  await Promise.all([pool.hold(1, 10), pool.hold(2, 20)])
  for (let round = 0; round < 4; round += 1) {
    assert.equal(await fate(pool.run({ hang: true }, 30)), ['late', null])
    assert.equal(await Promise.all([pool.run({ ask: 1 }, 9_000), pool.run({ ask: 2 }, 9_000)]), [10, 20])
  }
  pool.drop(1)
  assert.equal(await Promise.all([1, 2, 3].map(() => pool.run({ ask: 1 }, 9_000))), [-1, -1, -1])
  await pool.stop()
})

test('what cannot be held is refused, and held by none; what ends a thread too', async () => {
  const pool = readyPool(1)
  await pool.hold(1, 10)
  assert.is(await failure(pool.hold(2, -1)), 'too little')
  assert.is(await failure(pool.hold(3, 0)), 'not ready within 2000 ms')
  const asked = await Promise.all([1, 2, 3].map((ask) => pool.run({ ask }, 9_000)))
  assert.equal(asked, [10, -1, -1])
  await pool.stop()
})

test('a task that waits too long is given back as never begun', async () => {
  const script = new URL('./worker.fixture.js', import.meta.url)
  const pool = createWorkerPool<Deed, number>({ script, size: 1, longestWaitMs: 2_000, mostWaiting: 1 })
  assert.is(await pool.run({ add: [1] }, 9_000), 1)
  const late = fate(pool.run({ hang: true }, 4_000))
  const [waits, refused] = [fate(pool.run({ add: [1] }, 9_000)), fate(pool.run({ add: [1] }, 9_000))]
  assert.equal(await refused, ['busy', null])
  assert.equal(await waits, ['busy', null])
  assert.equal(await late, ['late', null])
  await pool.stop()
})

test('a task that may cost its thread waits until none is missing, and lets the others pass', async () => {
  const pool = readyPool(1)
  await pool.hold(1, 10)
  const risky = { left: ({ ms }: Place) => 200 - ms, lookMs: 200, isRisky: () => true }
  const ended: string[] = []
  const note = (name: string, task: Promise<unknown>) => task.catch(() => null).then(() => void ended.push(name))
  await Promise.all([
    note('risky', pool.run({ hang: true }, risky)),
    note('risky', pool.run({ hang: true }, risky)),
    ...[1, 2, 3].map((number) => note('honest', pool.run({ add: [number] }, 20_000))),
  ])
  assert.equal(ended, ['risky', 'honest', 'honest', 'honest', 'risky'])
  await pool.stop()
})

test('an answer that comes by a promise is waited for, one task after the other', async () => {
  const pool = readyPool(1)
  const answers = await Promise.all([1, 2, 3].map((number) => pool.run({ wait: number }, 9_000)))
  assert.equal(answers, [1, 2, 3])
  await pool.stop()
})

test.run()
