import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { createSessions, type Others, type SessionRow, type SessionRows } from './sessions.js'

const HOUR = 3_600_000
const facts = {
  version: '2025-11-25',
  connectionId: 'c',
  gatewayId: 'g',
  client: { name: null, version: null },
  capabilities: {},
  logLevel: null,
  subscriptions: [],
}

/** Rows in memory, as the database keeps them: they outlive a replica. */
function rowsInMemory() {
  const kept = new Map<string, SessionRow>()
  const rows: SessionRows = {
    create: async (row) => void kept.set(row.hash, row),
    find: async (hashes) => hashes.flatMap((hash) => kept.get(hash) ?? []),
    async touch(hash, at) {
      const row = kept.get(hash)
      if (row !== undefined) kept.set(hash, { ...row, lastUsedAt: at })
    },
    async change(hash, { logLevel, subscribe, unsubscribe }) {
      const row = kept.get(hash)
      if (row === undefined) return false
      const others = row.subscriptions.filter((uri) => uri !== subscribe && uri !== unsubscribe)
      const subscriptions = subscribe === undefined ? others : [...others, subscribe]
      kept.set(hash, { ...row, logLevel: logLevel ?? row.logLevel, subscriptions })
      return true
    },
    end: async (hash) => kept.delete(hash),
    async endIdle(before) {
      const idle = [...kept.values()].filter((row) => row.lastUsedAt < before)
      for (const row of idle) kept.delete(row.hash)
      return idle.length
    },
    async endBeyond(userKey, most, uses) {
      const usedAt = (row: SessionRow) => Math.max(Number(row.lastUsedAt), Number(uses.get(row.hash) ?? 0))
      const own = [...kept.values()].filter((row) => row.userKey === userKey)
      const surplus = own
        .toReversed()
        .toSorted((a, b) => usedAt(b) - usedAt(a))
        .slice(most)
      for (const { hash } of surplus) kept.delete(hash)
      return surplus.map(({ hash }) => hash)
    },
  }
  return { kept, rows }
}

function replica(limits = { sessionIdle: 24 * HOUR, sessionsPerUser: 200 }, shared = rowsInMemory(), others?: Others) {
  const clock = { now: 1_000_000_000_000 }
  const ended: string[] = []
  const open = () => {
    const around = { now: () => clock.now, clock: () => clock.now, ...(others === undefined ? {} : { others }) }
    const sessions = createSessions(shared.rows, () => limits, around)
    sessions.onEnd((id) => ended.push(id))
    return sessions
  }
  return { ...shared, clock, ended, limits, sessions: open(), restart: open }
}

/** Past the turn in which reads are gathered. */
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('an open session is found by its id, its connection and its gateway, at once', async () => {
  const { sessions } = replica()
  const session = await sessions.open(facts, 'u')
  const found = sessions.find(session.id, 'c', 'g')
  assert.not.instance(found, Promise)
  assert.equal(found, { id: session.id, ...facts })
})

test('another connection or gateway finds nothing, whether the session is held or loaded', async () => {
  const { sessions, restart } = replica()
  const { id } = await sessions.open(facts, 'u')
  for (const side of [sessions, restart()]) {
    assert.is(await side.find(id, 'other', 'g'), null)
    assert.is(await side.find(id, 'c', 'other'), null)
    assert.ok(await side.find(id, 'c', 'g'))
  }
})

test('whoever may not have a session does not keep it alive', async () => {
  const { sessions, clock } = replica()
  const { id } = await sessions.open(facts, 'u')
  clock.now += 20 * HOUR
  assert.is(await sessions.find(id, 'other', 'g'), null)
  clock.now += 5 * HOUR
  assert.is(await sessions.find(id, 'c', 'g'), null)
})

test('an unknown id finds nothing', async () => {
  const { sessions } = replica()
  for (const id of ['', 'x', '__proto__', 'a'.repeat(10_000)]) assert.is(await sessions.find(id, 'c', 'g'), null)
})

test('ids are 256 random bits, and only their hash is stored', async () => {
  const { sessions, kept } = replica()
  const ids = await Promise.all(Array.from({ length: 50 }, async () => (await sessions.open(facts, 'u')).id))
  assert.is(new Set(ids).size, 50)
  for (const id of ids) {
    assert.match(id, /^[A-Za-z0-9_-]{43}$/)
    assert.ok(kept.has(createHash('sha256').update(id).digest('hex')))
    assert.not.match(JSON.stringify([...kept]), id)
  }
})

