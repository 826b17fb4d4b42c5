import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FeatureRequest } from '@gatehouse/sdk'
import { callContext } from '@gatehouse/sdk/testing'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadPlugin } from './load.js'
import { hostFor } from './testing.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const test = suite('the plugin of docs/plugins.md', { folder: '' })

/** A block of code below a line that is its file's name. */
const NAMED_BLOCK = /^`([a-z.]+)`:\n\n```\w+\n([^]*?)^```$/gm

test.before(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'gatehouse-example-'))
  await symlink(join(root, 'node_modules'), join(context.folder, 'node_modules'))
  await mkdir(join(context.folder, 'guard-hours'))
  const page = await readFile(join(root, 'docs', 'plugins.md'), 'utf8')
  const files = [...page.matchAll(NAMED_BLOCK)].map(([, name = '', text = '']) => ({ name, text }))
  for (const { name, text } of files) await writeFile(join(context.folder, 'guard-hours', name), text)
  assert.equal(
    files.map((file) => file.name),
    [
      'package.json',
      'tsconfig.json',
      'index.ts',
      'index.test.ts',
      'exporter.ts',
      'exporter.test.ts',
      'engine.ts',
      'engine.test.ts',
    ],
  )
})
test.after((context) => rm(context.folder, { recursive: true }))

function run(folder: string, ...command: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8', env: {} })
  assert.is(status, 0, `${stdout}${stderr}`)
}

test('it compiles and passes its tests', ({ folder }) => {
  run(folder, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'guard-hours')
  const tests = ['index', 'exporter', 'engine'].map((name) => join('guard-hours', 'dist', `${name}.test.js`))
  run(folder, '--test', ...tests)
})

test('it is loaded by the folder’s name and blocks what it says', async ({ folder }) => {
  const use = (config: unknown) => loadPlugin({ use: './guard-hours', config, from: folder })
  // The host's clock stands at midnight.
  const { plugin, config } = await use({ tools: ['transfer_money'], until: 20 })
  const host = await hostFor().start([plugin], { [plugin.id]: config })
  const request = (name: string): FeatureRequest => ({
    context: callContext({ feature: { kind: 'tool', name } }),
    params: {},
  })
  assert.equal(await host.bus.sequential('feature.request', request('transfer_money')), {
    blocked: true,
    plugin: 'guard-hours',
    reason: 'This tool can be called from 8:00 to 20:00 UTC.',
    failed: false,
  })
  assert.is((await host.bus.sequential('feature.request', request('echo'))).blocked, false)
  await host.stop()
  let refused = ''
  await use({ tools: ['transfer_money'], untill: 20 }).catch((thrown: Error) => (refused = thrown.message))
  assert.match(refused, /^Plugin 'guard-hours' config: .*"untill"/)
})

test.run()
