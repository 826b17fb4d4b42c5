import { readFileSync, writeSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError } from '../errors.js'
import { lineOf } from './line.js'
import { listSegments, segmentPath } from './segments.js'
import { logFolder, messageRecord } from './record.fixture.js'

const full: NodeJS.ErrnoException = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })

function linesOf(dir: string): Record<string, unknown>[] {
  const text = listSegments(dir)
    .map(({ number }) => readFileSync(segmentPath(dir, number), 'utf8'))
    .join('')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => assert.unreachable('it resolved'),
    (error: unknown) => error,
  )
}

test('what was acknowledged lies in the file', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const record = messageRecord()
  await log.append(record)
  assert.equal(linesOf(folder.dir), [JSON.parse(lineOf(record))])
  await log.stop()
  await folder.remove()
})

test('all appends of one turn go out in one write, in order', async () => {
  const folder = await logFolder()
  let writes = 0
  const log = await folder.open({ disk: { write: (...facts) => ((writes += 1), writeSync(...facts)) } })
  const records = Array.from({ length: 64 }, () => messageRecord())
  await Promise.all(records.map((record) => log.append(record)))
  assert.is(writes, 1)
  assert.equal(
    linesOf(folder.dir).map(({ id }) => id),
    records.map(({ id }) => id),
  )
  await log.stop()
  await folder.remove()
})

test('a full segment is followed by a new one, and released ones are deleted', async () => {
  const folder = await logFolder()
  const log = await folder.open({ segmentBytes: 2_000 })
  for (let i = 0; i < 10; i += 1) await log.append(messageRecord())
  const numbers = listSegments(folder.dir).map(({ number }) => number)
  assert.ok(numbers.length > 3)
  assert.is(
    log.held(),
    listSegments(folder.dir).reduce((sum, { bytes }) => sum + bytes, 0),
  )
  log.release(log.position().segment)
  assert.equal(
    listSegments(folder.dir).map(({ number }) => number),
    numbers.slice(-1),
  )
  assert.is(log.held(), log.position().offset)
  await log.stop()
  await folder.remove()
})

test('fast: a full disk lets the call go on, counted and told; the gap stands in the log when space is back', async () => {
  const folder = await logFolder()
  let space = true
  const log = await folder.open({
    disk: {
      write: (...facts) => {
        if (!space) throw full
        return writeSync(...facts)
      },
    },
  })
  await log.append(messageRecord({ rpcId: 'before' }))
  space = false
  await Promise.all([log.append(messageRecord()), log.append(messageRecord())])
  await log.append(messageRecord())
  assert.is(folder.overflows.length, 1, 'told once, not per message')
  assert.is(folder.overflows[0]?.reason, 'disk')
  assert.equal(log.missing(), { lost: 3, refused: 0 })
  space = true
  await log.append(messageRecord({ rpcId: 'after' }))
  const lines = linesOf(folder.dir)
  assert.equal(
    lines.map(({ rpcId, method }) => rpcId ?? method),
    ['before', 'gatehouse/gap', 'after'],
  )
  assert.match(JSON.stringify(lines[1]), /3 messages from/)
  await log.stop()
  await folder.remove()
})

test('bytes of a write that failed half-way are cut off again', async () => {
  const folder = await logFolder()
  let room = Infinity
  const log = await folder.open({
    disk: {
      write: (fd, buffer, offset, length, position) => {
        const fits = Math.min(length, room)
        room -= fits
        if (fits === 0) throw full
        return writeSync(fd, buffer, offset, fits, position)
      },
    },
  })
  await log.append(messageRecord({ rpcId: 'one' }))
  room = 100
  await log.append(messageRecord({ rpcId: 'lost' }))
  assert.is(readFileSync(segmentPath(folder.dir, log.firstOwn)).length, log.position().offset)
  room = Infinity
  await log.append(messageRecord({ rpcId: 'two' }))
  assert.equal(
    linesOf(folder.dir).map(({ rpcId }) => rpcId),
    ['one', null, 'two'],
  )
  await log.stop()
  await folder.remove()
})

test('strict: a full disk refuses the call with GH_RECORD_FULL, and it is told', async () => {
  const folder = await logFolder()
  let space = false
  const log = await folder.open({
    mode: () => 'strict',
    disk: {
      write: (...facts) => {
        if (!space) throw full
        return writeSync(...facts)
      },
    },
  })
  const error = await rejection(log.append(messageRecord()))
  assert.ok(error instanceof GatehouseError && error.code === 'GH_RECORD_FULL')
  assert.is(folder.overflows.length, 1)
  assert.equal(log.missing(), { lost: 0, refused: 1 })
  space = true
  await log.append(messageRecord({ rpcId: 'after' }))
  assert.equal(
    linesOf(folder.dir).map(({ rpcId }) => rpcId),
    ['after'],
    'a refused call leaves no gap',
  )
  await log.stop()
  await folder.remove()
})

test('strict: what is not on the disk is refused, and the file is not trusted again', async () => {
  const folder = await logFolder()
  let works = false
  const sync = async (): Promise<void> => {
    if (!works) throw new Error('EIO')
  }
  const log = await folder.open({ mode: () => 'strict', disk: { sync } })
  const error = await rejection(log.append(messageRecord()))
  assert.ok(error instanceof GatehouseError && error.code === 'GH_RECORD_FULL')
  works = true
  await log.append(messageRecord({ rpcId: 'next' }))
  assert.is(log.position().segment, log.firstOwn + 1)
  await log.stop()
  await folder.remove()
})

test('strict: an append resolves only after a sync that began after its write', async () => {
  const folder = await logFolder()
  const steps: string[] = []
  const log = await folder.open({
    mode: () => 'strict',
    disk: {
      write: (...facts) => (steps.push('write'), writeSync(...facts)),
      sync: async () => void steps.push('sync'),
    },
  })
  await log.append(messageRecord())
  steps.push('answer')
  assert.equal(steps, ['write', 'sync', 'answer'])
  await log.stop()
  await folder.remove()
})

test('strict: sixty-four in flight share their syncs', async () => {
  const folder = await logFolder()
  const log = await folder.open({ mode: () => 'strict' })
  await Promise.all(Array.from({ length: 64 }, () => log.append(messageRecord())))
  assert.is(linesOf(folder.dir).length, 64)
  await log.stop()
  await folder.remove()
})

test('the bound counts as full until the tailer has released enough', async () => {
  const folder = await logFolder()
  const log = await folder.open({ segmentBytes: 3_000, maxBytes: 8_000 })
  while (log.missing().lost === 0) await log.append(messageRecord())
  assert.is(folder.overflows[0]?.reason, 'bound')
  assert.ok(log.held() <= 8_000)
  log.release(log.position().segment)
  await log.append(messageRecord({ rpcId: 'after' }))
  assert.is(log.missing().lost, 1)
  assert.is(linesOf(folder.dir).at(-1)?.['rpcId'], 'after')
  await log.stop()
  await folder.remove()
})

test('a folder has one writer, and the next one begins a new segment', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const error = await rejection(folder.open())
  assert.ok(error instanceof GatehouseError && error.code === 'GH_RECORD_HELD')
  await log.stop()
  const next = await folder.open()
  assert.is(next.firstOwn, log.firstOwn + 1)
  await next.stop()
  await folder.remove()
})

test('after the stop an append is refused', async () => {
  const folder = await logFolder()
  const log = await folder.open()
  const last = log.append(messageRecord())
  await log.stop()
  await last
  assert.is(linesOf(folder.dir).length, 1)
  assert.instance(await rejection(log.append(messageRecord())), GatehouseError)
  await folder.remove()
})

test.run()
