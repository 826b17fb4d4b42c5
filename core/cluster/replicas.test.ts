import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createReplicaRows, type Beat, type ReplicaRows } from '../db/repositories/replicas.js'
import { migratedDatabase } from '../db/testing.js'
import { until } from '../test/until.js'
import { openReplicas, type Replicas } from './replicas.js'

const NEVER = 2 ** 30
const quiet = { info: () => undefined, warn: () => undefined }

/** The table in memory, with a clock of its own; `tell` is the notice of a newcomer. */
function table() {
  const kept = new Map<string, { beat: Beat; at: number }>()
  const listeners = new Set<(id: string) => void>()
  const bench = {
    now: 1_000_000,
    /** Whose beats are not answered any more. */
    silent: new Set<string>(),
    /** Whether newcomers are told of. */
    tells: true,
    onBeat: null as ((beat: Beat) => void) | null,
  }
  const tell = (id: string) => bench.tells && [...listeners].forEach((listener) => listener(id))
  const rows: ReplicaRows = {
    async register(id, url) {
      if (kept.has(id)) return false
      kept.set(id, { beat: { id, url, knows: [], number: 0 }, at: bench.now })
      tell(id)
      return true
    },
    async beat(beat) {
      bench.onBeat?.(beat)
      if (bench.silent.has(beat.id)) return new Promise(() => undefined)
      kept.set(beat.id, { beat, at: bench.now })
      const others = [...kept.values()].filter(({ beat: { id } }) => id !== beat.id)
      return others.map(({ beat: { id, url, knows }, at }) => ({ id, url, knows, silentMs: bench.now - at }))
    },
    async remove(id) {
      kept.delete(id)
      tell(id)
    },
  }
  const publishing = {
    on: (_: string, listener: (id: string) => void) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    onGap: () => () => undefined,
  }
  const open = (id: string, { url = null as string | null, beatMs = NEVER, clock = () => bench.now } = {}) => {
    const ids = [id, `${id}-other`]
    const newId = () => ids.shift() ?? ''
    return openReplicas({ rows, publishing, url, log: quiet, beatMs, answerMs: 50, clock, newId })
  }
  return { bench, kept, rows, open }
}

const stopAll = (...some: readonly Replicas[]) => Promise.all(some.map((each) => each.stop()))

test('an id that is taken is not taken twice', async () => {
  const { open } = table()
  const [one, other] = [await open('aaaa'), await open('aaaa')]
  assert.equal([one.id, other.id], ['aaaa', 'aaaa-other'])
  await stopAll(one, other)
})

test('who is by itself is alone from the start, for one beat and a half', async () => {
  const { bench, open } = table()
  const one = await open('aaaa', { beatMs: 1_000 })
  await one.present()
  assert.ok(one.alone())
  const readAt = bench.now
  assert.is(one.unchangedUntil(readAt), readAt + 1_500)
  assert.is(one.unchangedUntil(readAt - 1), readAt - 1, 'but nothing is known of the time before')
  bench.now += 1_501
  assert.not.ok(one.alone())
  await one.stop()
})

test('a newcomer takes up no work before the others reckon with it', async () => {
  const { kept, open } = table()
  const one = await open('aaaa')
  const other = await open('bbbb')
  await other.present()
  assert.equal(kept.get('aaaa')?.beat.knows, ['bbbb'])
  for (const each of [one, other]) assert.not.ok(each.alone())
  await stopAll(one, other)
})

test('where no notice arrives and the other is deaf, a newcomer waits until that one cannot believe itself alone', async () => {
  const { bench, kept, open } = table()
  const clock = () => performance.now()
  const one = await open('aaaa', { beatMs: 100, clock })
  assert.ok(one.alone())
  bench.tells = false
  bench.silent.add('aaaa')
  const other = await open('bbbb', { beatMs: 100, clock })
  await other.present()
  assert.equal(kept.get('aaaa')?.beat.knows, [])
  assert.not.ok(one.alone())
  await stopAll(one, other)
})

test('who stops or dies leaves the other alone, which believes nothing that it read before', async () => {
  const leaves: readonly ((other: Replicas, shared: ReturnType<typeof table>) => unknown)[] = [
    (other) => other.stop(),
    (other, { bench }) => {
      bench.silent.add(other.id)
      bench.now += 3_001
    },
  ]
  for (const leave of leaves) {
    const shared = table()
    const { bench, open } = shared
    const beats = { beatMs: 1_000, clock: () => bench.now }
    const [one, other] = [await open('aaaa', beats), await open('bbbb', beats)]
    await one.present()
    assert.is(one.unchangedUntil(bench.now), bench.now)
    const readAt = bench.now
    bench.now += 1
    await leave(other, shared)
    await until('it is alone', () => one.alone() || undefined)
    assert.is(one.unchangedUntil(readAt), readAt)
    assert.ok(one.unchangedUntil(bench.now) > bench.now)
    await one.stop()
  }
})