test('a session survives a restart', async () => {
  const { sessions, restart } = replica()
  const session = await sessions.open(facts, 'u')
  assert.equal(await restart().find(session.id, 'c', 'g'), session)
})

test('an idle session ends, one that is used does not', async () => {
  const { sessions, clock, kept, ended } = replica()
  const used = await sessions.open(facts, 'u')
  const idle = await sessions.open(facts, 'u')
  for (let n = 0; n < 5; n++) {
    clock.now += 6 * HOUR
    assert.ok(await sessions.find(used.id, 'c', 'g'))
  }
  assert.is(await sessions.find(idle.id, 'c', 'g'), null)
  assert.is(kept.size, 1)
  assert.equal(ended, [idle.id])
})

test('an idle session is not revived by a restart', async () => {
  const { sessions, clock, restart } = replica()
  const { id } = await sessions.open(facts, 'u')
  clock.now += 25 * HOUR
  assert.is(await restart().find(id, 'c', 'g'), null)
})

test('use is written down, so that a restart does not take the session for idle', async () => {
  const { sessions, clock, restart } = replica()
  const { id } = await sessions.open(facts, 'u')
  clock.now += 20 * HOUR
  await sessions.find(id, 'c', 'g')
  clock.now += 20 * HOUR
  assert.ok(await restart().find(id, 'c', 'g'))
})

test('what is idle here and used at another replica goes on', async () => {
  const { sessions, clock, restart } = replica()
  const { id } = await sessions.open(facts, 'u')
  const other = restart()
  clock.now += 20 * HOUR
  assert.ok(await other.find(id, 'c', 'g'))
  clock.now += 20 * HOUR
  assert.ok(await sessions.find(id, 'c', 'g'))
})

test('use is written at most once a minute', async () => {
  const { rows, kept } = rowsInMemory()
  let touches = 0
  const counting = { ...rows, touch: async () => void (touches += 1) }
  const { sessions, clock } = replica(undefined, { rows: counting, kept })
  const { id } = await sessions.open(facts, 'u')
  for (let n = 0; n < 120; n++) {
    clock.now += 1_001
    await sessions.find(id, 'c', 'g')
  }
  assert.is(touches, 2)
})

test('a use that cannot be written down does not fail the call', async () => {
  const { rows, kept } = rowsInMemory()
  const { sessions, clock } = replica(undefined, {
    rows: { ...rows, touch: () => Promise.reject(new Error('away')) },
    kept,
  })
  const { id } = await sessions.open(facts, 'u')
  clock.now += HOUR
  assert.ok(await sessions.find(id, 'c', 'g'))
})

test('one session too many ends that user’s longest idle one, and nobody else’s', async () => {
  const { sessions, clock, ended } = replica({ sessionIdle: HOUR, sessionsPerUser: 2 })
  const opened = async (user: string) => {
    clock.now += 1_000
    return (await sessions.open(facts, user)).id
  }
  const foreign = await opened('v')
  const a = await opened('u')
  const b = await opened('u')
  clock.now += 1_000
  await sessions.find(a, 'c', 'g')
  const c = await opened('u')
  assert.equal(ended, [b])
  assert.is(await sessions.find(b, 'c', 'g'), null)
  for (const id of [foreign, a, c]) assert.ok(await sessions.find(id, 'c', 'g'))
})

test('the cap holds for sessions that open at the same time', async () => {
  const { sessions, kept } = replica({ sessionIdle: HOUR, sessionsPerUser: 3 })
  await Promise.all(Array.from({ length: 20 }, () => sessions.open(facts, 'u')))
  await sessions.sweep()
  assert.is(kept.size, 3)
})

test('a cap that was lowered is reached with the next session', async () => {
  const { sessions, limits, ended } = replica({ sessionIdle: HOUR, sessionsPerUser: 10 })
  for (let n = 0; n < 10; n++) await sessions.open(facts, 'u')
  limits.sessionsPerUser = 2
  await sessions.open(facts, 'u')
  assert.is(ended.length, 9)
})

