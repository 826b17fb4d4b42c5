import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { definePlugin, SDK_VERSION, type Plugin } from '@gatehouse/sdk'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { GatehouseError } from '../errors.js'
import { loadPlugin, type Import, type PluginUse } from './load.js'

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const test = suite('load', { folder: '' })
test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'gatehouse-load-'))
  await symlink(modules, join(context.folder, 'node_modules'))
})
test.after.each((context) => rm(context.folder, { recursive: true }))

const SOURCE = (id: string) => `
import { definePlugin } from '@gatehouse/sdk'
import { z } from 'zod'
export default definePlugin({ id: '${id}', sdk: '^0.1.0', config: z.object({ level: z.number().default(1) }), setup() {} })
`

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

async function refusal(loading: Promise<unknown>): Promise<GatehouseError> {
  const thrown = await loading.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.instance(thrown, GatehouseError)
  assert.is((thrown as GatehouseError).code, 'GH_HOST_PLUGIN')
  return thrown as GatehouseError
}

const use = (name: string, config: unknown = undefined, from = '/'): PluginUse => ({ use: name, config, from })
const plugin = (facts: Partial<Plugin> = {}): Plugin =>
  definePlugin({ id: 'acme-test', sdk: '^0.1.0', config: z.strictObject({}), setup() {}, ...facts })
const giving =
  (value: unknown): Import =>
  async () => ({ default: value })
/** What Node throws when a package or file is not there. */
const absent = (what: string) =>
  Object.assign(new Error(`Cannot find package '${what}' imported from /x.js`), { code: 'ERR_MODULE_NOT_FOUND' })

test('a file is loaded by its path, relative to the file that names it', async ({ folder }) => {
  await write(folder, { 'plugins/mine.mjs': SOURCE('acme-mine') })
  const loaded = await loadPlugin(use('./plugins/mine.mjs', { level: 3 }, folder))
  assert.is(loaded.plugin.id, 'acme-mine')
  assert.equal(loaded.config, { level: 3 })
  assert.is((await loadPlugin(use(join(folder, 'plugins/mine.mjs')))).plugin.id, 'acme-mine')
  assert.is((await loadPlugin(use('../plugins/mine.mjs', {}, join(folder, 'plugins')))).plugin.id, 'acme-mine')
})

for (const [name, stated] of Object.entries({
  'its index.js': undefined,
  main: { main: 'lib/entry.js' },
  'exports as a text': { exports: './lib/entry.js' },
  'exports with conditions': { exports: { '.': { types: './x.d.ts', default: './lib/entry.js' } } },
  'exports before main': { main: 'nowhere.js', exports: { import: './lib/entry.js' } },
})) {
  test(`a folder is entered by ${name}`, async ({ folder }) => {
    const entry = stated === undefined ? 'index.js' : 'lib/entry.js'
    await write(folder, {
      'mine/package.json': JSON.stringify({ type: 'module', ...stated }),
      [`mine/${entry}`]: SOURCE('acme-mine'),
    })
    assert.is((await loadPlugin(use('./mine', undefined, folder))).plugin.id, 'acme-mine')
  })
}

test('a path where nothing is refuses and says so', async ({ folder }) => {
  const { message } = await refusal(loadPlugin(use('./gone.js', {}, folder)))
  assert.is(message, "Plugin './gone.js' is not installed; check the plugins list")
})

test('a package that is not installed refuses, names itself, and says what to check', async () => {
  for (const name of ['siem-nowhere', '@acme/nowhere', 'nowhere']) {
    const { message } = await refusal(loadPlugin(use(name)))
    assert.is(message, `Plugin '${name}' is not installed; check the plugins list`)
  }
})

test('a plugin that needs what is not installed is not called absent itself', async ({ folder }) => {
  await write(folder, { 'mine.mjs': `import 'acme-nowhere'\n${SOURCE('acme-mine')}` })
  const { message, detail } = await refusal(loadPlugin(use('./mine.mjs', {}, folder)))
  assert.is(message, "Plugin './mine.mjs' cannot be imported")
  assert.match(detail ?? '', 'acme-nowhere')
})

