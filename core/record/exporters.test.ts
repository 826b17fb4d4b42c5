import { randomUUID } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Alert, Delivery, DeliveryAnswer } from '@gatehouse/sdk'
import type { MessageRecord } from '../domain/record.js'
import { carry } from './carry.js'
import { ExportCursor, exporterStatus } from './export-cursor.js'
import { createExporters } from './exporters.js'
import type { Exporters } from './exporters.js'
import type { ExportersOptions, ExporterTarget } from './export-options.js'
import { wholeLines } from './lines.js'
import { leg, messageRecord, quiet, recordDatabase } from './record.fixture.js'
import type { RecordDatabase } from './record.fixture.js'

let database: RecordDatabase
test.before(async () => {
  database = await recordDatabase()
})
test.after(() => database.drop())

const delivered: DeliveryAnswer = { kind: 'delivered' }
const one = (rpcId: string, facts: Partial<MessageRecord> = {}): MessageRecord =>
  messageRecord({ rpcId, legs: [leg()], ...facts })
const numbered = (count: number) => Array.from({ length: count }, (_, i) => one(String(i)))
const names = (count: number) => Array.from({ length: count }, (_, i) => String(i))
const put = (records: readonly MessageRecord[]) =>
  carry(database.pool, wholeLines(Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''))))

/** A receiver: remembers what it took, and answers as it is told to. */
class Receiver {
  readonly taken: Delivery[] = []
  readonly asked: Delivery[] = []
  answer: (delivery: Delivery) => DeliveryAnswer | Promise<DeliveryAnswer> = () => delivered

  readonly deliver = async (_plugin: string, delivery: Delivery): Promise<DeliveryAnswer> => {
    this.asked.push(delivery)
    const answer = await this.answer(delivery)
    if (answer.kind === 'delivered') this.taken.push(delivery)
    return answer
  }
  ids(): (string | null)[] {
    return this.taken.flatMap(({ rows }) => rows.map((row) => row.jsonrpc_id))
  }
}

async function target(): Promise<ExporterTarget> {
  const id = randomUUID()
  await database.pool.query(
    "insert into exporters (id, slug, plugin, managed_by) values ($1, $2, 'siem-test', 'api')",
    [id, id],
  )
  return { id, name: 'soc', plugin: 'siem-test', config: { url: 'https://example.com' } }
}

interface Bench {
  readonly exporters: Exporters
  readonly alerts: Alert[]
}

/** Runs one exporter and waits until it stands at the end of the record. */
async function running(
  at: ExporterTarget,
  receiver: Receiver,
  options: Partial<ExportersOptions> = {},
): Promise<Bench> {
  const alerts: Alert[] = []
  const exporters = createExporters({
    database: database.pool,
    exporters: () => [at],
    deliver: receiver.deliver,
    alone: async (_name, work) => (await work(), true),
    alert: (alert) => alerts.push(alert),
    logger: quiet,
    service: { name: 'gatehouse', version: '0.1.0' },
    timing: { pollMs: 5, refreshMs: 20, pauseMs: [1, 4] },
    ...options,
  })
  exporters.start()
  await until(async () => (await exporters.status(at.id)) !== null)
  return { exporters, alerts }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never came true')
    await new Promise((done) => setTimeout(done, 2))
  }
}

test('the very first message of a new database is exported', async () => {
  const receiver = new Receiver()
  const { exporters } = await running(await target(), receiver)
  await put([one('first')])
  await until(() => receiver.taken.length > 0)
  await exporters.stop()
  assert.equal(receiver.ids(), ['first'])
})