test('a session whose row cannot be made is not there', async () => {
  const { rows, kept } = rowsInMemory()
  const away = { ...rows, create: () => Promise.reject(new Error('away')) }
  const { sessions, ended } = replica(undefined, { rows: away, kept })
  let failed = false
  await sessions.open(facts, 'u').catch(() => (failed = true))
  assert.ok(failed)
  assert.is(await sessions.find(ended[0] ?? '', 'c', 'g'), null)
})

test('an ended session stays ended, here and after a restart', async () => {
  const { sessions, restart, ended } = replica()
  const { id } = await sessions.open(facts, 'u')
  assert.is(await sessions.end(id), true)
  assert.is(await sessions.end(id), false)
  for (const side of [sessions, restart()]) assert.is(await side.find(id, 'c', 'g'), null)
  assert.equal(ended, [id])
})

test('a session that ends while it is being loaded is not held again', async () => {
  const { rows, kept } = rowsInMemory()
  const { sessions } = replica(undefined, { rows, kept })
  const { id } = await sessions.open(facts, 'u')
  let answer = () => {}
  const slow: SessionRows = {
    ...rows,
    async find(hashes) {
      const found = await rows.find(hashes)
      await new Promise<void>((resolve) => (answer = resolve))
      return found
    },
  }
  const other = replica(undefined, { rows: slow, kept }).sessions
  const loading = other.find(id, 'c', 'g')
  await turn()
  await other.end(id)
  answer()
  assert.is(await loading, null)
  const again = other.find(id, 'c', 'g')
  await turn()
  answer()
  assert.is(await again, null)
})

test('many that ask for one unloaded session cause one look-up', async () => {
  const { rows, kept } = rowsInMemory()
  let lookups = 0
  const counting: SessionRows = { ...rows, find: async (hashes) => ((lookups += 1), rows.find(hashes)) }
  const first = replica(undefined, { rows: counting, kept })
  const { id } = await first.sessions.open(facts, 'u')
  const other = first.restart()
  const found = await Promise.all(Array.from({ length: 10 }, () => other.find(id, 'c', 'g')))
  assert.ok(found.every((session) => session?.id === id))
  assert.is(lookups, 1)
})

test('a failed look-up fails the call and is tried anew by the next', async () => {
  const { rows, kept } = rowsInMemory()
  let away = true
  const flaky: SessionRows = {
    ...rows,
    find: async (hashes) => (away ? Promise.reject(new Error('away')) : rows.find(hashes)),
  }
  const first = replica(undefined, { rows: flaky, kept })
  const { id } = await first.sessions.open(facts, 'u')
  const other = first.restart()
  let failed = false
  await Promise.resolve(other.find(id, 'c', 'g')).catch(() => (failed = true))
  assert.ok(failed)
  away = false
  assert.ok(await other.find(id, 'c', 'g'))
})

test('a sweep ends what is idle, in memory and in the rows, and tells', async () => {
  const { sessions, clock, kept, ended } = replica()
  const idle = await sessions.open(facts, 'u')
  clock.now += 20 * HOUR
  const fresh = await sessions.open(facts, 'u')
  clock.now += 5 * HOUR
  await sessions.sweep()
  assert.is(kept.size, 1)
  assert.equal(ended, [idle.id])
  assert.ok(await sessions.find(fresh.id, 'c', 'g'))
})

test('a sweep spares a session that was used since it was last written down', async () => {
  const { sessions, clock, restart } = replica()
  const { id } = await sessions.open(facts, 'u')
  clock.now += 59_000
  await sessions.find(id, 'c', 'g')
  clock.now += 24 * HOUR - 30_000
  await sessions.sweep()
  assert.ok(await sessions.find(id, 'c', 'g'))
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(await restart().find(id, 'c', 'g'))
})

/** Two replicas on the same rows, neither of them alone. */
function two(rows = rowsInMemory()) {
  const others: Others = { unchangedUntil: (readAt) => readAt, present: async () => undefined }
  const here = replica(undefined, rows, others)
  return { here, there: replica(undefined, rows, others).sessions }
}