test('nobody believes to be alone before the others can read that it reckons with nobody', async () => {
  const { bench, kept, open } = table()
  const [one, other] = [await open('aaaa', { beatMs: 1_000 }), await open('bbbb')]
  await Promise.all([one.present(), other.present()])
  const claims: boolean[] = []
  bench.onBeat = ({ id, knows }) => void (id === 'aaaa' && knows.length === 0 && claims.push(one.alone()))
  bench.silent.add('bbbb')
  bench.now += 3_001
  await until('it is alone', () => one.alone() || undefined)
  assert.is(claims[0], false)
  assert.equal(kept.get('aaaa')?.beat.knows, [])
  await stopAll(one, other)
})

test('who heard nothing for a time believes nothing from before, though it is alone again', async () => {
  const { bench, open } = table()
  const one = await open('aaaa', { beatMs: 1_000 })
  const readAt = bench.now
  bench.now += 1_400
  await until('a beat confirms it', () => one.unchangedUntil(readAt) > bench.now || undefined)
  bench.silent.add('aaaa')
  bench.now += 60_000
  bench.silent.delete('aaaa')
  await until('it is alone', () => one.alone() || undefined)
  assert.ok(one.unchangedUntil(readAt) < bench.now)
  await one.stop()
})

test('who was silent for so long that it may count as dead is introduced anew before it works', async () => {
  const { bench, kept, rows, open } = table()
  const [one, other] = [await open('aaaa', { beatMs: 10_000 }), await open('bbbb', { beatMs: 10_000 })]
  const others = () => kept.get('bbbb')?.beat.knows ?? []
  await Promise.all([one.present(), other.present()])
  bench.silent.add('aaaa')
  bench.now += 31_000
  // Whoever comes or goes makes all look.
  await rows.remove('zzzz')
  await until('the other takes it for dead', () => others().length === 0 || undefined)
  bench.silent.delete('aaaa')
  let isPresent = false
  const present = one.present().then(() => (isPresent = true))
  await until('it beats again', () => kept.get('aaaa')?.at === bench.now || undefined)
  assert.not.ok(isPresent)
  await rows.remove('zzzz')
  await present
  assert.equal(others(), ['aaaa'])
  await stopAll(one, other)
})

test('an owner is found by its id: with its address, without one, or dead', async () => {
  const { open } = table()
  const one = await open('aaaa')
  const other = await open('bbbb', { url: 'http://10.0.0.2:4000' })
  const third = await open('cccc')
  await third.present()
  assert.is(one.urlOf('bbbb'), 'http://10.0.0.2:4000')
  assert.is(one.urlOf('cccc'), null)
  assert.is(one.urlOf('dddd'), 'dead')
  await other.stop()
  await until('it is gone', () => (one.urlOf('bbbb') === 'dead' ? true : undefined))
  await stopAll(one, third)
})

const database = await migratedDatabase()

test('in the database: beats tell who is there, an older one that comes late changes nothing', async () => {
  const [rows, there] = [database.dataSource, await database.open()].map(createReplicaRows)
  assert.is(await rows!.register('aaaa', 'http://10.0.0.1:1'), true)
  assert.is(await there!.register('aaaa', null), false)
  await rows!.beat({ id: 'aaaa', url: 'http://10.0.0.1:2', knows: ['bbbb'], number: 2 })
  assert.equal(await rows!.beat({ id: 'aaaa', url: null, knows: [], number: 1 }), [])
  const [seen, ...more] = await there!.beat({ id: 'bbbb', url: null, knows: [], number: 1 })
  assert.equal(more, [])
  assert.equal({ ...seen, silentMs: 0 }, { id: 'aaaa', url: 'http://10.0.0.1:2', knows: ['bbbb'], silentMs: 0 })
  assert.ok((seen?.silentMs ?? -1) >= 0 && (seen?.silentMs ?? NEVER) < 60_000)
  await database.dataSource.query(`update replicas set beat_at = beat_at - interval '20 seconds' where id = 'aaaa'`)
  const [silent] = await there!.beat({ id: 'bbbb', url: null, knows: [], number: 2 })
  assert.ok((silent?.silentMs ?? 0) > 20_000)
  await database.dataSource.query(`update replicas set beat_at = beat_at - interval '1 minute' where id = 'aaaa'`)
  assert.equal(await there!.beat({ id: 'bbbb', url: null, knows: [], number: 3 }), [])
  await there!.remove('bbbb')
})

test.after(() => database.drop())
test.run()