test('a new exporter gets what comes from now on, in order, as rows', async () => {
  await put([one('old')])
  const receiver = new Receiver()
  const at = await target()
  const { exporters } = await running(at, receiver)
  await put([messageRecord({ rpcId: 'new' })])
  await until(() => receiver.taken.length > 0)
  await until(async () => (await exporters.status(at.id))?.waiting === 0)
  await exporters.stop()
  assert.equal(receiver.ids(), ['new', 'new', 'new', 'new'])
  assert.equal(receiver.taken[0]?.service, { name: 'gatehouse', version: '0.1.0' })
  assert.equal(receiver.taken[0]?.exporter, { id: at.id, name: 'soc', config: at.config })
  const status = await exporters.status(at.id)
  assert.ok(status?.lastSuccess)
  assert.is(status?.lastError, null)
})

test('an outage of the receiver is waited out: the same batch comes again until it is taken, nothing is lost', async () => {
  const receiver = new Receiver()
  receiver.answer = ({ attempt }) => (attempt < 12 ? { kind: 'retry', message: 'HTTP 503', status: 503 } : delivered)
  const at = await target()
  const { exporters, alerts } = await running(at, receiver)
  await put(numbered(30))
  await until(async () => (await exporters.status(at.id))?.lastError?.status === 503)
  await until(() => receiver.ids().length >= 30)
  await exporters.stop()
  assert.equal(receiver.ids(), names(30))
  assert.equal(
    receiver.asked.slice(0, 12).map(({ attempt }) => attempt),
    Array.from({ length: 12 }, (_, i) => i + 1),
  )
  assert.equal(receiver.asked[0]?.rows, receiver.asked[11]?.rows)
  // The thirty may have come into the database in two batches: each tells of its own outage, once.
  assert.equal([...new Set(alerts.map(({ type }) => type))], ['export_failing'])
  assert.is(alerts.length, receiver.asked.filter(({ attempt }) => attempt === 12).length)
})

test('a plugin that throws is tried again', async () => {
  const receiver = new Receiver()
  receiver.answer = ({ attempt }) => {
    if (attempt < 3) throw new Error('broken')
    return delivered
  }
  const { exporters } = await running(await target(), receiver)
  await put([one('0')])
  await until(() => receiver.taken.length === 1)
  await exporters.stop()
  assert.equal(receiver.ids(), ['0'])
})

test('the patience that a receiver asks for is granted', async () => {
  const receiver = new Receiver()
  const times: number[] = []
  receiver.answer = ({ attempt }) => {
    times.push(Date.now())
    return attempt === 1 ? { kind: 'retry', message: 'HTTP 429', afterMs: 150 } : delivered
  }
  const { exporters } = await running(await target(), receiver)
  await put([one('0')])
  await until(() => receiver.taken.length === 1)
  await exporters.stop()
  assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 149)
})

test('what is refused for good goes to the dead letters after five tries, with an alert, and the rest goes on', async () => {
  const receiver = new Receiver()
  receiver.answer = ({ rows }) =>
    rows.some((row) => row.jsonrpc_id === 'bad') ? { kind: 'rejected', message: 'HTTP 400', status: 400 } : delivered
  const at = await target()
  const { exporters, alerts } = await running(at, receiver)
  await put([one('bad')])
  await until(async () => (await exporters.status(at.id))?.deadLetters === 1)
  await put([one('good')])
  await until(() => receiver.taken.length === 1)
  await exporters.stop()
  assert.equal(receiver.ids(), ['good'])
  assert.is(receiver.asked.filter(({ rows }) => rows[0]?.jsonrpc_id === 'bad').length, 5)
  const { rows } = await database.pool.query('select * from dead_letters where exporter_id = $1', [at.id])
  assert.equal([rows[0].attempts, rows[0].status, rows[0].message], [5, 400, 'HTTP 400'])
  assert.is(rows[0].rows[0].jsonrpc_id, 'bad')
  assert.equal(
    alerts.map(({ type }) => type),
    ['export_failing'],
  )
})

