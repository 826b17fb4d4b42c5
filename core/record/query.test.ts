import type { Pool } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { MessageRecord } from '../domain/record.js'
import { carry } from './carry.js'
import { wholeLines } from './lines.js'
import { createLogReader } from './query.js'
import type { LogReader, LogRequest } from './query.js'
import { leg, messageRecord, recordDatabase } from './record.fixture.js'
import type { RecordDatabase } from './record.fixture.js'
import { createRetention } from './retention.js'

let database: RecordDatabase
test.before(async () => {
  database = await recordDatabase()
})
test.after(() => database.drop())
test.before.each(() => database.pool.query('truncate messages, message_bodies, dead_letters').then(() => undefined))

const put = (records: readonly MessageRecord[], by: { query: Pool['query'] } = database.pool) =>
  carry(by, wholeLines(Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''))))
const one = (rpcId: string, facts: Partial<MessageRecord> = {}): MessageRecord =>
  messageRecord({ rpcId, legs: [leg()], ...facts })
const ids = (rows: readonly { readonly jsonrpc_id: string | null }[]) => rows.map((row) => row.jsonrpc_id)

async function idsFor(request: LogRequest): Promise<(string | null)[]> {
  const { rows } = await createLogReader(database.pool).logs(request)
  return ids(rows)
}

test('a correlation id gives its message with all legs in order', async () => {
  const wanted = messageRecord({ rpcId: 'wanted' })
  await put([messageRecord(), wanted, messageRecord()])
  const { rows } = await createLogReader(database.pool).logs({ correlationId: wanted.id })
  assert.equal(
    rows.map((row) => [row.correlation_id, row.log_type]),
    wanted.legs.map(({ type }) => [wanted.id, type]),
  )
})

test('a correlation id is sought in its own day only', async () => {
  const record = messageRecord({ at: Date.parse('2026-03-04T12:00:00Z') })
  const days = createRetention({
    database: database.pool,
    days: () => ({ logs: 0, sealed: 0 }),
    logger: { info() {}, warn() {} },
    clock: () => record.at,
  })
  await days.ensurePartitions()
  await put([record])
  const seen: [string, unknown[]][] = []
  const query = (text: string, values: unknown[]) => (seen.push([text, values]), database.pool.query(text, values))
  const { rows } = await createLogReader({ query: query as Pool['query'] }).logs({ correlationId: record.id })
  assert.is(rows.length, 4)
  const [sql, values] = seen[0] as [string, unknown[]]
  const plan = await database.pool.query(`explain ${sql}`, values)
  const text = JSON.stringify(plan.rows)
  assert.match(text, 'messages_20260304')
  assert.not.match(text, 'messages_20260305')
})

test('what belongs to a message is found under its correlation id, after midnight too, and under an id of its own', async () => {
  const at = Date.parse('2026-03-04T23:59:00Z')
  const first = messageRecord({ at, rpcId: 'first' })
  const round = messageRecord({ at: at + 3 * 3_600_000, rpcId: 'round', rootId: first.id })
  await put([first, one('other', { at }), round])
  const reader = createLogReader(database.pool)
  const found = async (correlationId: string) => {
    const { rows } = await reader.logs({ correlationId })
    return [...new Set(rows.map((row) => `${row.jsonrpc_id} ${row.correlation_id === first.id}`))]
  }
  assert.equal(await found(first.id), ['round true', 'first true'])
  assert.equal(await found(round.id), ['round true'])
  const { rows } = await reader.logs({ correlationId: round.id })
  assert.equal(
    rows.map(({ log_id }) => log_id),
    [1, 2, 3, 4].map((n) => `${round.id}-${n}`),
  )
})

test('what is no correlation id finds nothing', async () => {
  await put([messageRecord()])
  for (const correlationId of ['', 'x', '00000000-0000-4000-8000-000000000000'])
    assert.equal(await idsFor({ correlationId }), [])
})

test('pages go back in time without a gap or a repeat, also among messages of the same millisecond', async () => {
  const at = Date.now()
  await put(Array.from({ length: 25 }, (_, i) => one(String(i), { at: at + (i >> 2) })))
  const reader = createLogReader(database.pool)
  const seen: (string | null)[] = []
  let before: string | null | undefined
  while (before !== null) {
    const page = await reader.logs({ limit: 4, ...(before === undefined ? {} : { before }) })
    seen.push(...ids(page.rows))
    before = page.next
  }
  assert.is(new Set(seen).size, 25)
  assert.is(seen.length, 25)
  assert.ok(Number(seen[0]) >= 24 && Number(seen.at(-1)) <= 3)
})

test('filters narrow it down', async () => {
  const other = '00000000-0000-4000-8000-0000000000cc'
  const at = Date.now()
  await put([
    one('old', { at: at - 60_000 }),
    one('gateway', { gatewayId: other }),
    one('user', { userId: other }),
    one('failed', { outcome: 'mcp_response_error' }),
    one('feature', { feature: 'find_contact' }),
  ])
  assert.equal(await idsFor({ gatewayId: other }), ['gateway'])
  assert.equal(await idsFor({ userId: other }), ['user'])
  assert.equal(await idsFor({ outcome: 'mcp_response_error' }), ['failed'])
  assert.equal(await idsFor({ failed: true }), ['failed'])
  assert.equal(await idsFor({ feature: 'find_contact' }), ['feature'])
  assert.equal(await idsFor({ until: at - 30_000 }), ['old'])
  assert.is((await idsFor({ since: at - 30_000 })).length, 4)
  assert.equal(await idsFor({ before: "1' or true" }), [])
})

