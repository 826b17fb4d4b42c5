import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { modulesIn } from './module-files.js'

const folder = await mkdtemp(join(tmpdir(), 'gatehouse-modules-'))
test.after(() => rm(folder, { recursive: true, force: true }))

test('what is no file is told so, and a pipe that nobody writes to holds nothing up', async () => {
  const read = modulesIn(folder)
  await writeFile(join(folder, 'a.wasm'), 'a')
  await mkdir(join(folder, 'b.wasm'))
  execFileSync('mkfifo', [join(folder, 'c.wasm')])
  assert.is(Buffer.from((await read('a.wasm')) ?? []).toString(), 'a')
  assert.is(await read('none.wasm'), null)
  for (const path of ['b.wasm', 'c.wasm'])
    assert.is(await read(path).catch((error: Error) => error.message), `${path} is no file`)
})

test.run()