test('a delivery holds at most 512 rows and about a megabyte, a message with more legs is spread over several', async () => {
  const receiver = new Receiver()
  const { exporters } = await running(await target(), receiver)
  const legs = Array.from({ length: 1_300 }, () => leg())
  await put([...numbered(300), one('wide', { legs }), ...numbered(5)])
  await until(() => receiver.ids().length >= 1_605)
  await exporters.stop()
  assert.equal(receiver.ids(), [...names(300), ...legs.map(() => 'wide'), ...names(5)])
  for (const { rows } of receiver.taken) {
    assert.ok(rows.length <= 512)
    assert.ok(JSON.stringify(rows).length <= 1_000_000)
  }
})

test('a restart goes on from the cursor, and a batch under way comes again', async () => {
  const receiver = new Receiver()
  const at = await target()
  const first = await running(at, receiver)
  await put([one('0')])
  await until(async () => receiver.taken.length === 1 && (await first.exporters.status(at.id))?.waiting === 0)
  receiver.answer = () => ({ kind: 'retry', message: 'away' })
  await put([one('1')])
  await until(() => receiver.asked.length > 1)
  await first.exporters.stop()
  receiver.answer = () => delivered
  const second = await running(at, receiver)
  await until(() => receiver.taken.length === 2)
  await second.exporters.stop()
  assert.equal(receiver.ids(), ['0', '1'])
})

test('an exporter that is taken away stops, and one that is changed is tried at once', async () => {
  const receiver = new Receiver()
  receiver.answer = ({ exporter }) =>
    exporter.config['url'] === 'right' ? delivered : { kind: 'retry', message: 'wrong url', afterMs: 600_000 }
  const at = await target()
  let targets: ExporterTarget[] = [at]
  const { exporters } = await running(at, receiver, { exporters: () => targets })
  await put([one('0')])
  await until(() => receiver.asked.length === 1)
  targets = [{ ...at, config: { url: 'right' } }]
  await exporters.refresh()
  await until(() => receiver.taken.length === 1)
  targets = []
  await exporters.refresh()
  await put([one('1')])
  const again = await running(await target(), receiver)
  await again.exporters.stop()
  assert.equal(receiver.ids(), ['0'])
  await exporters.stop()
})

test('two replicas: one delivers, the other takes over when it stops, and the cursor is never moved twice', async () => {
  const receiver = new Receiver()
  const at = await target()
  const alone = async (name: string, work: () => Promise<void>): Promise<boolean> => {
    const session = await database.pool.connect()
    try {
      const { rows } = await session.query('select pg_try_advisory_lock(hashtext($1)) as mine', [name])
      if (!rows[0].mine) return false
      await work()
      await session.query('select pg_advisory_unlock(hashtext($1))', [name])
      return true
    } finally {
      session.release()
    }
  }
  const former = await running(at, receiver, { alone })
  const two = await running(at, receiver, { alone })
  await put(numbered(20))
  await until(() => receiver.ids().length >= 20)
  await former.exporters.stop()
  await put([one('20')])
  await until(() => receiver.ids().length >= 21)
  await two.exporters.stop()
  assert.equal(receiver.ids(), names(21))
})

test('a replica that was overtaken neither moves the cursor back nor buries what another has delivered', async () => {
  const { id } = await target()
  const cursor = new ExportCursor(database.pool, id)
  const start = await cursor.read(async () => 10n)
  assert.ok(await cursor.delivered(start, 20n))
  assert.not(await cursor.delivered(start, 15n))
  assert.not(await cursor.buried(start, 15n, { attempts: 5, message: 'late', rows: [] }))
  assert.is(await cursor.read(async () => 0n), 20n)
  assert.is((await exporterStatus(database.pool, id))?.deadLetters, 0)
})

test('replicas that both deliver, for want of a lock, repeat rows but lose none', async () => {
  const receiver = new Receiver()
  const at = await target()
  const benches = [await running(at, receiver), await running(at, receiver)]
  for (let round = 0; round < 10; round += 1) await put([one(String(round))])
  await until(() => new Set(receiver.ids()).size === 10)
  for (const { exporters } of benches) await exporters.stop()
  assert.is((await benches[0]?.exporters.status(at.id))?.deadLetters, 0)
})

test.run()
