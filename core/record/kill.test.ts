import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { logFolder, quiet, recordDatabase } from './record.fixture.js'
import { createTailer } from './tailer.js'

const child = fileURLToPath(new URL('kill.fixture.js', import.meta.url))

/** Runs the writer until it has acknowledged so many records, kills it, and answers all that it acknowledged. */
function killAfter(dir: string, mode: string, count: number): Promise<string[]> {
  const writer = spawn(process.execPath, [child, dir, mode], { stdio: ['ignore', 'pipe', 'inherit'], env: {} })
  let told = ''
  return new Promise((done, fail) => {
    writer.stdout.on('data', (bytes: Buffer) => {
      told += bytes.toString()
      if (told.length >= count * 37) writer.kill('SIGKILL')
    })
    writer.once('error', fail).once('close', () => done(told.split('\n').slice(0, -1)))
  })
}

for (const mode of ['fast', 'strict']) {
  test(`${mode}: ten times killed in the middle of writing, every acknowledged record is in the database`, async () => {
    const database = await recordDatabase()
    const folder = await logFolder()
    const acknowledged: string[] = []
    for (let round = 0; round < 10; round += 1)
      acknowledged.push(...(await killAfter(folder.dir, mode, 40 + round * 17)))
    const log = await folder.open()
    const tailer = createTailer({ log, database: database.pool, alert: () => undefined, logger: quiet })
    tailer.start()
    await tailer.flush()
    const { rows } = await database.pool.query<{ id: string }>('select id from messages')
    const found = new Set(rows.map(({ id }) => id))
    assert.ok(acknowledged.length >= 10 * 40)
    assert.equal(
      acknowledged.filter((id) => !found.has(id)),
      [],
    )
    assert.is(tailer.status().deadLetters, 0)
    await log.stop()
    await tailer.stop()
    await folder.remove()
    await database.drop()
  })
}

test.run()