test('what ends at one replica is not there for the next request at another', async () => {
  const { here, there } = two()
  const { id } = await here.sessions.open(facts, 'u')
  for (const side of [here.sessions, there]) assert.ok(await side.find(id, 'c', 'g'))
  await there.end(id)
  assert.is(await here.sessions.find(id, 'c', 'g'), null)
  assert.equal(here.ended, [id])
})

test('a request never shares a read that was sent before it came', async () => {
  const { kept, rows } = rowsInMemory()
  const answers: (() => void)[] = []
  const slow: SessionRows = {
    ...rows,
    async find(hashes) {
      const found = await rows.find(hashes)
      await new Promise<void>((resolve) => answers.push(resolve))
      return found
    },
  }
  const { here, there } = two({ kept, rows: slow })
  const { id } = await here.sessions.open(facts, 'u')
  const before = here.sessions.find(id, 'c', 'g')
  await turn()
  await there.end(id)
  const after = here.sessions.find(id, 'c', 'g')
  await turn()
  assert.is(answers.length, 2)
  for (const answer of answers) answer()
  assert.ok(await before)
  assert.is(await after, null)
})

test('what was read before this replica was alone is read once more, then believed', async () => {
  const shared = rowsInMemory()
  const alone = { since: Infinity }
  const others: Others = {
    unchangedUntil: (readAt) => (readAt >= alone.since ? Infinity : readAt),
    present: async () => undefined,
  }
  const { sessions, clock, ended } = replica(undefined, shared, others)
  const [gone, there] = [await sessions.open(facts, 'u'), await sessions.open(facts, 'u')]
  for (const { id } of [gone, there]) assert.ok(await sessions.find(id, 'c', 'g'))
  // By another replica that has left since, and whose word was lost.
  shared.kept.delete(createHash('sha256').update(gone.id).digest('hex'))
  alone.since = clock.now += 1
  assert.is(await sessions.find(gone.id, 'c', 'g'), null)
  assert.equal(ended, [gone.id])
  const first = sessions.find(there.id, 'c', 'g')
  assert.instance(first, Promise)
  assert.ok(await first)
  assert.not.instance(sessions.find(there.id, 'c', 'g'), Promise)
})

test('nothing is ended or opened before the others reckon with this replica', async () => {
  let introduce = () => {}
  const introduced = new Promise<void>((resolve) => (introduce = resolve))
  const others: Others = { unchangedUntil: () => Infinity, present: () => introduced }
  const shared = rowsInMemory()
  const { sessions } = replica(undefined, shared, others)
  const { id } = await replica(undefined, shared).sessions.open(facts, 'u')
  const [ending, opening] = [sessions.end(id), sessions.open(facts, 'u')]
  await turn()
  assert.is(shared.kept.size, 1)
  introduce()
  await opening
  assert.is(await ending, true)
  assert.is(shared.kept.size, 1)
})

test('while the database is away what is held goes on, five minutes', async () => {
  const { kept, rows } = rowsInMemory()
  let away = false
  const flaky: SessionRows = {
    ...rows,
    find: async (hashes) => (away ? Promise.reject(new GatehouseError('GH_DB_UNAVAILABLE')) : rows.find(hashes)),
  }
  const { here, there } = two({ kept, rows: flaky })
  const { id } = await here.sessions.open(facts, 'u')
  away = true
  const refused = (given: Promise<unknown>) => given.then(String, (thrown: GatehouseError) => thrown.code)
  assert.is(await refused(Promise.resolve(there.find(id, 'c', 'g'))), 'GH_DB_UNAVAILABLE', 'but not what is not')
  here.clock.now += 299_000
  assert.ok(await here.sessions.find(id, 'c', 'g'))
  here.clock.now += 2_000
  assert.is(await refused(Promise.resolve(here.sessions.find(id, 'c', 'g'))), 'GH_DB_UNAVAILABLE')
})

test('the cap of a user counts the sessions of all replicas', async () => {
  const shared = rowsInMemory()
  const limits = { sessionIdle: HOUR, sessionsPerUser: 3 }
  const [one, other] = [replica(limits, shared), replica(limits, shared)]
  for (let n = 0; n < 4; n++) for (const { sessions } of [one, other]) await sessions.open(facts, 'u')
  assert.is(shared.kept.size, 3)
})