test('a plugin that throws when it is imported refuses; its words go to the log', async ({ folder }) => {
  await write(folder, { 'mine.mjs': `throw new Error('no such luck')` })
  const { message, detail } = await refusal(loadPlugin(use('./mine.mjs', {}, folder)))
  assert.is(message, "Plugin './mine.mjs' cannot be imported")
  assert.is(detail, 'no such luck')
})

test('an id is looked for among our own packages first, then as a package of that name', async () => {
  const asked: string[] = []
  const load: Import = async (specifier) => {
    asked.push(specifier)
    if (asked.length === 1) throw absent(specifier)
    return { default: plugin() }
  }
  await loadPlugin(use('acme-test'), load)
  assert.equal(asked, ['@gatehouse/acme-test', 'acme-test'])
})

test('one of ours that is broken is never passed over for a stranger of that name', async () => {
  for (const broken of [new SyntaxError('oops'), absent('what-it-needs')]) {
    const asked: string[] = []
    const load: Import = async (specifier) => {
      asked.push(specifier)
      if (asked.length === 1) throw broken
      return { default: plugin() }
    }
    assert.match((await refusal(loadPlugin(use('acme-test'), load))).message, 'cannot be imported')
    assert.is(asked.length, 1)
  }
})

test('a module that is no plugin refuses and says what is missing', async () => {
  const cases: [unknown, RegExp][] = [
    [undefined, /no default export made by definePlugin/],
    [() => {}, /no default export/],
    [{ ...plugin(), setup: 1 }, /no default export/],
    [{ ...plugin(), id: 'Acme' }, /no id of the form/],
    [{ ...plugin(), id: 'acme' }, /no id of the form/],
    [{ ...plugin(), sdk: undefined }, /states no SDK range/],
    [{ ...plugin(), sdk: 'newest' }, /states no SDK range/],
    [{ ...plugin(), config: undefined }, /states no config schema/],
    [{ ...plugin(), config: { level: 1 } }, /states no config schema/],
    [{ ...plugin(), dependsOn: 'acme-other' }, /dependsOn as a list/],
    [{ ...plugin(), dependsOn: [7] }, /dependsOn as a list/],
  ]
  for (const [value, why] of cases)
    assert.match((await refusal(loadPlugin(use('acme-test'), giving(value)))).message, why)
  assert.match((await refusal(loadPlugin(use('acme-test'), async () => undefined))).message, /no default export/)
})

test('a plugin for another SDK refuses and names both versions', async () => {
  const { message } = await refusal(loadPlugin(use('acme-test'), giving(plugin({ sdk: '^99.0.0' }))))
  assert.is(message, `Plugin 'acme-test' was written for SDK ^99.0.0, this is ${SDK_VERSION}`)
  await loadPlugin(use('acme-test'), giving(plugin({ sdk: `>=${SDK_VERSION} <99` })))
})

test('a key that the configuration does not know refuses and names itself, strict schema or not', async () => {
  for (const config of [z.strictObject({ level: z.number() }), z.object({ level: z.number() })]) {
    const { message } = await refusal(loadPlugin(use('acme-test', { level: 1, leval: 2 }), giving(plugin({ config }))))
    assert.match(message, /^Plugin 'acme-test' config: .*"leval"/)
  }
})

test('a value that does not fit names its key and never itself', async () => {
  const config = z.object({ sink: z.object({ token: z.string().length(3) }) })
  const { message } = await refusal(
    loadPlugin(use('acme-test', { sink: { token: 'hunter2' } }), giving(plugin({ config }))),
  )
  assert.match(message, /^Plugin 'acme-test' config.sink.token: /)
  assert.not.match(message, 'hunter2')
})

test('a schema that throws refuses the start', async () => {
  const config = z.unknown().transform(() => {
    throw new Error('hunter2')
  })
  const { message } = await refusal(loadPlugin(use('acme-test', {}), giving(plugin({ config }))))
  assert.is(message, "Plugin 'acme-test' config: its schema throws")
})

test('a plugin without configuration gets its defaults', async () => {
  const config = z.object({ level: z.number().default(4) })
  assert.equal((await loadPlugin(use('acme-test', null), giving(plugin({ config })))).config, { level: 4 })
})

test.run()
