import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configurationBench, refusalOf } from '../test/configuration.js'
import type { ReferenceSource } from '../vault/secret-reference.js'
import { createKeeper } from './keeper.js'
import { sourceOf } from './references.js'

async function keep(text: string, source: ReferenceSource = sourceOf({})) {
  const folder = await mkdtemp(join(tmpdir(), 'keeper-'))
  const path = join(folder, 'gatehouse.yaml')
  await writeFile(path, text)
  const { files, store } = await configurationBench()
  const waiting: ((line: string) => void)[] = []
  const say = (fields: object, message: string) => waiting.shift()?.(`${message} ${JSON.stringify(fields)}`)
  const keeper = createKeeper({
    ...{ path, files, source, intervalMs: 20, quietMs: 1 },
    log: { info: say, warn: say, error: say },
  })
  const told = () => new Promise<string>((resolve) => waiting.push(resolve))
  const stop = async () => {
    await keeper.stop()
    await rm(folder, { recursive: true })
  }
  return { keeper, path, store, told, stop, slugs: async () => (await store.teams.all()).map(({ slug }) => slug) }
}

/** At once, so that nobody sees half of it. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

test('what is written into the file holds soon after; a bad file is told of and changes nothing', async () => {
  const { keeper, path, told, stop, slugs } = await keep('version: 1\nteams: { a: {} }\n')
  await keeper.apply()
  assert.equal(await slugs(), ['a'])
  keeper.watch()
  const refused = told()
  await put(path, 'version: 1\nteams: { b: {}, c: { membres: [] } }\n')
  assert.match(await refused, 'gatehouse.yaml:2:22 teams.c.membres: unknown key; did you mean members?')
  assert.equal(await slugs(), ['a'])
  const applied = told()
  await put(path, 'version: 1\nteams: { b: {} }\n')
  assert.match(await applied, 'configuration file applied')
  assert.equal(await slugs(), ['a', 'b'])
  const gone = told()
  await rm(path)
  assert.match(await gone, 'cannot be read')
  await stop()
})

test('a secret’s path starts from the file', async () => {
  const asked: string[] = []
  const source = { env: {}, readFile: async (path: string) => (asked.push(path), 'secret') }
  const text =
    'version: 1\nservers: { s: { url: https://a.example.com, auth: { headers: { A: "${file:keys/a}" } } } }\n'
  const { keeper, path, stop } = await keep(text, source)
  await keeper.apply()
  assert.is(asked[0], join(dirname(path), 'keys/a'))
  await stop()
})

test('at the start a bad file is refused to whoever starts', async () => {
  const { keeper, stop } = await keep('version: 1\nteam: {}\n')
  assert.is((await refusalOf(keeper.apply())).code, 'GH_CONFIG_INVALID')
  await stop()
})

test.run()