test('bodies come only when they are asked for: the request on the first leg, the response on the last', async () => {
  const record = messageRecord({ response: { text: 'cut', bytes: 90_000, sha256: 'cd' } })
  await put([record])
  const reader = createLogReader(database.pool)
  const thin = await reader.logs({})
  assert.not(thin.rows.some((row) => 'body' in row))
  const { rows } = await reader.logs({ withBodies: true })
  assert.equal(
    rows.map((row) => row.body),
    [record.request, null, null, record.response],
  )
})

/** Polls so often, or until so many rows have come. Anybody's transaction may hold the horizon back for a moment. */
function follower(reader: LogReader, start: string) {
  let cursor = start
  const poll = async (): Promise<(string | null)[]> => {
    const next = await reader.follow(cursor)
    cursor = next.cursor
    return ids(next.rows)
  }
  return {
    poll,
    async until(count: number): Promise<(string | null)[]> {
      const seen = await poll()
      while (seen.length < count) seen.push(...(await poll()))
      return seen
    },
  }
}

test('following gives what comes in after the cursor, once and in order', async () => {
  const reader = createLogReader(database.pool)
  await put([one('before')])
  const { rows, cursor } = await reader.follow(null)
  assert.equal(rows, [])
  const { poll, until } = follower(reader, cursor)
  await put([one('1'), one('2')])
  assert.equal(await until(2), ['1', '2'])
  await put([one('3')])
  assert.equal(await until(1), ['3'])
  assert.equal(await poll(), [])
})

test('a cursor never passes over rows of a writer that is not done, whichever writer is done first', async () => {
  const reader = createLogReader(database.pool)
  const { poll, until } = follower(reader, (await reader.follow(null)).cursor)
  const slow = await database.pool.connect()
  await slow.query('begin')
  await put([one('slow')], slow)
  await put([one('fast')])
  const early = [...(await poll()), ...(await poll()), ...(await poll())]
  await slow.query('commit')
  slow.release()
  assert.equal(early, [], 'the fast writer waits behind the slow one')
  assert.equal(await until(2), ['slow', 'fast'])
})

test('a writer has its transaction id before it takes a number: the horizon rests on that', async () => {
  await database.pool.query(`
    create function watched_number() returns bigint language plpgsql as $$
    begin
      if pg_current_xact_id_if_assigned() is null then raise exception 'a number without an id'; end if;
      return nextval('messages_seq');
    end $$;
    alter table messages alter column seq set default watched_number()`)
  try {
    const bare = { request: null, response: null }
    await put([one('first', bare), one('second', bare)])
  } finally {
    await database.pool.query(`alter table messages alter column seq set default nextval('messages_seq')`)
  }
  assert.is((await idsFor({})).length, 2)
})

test('retention drops whole days, bodies too, and keeps what is within the bound', async () => {
  const now = Date.parse('2026-05-20T08:00:00Z')
  const day = (back: number) => now - back * 86_400_000
  const settings = { days: 0 }
  const at = (clock: number) =>
    createRetention({
      database: database.pool,
      days: () => ({ logs: settings.days, sealed: settings.days }),
      logger: { info() {}, warn() {} },
      clock: () => clock,
    })
  for (const back of [40, 10]) await at(day(back)).ensurePartitions()
  await put([one('40', { at: day(40) }), one('10', { at: day(10) }), one('stray', { at: day(60) })])
  assert.is(await at(now).dropOld(), 0, '0 keeps everything')
  settings.days = 30
  assert.ok((await at(now).dropOld()) >= 3)
  assert.equal(await idsFor({}), ['10'])
  const { rows } = await database.pool.query('select count(*)::int as count from message_bodies')
  assert.is(rows[0].count, 1)
  await at(now).maintain()
  await at(now).maintain()
})

test('sealed originals go earlier, with their keys, and never stay longer than the record', async () => {
  const now = Date.parse('2026-06-20T08:00:00Z')
  const day = (back: number) => now - back * 86_400_000
  const at = (clock: number, days = { logs: 90, sealed: 7 }) =>
    createRetention({ database: database.pool, days: () => days, logger: { info() {}, warn() {} }, clock: () => clock })
  const name = (back: number) => new Date(day(back)).toISOString().slice(0, 10)
  const box = { box: Buffer.from('sealed').toString('base64'), bytes: 6 }
  for (const back of [9, 3]) await at(day(back)).ensurePartitions()
  for (const back of [9, 3]) {
    await database.pool.query('insert into body_keys (day, sealed) values ($1, $2)', [name(back), 'v1'])
    await put([one(`sealed-${back}`, { at: day(back), originals: { request: box, response: null } })])
  }
  const kept = async () => {
    const { rows } = await database.pool.query<{ day: string; request: Buffer }>(
      `select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, request from message_originals order by at`,
    )
    const keys = await database.pool.query<{ day: string }>('select day from body_keys order by day')
    return [rows.map((row) => `${row.day} ${row.request.toString()}`), keys.rows.map((row) => row.day)]
  }
  assert.equal(await kept(), [
    [`${name(9)} sealed`, `${name(3)} sealed`],
    [name(9), name(3)],
  ])
  await at(now).dropOld()
  assert.equal(await kept(), [[`${name(3)} sealed`], [name(3)]])
  assert.equal((await idsFor({ since: day(10), until: day(8) })).length, 1, 'the record itself stays')
  await at(now, { logs: 2, sealed: 7 }).dropOld()
  assert.equal(await kept(), [[], []])
})

test.run()
