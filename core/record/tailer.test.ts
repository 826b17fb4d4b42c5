import { lineOf } from './line.js'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pool } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { MessageRecord } from '../domain/record.js'
import { logFolder, messageRecord, quiet, recordDatabase, relayTo } from './record.fixture.js'
import type { Folder, RecordDatabase } from './record.fixture.js'
import type { RecordLog } from './log.js'
import { listSegments, segmentPath, writeCarried } from './segments.js'
import { createTailer } from './tailer.js'
import type { Tailer, TailerOptions } from './tailer.js'

let database: RecordDatabase
test.before(async () => {
  database = await recordDatabase()
})
test.after(() => database.drop())
test.before.each(() => database.pool.query('truncate messages, message_bodies, dead_letters').then(() => undefined))

function tailerOf(log: RecordLog, folder: Folder, options: Partial<TailerOptions> = {}): Tailer {
  const tailer = createTailer({
    log,
    database: database.pool,
    alert: (alert) => folder.alerts.push(alert),
    logger: quiet,
    pauseMs: [5, 20],
    ...options,
  })
  tailer.start()
  return tailer
}

async function stop(tailer: Tailer, log: RecordLog, folder: Folder): Promise<void> {
  await log.stop()
  await tailer.stop()
  await folder.remove()
}

async function rpcIds(): Promise<string[]> {
  const { rows } = await database.pool.query<{ rpc_id: string }>('select rpc_id from messages order by seq')
  return rows.map((row) => row.rpc_id)
}

const numbered = (count: number, first = 0): MessageRecord[] =>
  Array.from({ length: count }, (_, i) => messageRecord({ rpcId: String(first + i) }))
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

test('a record comes out of the database as it went into the log', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const tailer = tailerOf(log, folder)
  const record = messageRecord({
    at: 1_790_000_000_123,
    request: { text: 'x\\u0000', bytes: 70_000, sha256: 'ab'.repeat(32) },
    response: null,
  })
  await log.append(record)
  await tailer.flush()
  const { rows } = await database.pool.query(
    'select *, extract(epoch from at) * 1000 as ms from messages join message_bodies using (at, id)',
  )
  const [row] = rows as Record<string, unknown>[]
  assert.is(Number(row?.['ms']), record.at)
  assert.is(row?.['id'], record.id)
  assert.equal(row?.['legs'], (JSON.parse(lineOf(record)) as MessageRecord).legs)
  assert.is(row?.['user_email'], 'ann@example.com')
  assert.is(row?.['duration_ms'], 12)
  assert.is(row?.['failed'], false)
  assert.is(row?.['request'], 'x\\u0000')
  assert.is(row?.['request_bytes'], '70000')
  assert.is(row?.['request_sha256'], 'ab'.repeat(32))
  assert.is(row?.['response'], null)
  await stop(tailer, log, folder)
})

test('every record arrives, in order, across batches and segments, and carried segments are deleted', async () => {
  const folder = await logFolder()
  const log = await folder.open({ segmentBytes: 20_000 })
  const tailer = tailerOf(log, folder, { batch: { rows: 7, bytes: 10_000 } })
  await Promise.all(numbered(50).map((record) => log.append(record)))
  for (const record of numbered(50, 50)) await log.append(record)
  await tailer.flush()
  assert.equal(await rpcIds(), names(100))
  assert.is(listSegments(folder.dir).length, 1)
  assert.is(tailer.status().waiting, 0)
  await stop(tailer, log, folder)
})

test('a line that is longer than a batch is a batch of its own', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const tailer = tailerOf(log, folder, { batch: { rows: 7, bytes: 2_000 } })
  const text = 'y'.repeat(50_000)
  await log.append(messageRecord({ request: { text, bytes: text.length, sha256: null } }))
  await log.append(messageRecord())
  await tailer.flush()
  const { rows } = await database.pool.query(
    'select length(request) as length from message_bodies order by length desc',
  )
  assert.is(rows[0].length, 50_000)
  assert.is(rows.length, 2)
  await stop(tailer, log, folder)
})

test('a log that is carried twice changes nothing', async () => {
  const folder = await logFolder()
  const first = await folder.open()
  await Promise.all(numbered(20).map((record) => first.append(record)))
  await first.stop()
  for (let round = 0; round < 2; round += 1) {
    const log = await folder.open()
    const saved = segmentPath(folder.dir, first.firstOwn)
    const lines = readFileSync(saved)
    const tailer = tailerOf(log, folder)
    await tailer.flush()
    assert.equal(await rpcIds(), names(20))
    await log.stop()
    await tailer.stop()
    writeFileSync(saved, lines)
    writeCarried(folder.dir, { segment: 0, offset: 0 })
  }
  await folder.remove()
})

test('a restart goes on where the last one stopped', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const tailer = tailerOf(log, folder)
  await log.append(messageRecord({ rpcId: 'carried' }))
  await tailer.flush()
  await tailer.stop()
  await log.append(messageRecord({ rpcId: 'left' }))
  await log.stop()
  await database.pool.query('truncate messages, message_bodies')
  const next = await folder.open()
  const other = tailerOf(next, folder)
  await other.flush()
  assert.equal(await rpcIds(), ['left'], 'only what had not been carried')
  await stop(other, next, folder)
})