test('what was told to have ended is let go of, and told on; what was not told is found out', async () => {
  const { sessions, kept, ended } = replica()
  const [told, untold, there] = await Promise.all([1, 2, 3].map(() => sessions.open(facts, 'u')))
  const hashOf = (id = '') => createHash('sha256').update(id).digest('hex')
  assert.is(sessions.heldAs(hashOf(told?.id)), told?.id)
  sessions.ended(hashOf(told?.id))
  sessions.ended(hashOf('never seen'))
  assert.equal(ended, [told?.id])
  assert.is(sessions.heldAs(hashOf(told?.id)), null)
  kept.delete(hashOf(untold?.id))
  await sessions.recheck()
  assert.equal(ended, [told?.id, untold?.id])
  assert.ok(await sessions.find(there?.id ?? '', 'c', 'g'))
})

test('what a client sets at one replica holds for its next message at another', async () => {
  const { here, there } = two()
  const { id } = await here.sessions.open(facts, 'u')
  assert.is((await there.find(id, 'c', 'g'))?.logLevel, null)
  await here.sessions.update(id, { logLevel: 'debug', subscribe: 'a:1' })
  const found = await there.find(id, 'c', 'g')
  assert.equal([found?.logLevel, found?.subscriptions], ['debug', ['a:1']])
  assert.is(await there.find(id, 'c', 'g'), found, 'and what has not changed is the same')
})

test('what a client sets elsewhere is told here, once', async () => {
  const { here, there } = two()
  const changes: unknown[] = []
  there.onChange((session) => changes.push([session.id, session.logLevel]))
  const { id } = await here.sessions.open(facts, 'u')
  const hash = createHash('sha256').update(id).digest('hex')
  await there.changed(hash)
  assert.equal(changes, [], 'of what is not held here nobody hears')
  await there.find(id, 'c', 'g')
  await here.sessions.update(id, { logLevel: 'debug' })
  await there.changed(hash)
  await there.changed(hash)
  assert.equal(changes, [[id, 'debug']])
})

test('what is used at another replica alone is not swept here', async () => {
  const shared = rowsInMemory()
  const here = replica(undefined, shared)
  const there = replica(undefined, shared)
  const { id } = await here.sessions.open(facts, 'u')
  for (const { clock } of [here, there]) clock.now += 20 * HOUR
  assert.ok(await there.sessions.find(id, 'c', 'g'))
  for (const { clock } of [here, there]) clock.now += 20 * HOUR
  await here.sessions.sweep()
  assert.equal(here.ended, [])
})
test('what a client sets holds from its next message on, and over a restart', async () => {
  const { sessions, restart } = replica()
  const session = await sessions.open(facts, 'u')
  await sessions.update(session.id, { logLevel: 'warning' })
  await Promise.all(['a:1', 'a:2'].map((subscribe) => sessions.update(session.id, { subscribe })))
  await sessions.update(session.id, { unsubscribe: 'a:1' })
  for (const side of [sessions, restart()]) {
    const found = await side.find(session.id, 'c', 'g')
    assert.equal([found?.logLevel, found?.subscriptions], ['warning', ['a:2']])
  }
  assert.equal(session.subscriptions, [], 'a message under way keeps the session it came in with')
})

test('a session that has ended is not changed', async () => {
  const { sessions } = replica()
  const { id } = await sessions.open(facts, 'u')
  await sessions.end(id)
  assert.is(await sessions.update(id, { logLevel: 'info' }), null)
})

for (const [what, uris] of [
  ['1,000 subscriptions', Array.from({ length: 1_000 }, (_, n) => `a:${n}`)],
  ['64 KiB of URIs', [`a:${'x'.repeat(64 * 1024 - 2)}`]],
] as const)
  test(`a session has at most ${what}`, async () => {
    const { sessions } = replica()
    const { id } = await sessions.open({ ...facts, subscriptions: uris }, 'u')
    const refused = await sessions.update(id, { subscribe: 'b:' }).catch((thrown: { code: string }) => thrown.code)
    assert.is(refused, 'GH_DOOR_PARAMS')
    assert.ok(await sessions.update(id, { subscribe: uris[0] }), 'one that it has is not one more')
    assert.ok(await sessions.update(id, { unsubscribe: uris[0] }))
    assert.ok(await sessions.update(id, { subscribe: 'b:' }))
  })

test.run()
