import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { node24 } from './node24.js'

const run = promisify(execFile)

test('brings a Node 24 that does not shadow the one in use', async () => {
  const { stdout } = await run(node24().node, ['--version'])
  assert.match(stdout, /^v24\./)
  const shadow = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))
  assert.not(existsSync(shadow))
})

test('runs the inspector on it', async () => {
  const { node, inspector } = node24()
  const { stdout, stderr } = await run(node, [inspector, '--help'])
  assert.match(stdout + stderr, /usage/i)
})

test.run()
