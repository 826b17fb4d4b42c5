import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { following, isShort, LANE_BYTES, MOST_IN_LANE, openLane } from './lane.js'
import type { TextDeed } from './texts.fixture.js'
import { createTextPool } from './workers.js'
import type { Place, TaskFailure, TextPoolOptions } from './workers.js'

const poolOf = (size: number, options: Partial<TextPoolOptions> = {}) =>
  createTextPool({
    script: new URL('./texts.fixture.js', import.meta.url),
    size,
    ahead: 3,
    awakeMs: 0.3,
    longestWaitMs: 60_000,
    mostWaiting: 100_000,
    ...options,
  })
type Pool = ReturnType<typeof poolOf>
const limit = (mostMs: number) => ({ left: ({ step, ms }: Place) => (step === null ? 9_000 : mostMs) - ms, lookMs: 50 })
const ask = (pool: Pool, deed: TextDeed, text = '') => pool.run([deed, text], limit(9_000))
const fate = (promise: Promise<string>) => promise.catch(({ kind, step }: TaskFailure) => [kind, step] as const)

test('each task gets its own answer, short or long, at once or later', async () => {
  for (const awakeMs of [0, 0.3, 20]) {
    const pool = poolOf(1, { awakeMs })
    const texts = ['', 'ä€😀 '.repeat(9), 'é'.repeat(21_000), 'x'.repeat(300_000), 'end']
    const all = [...texts, ...texts, ...texts]
    const answers = await Promise.all(all.map((text, at) => ask(pool, at % 2 === 0 ? 'echo' : 'later', text)))
    assert.equal(answers, all)
    assert.is((await ask(pool, 'long 50000')).length, 50_000)
    await pool.stop()
  }
})

test('thousands of tasks in two threads, and slowly one by one', async () => {
  const pool = poolOf(2)
  let left = 10_000
  const run = async () => {
    for (let text = (left -= 1); text >= 0; text = left -= 1) assert.is(await ask(pool, 'echo', `${text}`), `${text}`)
  }
  await Promise.all(Array.from({ length: 12 }, run))
  for (let n = 0; n < 20; n += 1) {
    await pause(3)
    assert.is(await ask(pool, 'echo', `${n}`), `${n}`)
  }
  await pool.stop()
})

test('what was sent ahead to a thread that is ended is answered by the next one', async () => {
  for (const [deed, fails] of [
    ['hang', 'late'],
    ['end', 'lost'],
  ] as const) {
    const pool = poolOf(1)
    assert.is(await ask(pool, 'echo', 'warm'), 'warm')
    const asked = [
      fate(pool.run([deed, ''], limit(100))),
      ...['a', 'b', 'c', 'd', 'e'].map((text) => ask(pool, 'echo', text)),
    ]
    assert.equal(await Promise.all(asked), [[fails, 0], 'a', 'b', 'c', 'd', 'e'])
    await pool.stop()
  }
})

test('a thread that becomes free takes back what was sent ahead to a slow one', async () => {
  const pool = poolOf(2)
  await Promise.all([ask(pool, 'stay 20'), ask(pool, 'stay 20')])
  const ended: string[] = []
  const note = (deed: TextDeed, text: string) => ask(pool, deed, text).then((answer) => void ended.push(answer))
  await Promise.all([
    note('stay 1500', 'slow'),
    note('stay 100', 'quick'),
    ...'abcdef'.split('').map((text) => note('echo', text)),
  ])
  assert.is(ended.at(-1), 'slow')
  assert.equal(ended.slice(1, -1).toSorted(), 'abcdef'.split(''))
  await pool.stop()
})

test('a long task, or one that may cost its thread, has its turn among many that may go ahead', async () => {
  const pool = poolOf(1, { spares: 1 })
  // Once no thread is missing.
  await pool.run(['echo', ''], { ...limit(9_000), isRisky: () => true })
  let isOver = false
  let answered = 0
  const run = async () => {
    for (; !isOver; answered += 1) await ask(pool, 'echo', 'short')
  }
  const running = Array.from({ length: 8 }, run)
  await pause(50)
  for (const [text, isRisky] of [
    ['x'.repeat(100_000), () => false],
    ['risky', () => true],
  ] as const) {
    const before = answered
    assert.is(await pool.run(['echo', text], { ...limit(9_000), isRisky }), text)
    assert.ok(answered - before < 40, `${answered - before} were answered before`)
  }
  isOver = true
  await Promise.all(running)
  await pool.stop()
})

test('a task that came to a thread after its last is answered by another one', async () => {
  const pool = poolOf(1, { ahead: 0, awakeMs: 20 })
  await ask(pool, 'echo')
  await pause(50)
  const asked = [ask(pool, 'last', 'a'), ask(pool, 'echo', 'b')].map(fate)
  for (const until = performance.now() + 300; performance.now() < until;);
  assert.equal(await Promise.all(asked), ['a', 'b'])
  await pool.stop()
})

test('what cannot be sent to a thread leaves it ready for tasks', async () => {
  const pool = poolOf(1, { spares: 1 })
  await pool.hold(1, (() => 0) as never).then(
    () => assert.unreachable(),
    (error: TaskFailure) => assert.is(error.kind, 'failed'),
  )
  const quick = { left: ({ ms }: Place) => 2_000 - ms, lookMs: 50 }
  assert.equal(await Promise.all(['a', 'b'].map((text) => fate(pool.run(['echo', text], quick)))), ['a', 'b'])
  await pool.stop()
})

test('what was sent ahead fails when the pool stops', async () => {
  const pool = poolOf(1)
  await ask(pool, 'echo')
  const asked = [ask(pool, 'hang'), ask(pool, 'echo'), ask(pool, 'echo')].map(fate)
  await pool.stop()
  assert.equal(await Promise.all(asked), [
    ['stopped', null],
    ['stopped', null],
    ['stopped', null],
  ])
})

test('in the lane a task is taken once, by its id alone, and places are used again in turn', () => {
  const lane = openLane(new SharedArrayBuffer(LANE_BYTES))
  let id = 0x7fff_ffff - 20
  for (let n = 0; n < 40; n += 1) {
    id = following(id)
    assert.ok(id > 0 && id <= 0x7fff_ffff)
    lane.put(id, ['head', `${id} ü`])
    assert.not(lane.take(id + MOST_IN_LANE))
    assert.ok(lane.take(id))
    assert.not(lane.take(id))
    assert.equal([lane.read(id).text(0), lane.read(id).text(1)], ['head', `${id} ü`])
    assert.is(lane.answerTo(id), null)
    assert.ok(lane.answer(id, `${n}`))
    assert.is(lane.answerTo(id), `${n}`)
  }
  assert.ok(id < 40)
  assert.not(lane.answer(id, 'x'.repeat(16_384)))
})

test('what is short fits, whatever signs it is of', () => {
  const lane = openLane(new SharedArrayBuffer(LANE_BYTES))
  const text = '€'.repeat(21_833)
  assert.ok(isShort([text]))
  lane.put(1, [text])
  assert.is(lane.read(1).text(0), text)
  assert.not(isShort([`${text}€`]))
  assert.not(isShort(Array.from({ length: 9 }, () => '')))
})

test.run()