test('torn and damaged lines of a former process are skipped, counted, and cost no whole line', async () => {
  const folder = await logFolder()
  const first = await folder.open()
  await first.append(messageRecord({ rpcId: '0' }))
  await first.stop()
  const file = segmentPath(folder.dir, first.firstOwn)
  const line = JSON.stringify(messageRecord({ rpcId: '1' }))
  appendFileSync(file, `${'\0'.repeat(64)}\n{"half":\n${line}\n${line.slice(0, 300)}`)
  const log = await folder.open()
  const tailer = tailerOf(log, folder)
  await log.append(messageRecord({ rpcId: '2' }))
  await tailer.flush()
  assert.equal(await rpcIds(), names(3))
  assert.is(tailer.status().torn, 3)
  assert.is(tailer.status().deadLetters, 0)
  assert.not(existsSync(file))
  await stop(tailer, log, folder)
})

test('text that PostgreSQL cannot hold does not stop a record', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const tailer = tailerOf(log, folder)
  await log.append(messageRecord({ feature: 'a\0b\ud800', userAgent: '\\u0000' }))
  await tailer.flush()
  const { rows } = await database.pool.query('select feature, user_agent from messages')
  assert.equal(rows, [{ feature: 'a\ufffdb\ufffd', user_agent: '\\u0000' }])
  await stop(tailer, log, folder)
})

test('names of any length are recorded: nobody slips out of the record by a long one', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const tailer = tailerOf(log, folder)
  const long = Array.from({ length: 20_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000))).join('')
  await log.append(messageRecord({ method: long, feature: long, rpcId: long, sessionId: long, userAgent: long }))
  await tailer.flush()
  assert.is((await rpcIds()).length, 1)
  assert.is(tailer.status().deadLetters, 0)
  await stop(tailer, log, folder)
})

test('a row that the database refuses goes to the dead letters, told and counted, and its neighbours arrive', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const tailer = tailerOf(log, folder)
  const records = numbered(9)
  records[4] = messageRecord({ rpcId: 'poison', userId: 'no-uuid' })
  await Promise.all(records.map((record) => log.append(record)))
  await tailer.flush()
  assert.equal(
    await rpcIds(),
    names(9).filter((name) => name !== '4'),
  )
  const { rows } = await database.pool.query('select exporter_id, message, rows from dead_letters')
  assert.is(rows.length, 1)
  assert.is(rows[0].exporter_id, null)
  assert.is(JSON.parse(rows[0].rows[0]).rpcId, 'poison')
  assert.is(tailer.status().deadLetters, 1)
  assert.equal(
    folder.alerts.map(({ type }) => type),
    ['audit_overflow'],
  )
  await stop(tailer, log, folder)
})

test('the database goes away in the middle of the load and comes back: nothing is lost, nothing twice, in order', async () => {
  const folder = await logFolder()
  const log = await folder.open({ segmentBytes: 50_000 })
  const relay = await relayTo(database.url)
  const pool = new Pool({ connectionString: relay.url, max: 2 })
  pool.on('error', () => undefined)
  const tailer = tailerOf(log, folder, { database: pool, batch: { rows: 10, bytes: 50_000 } })
  for (const [i, record] of numbered(300).entries()) {
    await log.append(record)
    if (i === 60 || i === 200) relay.cut()
    if (i === 150 || i === 280) {
      while (!tailer.status().failing) await log.append(messageRecord({ rpcId: 'meanwhile' }))
      relay.mend()
    }
  }
  await tailer.flush()
  assert.equal(
    (await rpcIds()).filter((id) => id !== 'meanwhile'),
    names(300),
  )
  assert.is(tailer.status().failing, null)
  assert.is(tailer.status().deadLetters, 0)
  await stop(tailer, log, folder)
  await pool.end()
  await relay.close()
})

test('stopping while the database is away keeps the rest for the next start', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const relay = await relayTo(database.url)
  relay.cut()
  const pool = new Pool({ connectionString: relay.url, max: 1 })
  const tailer = tailerOf(log, folder, { database: pool })
  await log.append(messageRecord({ rpcId: '0' }))
  while (!tailer.status().failing) await new Promise((done) => setImmediate(done))
  await log.stop()
  await tailer.stop()
  const next = await folder.open()
  const other = tailerOf(next, folder)
  await other.flush()
  assert.equal(await rpcIds(), ['0'])
  await stop(other, next, folder)
  await pool.end()
  await relay.close()
})

test('a lost or spoilt position is no loss', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  await log.append(messageRecord({ rpcId: '0' }))
  await log.stop()
  writeFileSync(join(folder.dir, 'carried'), 'nonsense')
  const next = await folder.open()
  const tailer = tailerOf(next, folder)
  await tailer.flush()
  assert.equal(await rpcIds(), ['0'])
  await stop(tailer, next, folder)
})

test.run()
