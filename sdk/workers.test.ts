import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deed } from './worker.fixture.js'
import { createWorkerPool } from './workers.js'

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

test.run()
