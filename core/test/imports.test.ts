import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findBreaches, readFacts } from './import-laws.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

async function sources(folder: string): Promise<string[]> {
  const found = await readdir(join(root, folder), { recursive: true })
  return found
    .map((name) => `${folder}/${name.split(sep).join('/')}`)
    .filter((path) => /\.c?ts$/.test(path) && !/\.d\.c?ts$/.test(path) && !/\/(dist|node_modules)\//.test(path))
    .filter((path) => !isAssemblyScript(path))
}

/** Another language that has the same suffix: no TypeScript, and never run by Node. */
const isAssemblyScript = (path: string) =>
  /^rules-wasm\/(.*\/)?assembly\/|^rules-wasm\/assemblyscript\/fixtures\//.test(path)

function breachesOf(files: Readonly<Record<string, string>>): readonly string[] {
  return findBreaches(Object.entries(files).map(([path, source]) => readFacts(path, source)))
}

/** The law catches `bad` and lets `good` pass. */
function law(name: string, cases: { path: string; bad: readonly string[]; good: readonly string[] }): void {
  test(name, () => {
    for (const source of cases.bad) assert.is(breachesOf({ [cases.path]: source }).length, 1, source)
    for (const source of cases.good) assert.equal(breachesOf({ [cases.path]: source }), [], source)
  })
}

test('the sources of sdk, core, plugins and rules-wasm keep every law', async () => {
  const paths = (await Promise.all(['sdk', 'core', 'plugins', 'rules-wasm'].map(sources))).flat()
  assert.ok(paths.includes('core/errors.ts') && paths.includes('sdk/index.ts'), 'the sources are found')
  const breaches = findBreaches(paths.map((path) => readFacts(path, readFileSync(join(root, path), 'utf8'))))
  assert.is(breaches.join('\n'), '')
})

law('imports inside core go down only', {
  path: 'core/rules/chain.ts',
  bad: [
    `import { x } from '../rooms/route.js'`,
    `import type { X } from '../http/server.js'`,
    `export * from '../pipeline.js'`,
    `let x: import('../http/server.js').X`,
    `require('../http/server.js')`,
  ],
  good: [
    `import { x } from '../domain/x.js'`,
    `import { x } from '../errors.js'`,
    `import { x } from './leaves.js'`,
    `import { x } from '../mcp/message.js'`,
  ],
})

law('nothing but compose and main imports http', {
  path: 'core/pipeline.ts',
  bad: [`import { x } from './http/server.js'`],
  good: [`import { x } from './rooms/route.js'`],
})

law('rooms do not import rooms', {
  path: 'core/rooms/permit.ts',
  bad: [`import { x } from './route.js'`],
  good: [`import { x } from '../db/repositories/users.js'`],
})

law('only repositories are seen outside db', {
  path: 'core/identity/users.ts',
  bad: [`import { x } from '../db/data-source.js'`],
  good: [`import { x } from '../db/repositories/users.js'`],
})

law('entities never leave db, not even for compose', {
  path: 'core/compose.ts',
  bad: [`import { x } from './db/entities/user.js'`],
  good: [`import { x } from './db/data-source.js'`],
})

law('a folder that the drawing does not know is refused', {
  path: 'core/utils/strings.ts',
  bad: [`export const x = 1`],
  good: [],
})

law('domain imports only the sdk, zod and node:crypto', {
  path: 'core/domain/policy.ts',
  bad: [`import { x } from 'node:fs'`, `import { x } from 'pg'`, `import { x } from '../errors.js'`],
  good: [`import { x } from '@gatehouse/sdk'`, `import { z } from 'zod'`, `import { createHash } from 'node:crypto'`],
})

law('the sdk depends on zod only', {
  path: 'sdk/hooks.ts',
  bad: [`import { x } from 'node:fs'`, `import { x } from '../core/errors.js'`],
  good: [`import { z } from 'zod'`, `import { x } from './call.js'`],
})

law('a plugin imports the sdk, never core or another plugin', {
  path: 'plugins/detect-regex/index.ts',
  bad: [
    `import { x } from '@gatehouse/core'`,
    `import { x } from '@gatehouse/auth-token'`,
    `import { x } from '../../core/errors.js'`,
    `import { x } from '../auth-token/index.js'`,
  ],
  good: [`import { x } from '@gatehouse/sdk'`, `import { x } from 'zod'`, `import { x } from './patterns.js'`],
})

law('core never names a plugin', {
  path: 'core/host/scope.ts',
  bad: [`const x = '@gatehouse/auth-token'`, 'const x = `@gatehouse/detect-${y}`'],
  good: [`const x = '@gatehouse/sdk'`, 'const x = `@gatehouse/${y}`'],
})

law('core never imports a plugin', {
  path: 'core/host/lifecycle.ts',
  bad: [`import { x } from '../../plugins/auth-token/index.js'`],
  good: [`import { x } from '../hooks/bus.js'`],
})

law('only compose.ts knows the container', {
  path: 'core/host/lifecycle.ts',
  bad: [`import { container } from 'tsyringe'`, `import type { X } from 'tsyringe'`],
  good: [`import { x } from 'yaml'`],
})

law('only main.ts touches the process', {
  path: 'core/egress/proxy.ts',
  bad: [
    `const x = process.env`,
    `const x = process['env']`,
    `process.exit(1)`,
    `process.on('SIGTERM', stop)`,
    `const { argv } = process`,
    `import { env } from 'node:process'`,
    `import process from 'node:process'`,
    `const x = process[name]`,
  ],
  good: [`process.kill(pid, 'SIGINT')`, `const x = process.pid`, `const x = { process: { env: 1 } }`],
})

law('only the plugin loader imports by name', {
  path: 'core/http/server.ts',
  bad: [`const x = await import('koa')`, `const x = await import(name)`],
  good: [`import x from 'koa'`],
})

law('what runs never imports what only tests', {
  path: 'core/egress/egress.ts',
  bad: [`import { x } from './testing.js'`, `import { x } from './egress.test.js'`],
  good: [],
})

test('the loader and main have their rights', () => {
  assert.equal(breachesOf({ 'core/host/load.ts': `await import(name)` }), [])
  assert.equal(breachesOf({ 'core/main.ts': `process.exit(1); import { x } from './http/server.js'` }), [])
  assert.equal(breachesOf({ 'core/compose.ts': `import { container } from 'tsyringe'` }), [])
})

test('tests may import what they want', () => {
  assert.equal(breachesOf({ 'core/domain/x.test.ts': `import '../http/server.js'; process.env` }), [])
  assert.equal(breachesOf({ 'core/test/calls/door.ts': `import '../../http/server.js'` }), [])
})

test('files that import each other are a cycle, by type too', () => {
  const files = {
    'core/mcp/a.ts': `import { b } from './b.js'`,
    'core/mcp/b.ts': `import { c } from './c.js'`,
    'core/mcp/c.ts': `import type { A } from './a.js'`,
  }
  assert.equal(breachesOf(files), ['cycle: core/mcp/a.ts -> core/mcp/b.ts -> core/mcp/c.ts -> core/mcp/a.ts'])
  assert.equal(breachesOf({ ...files, 'core/mcp/c.ts': '' }), [])
})

test('a file that imports itself is a cycle', () => {
  assert.is(breachesOf({ 'core/mcp/a.ts': `import { x } from './a.js'` }).length, 1)
})

law('whoever opens connections does it by way of core/egress', {
  path: 'core/upstream/wire.ts',
  bad: [
    `import { Pool } from 'undici'`,
    `import { connect } from 'node:net'`,
    `import { connect as open } from 'net'`,
    `import * as tls from 'node:tls'`,
    `import https from 'node:https'`,
    `import { request } from 'node:http'`,
    `import { createTransport } from 'nodemailer'`,
    `export const read = (url: string) => fetch(url)`,
    `export const read = (url: string) => globalThis.fetch(url)`,
    `export const read = (url: string) => globalThis['fet' + 'ch'](url)`,
  ],
  good: [
    `import type { Dispatcher } from 'undici'`,
    `import { type Dispatcher } from 'undici'`,
    `import { isIP, createServer, type Socket } from 'node:net'`,
    `import { createServer } from 'node:http'`,
    `export const read = (fetch: (url: string) => unknown) => fetch('x')`,
    `export const read = ({ fetch }: Way) => fetch('x')`,
    `export let fetchLike: typeof globalThis.fetch`,
  ],
})

law('a plugin opens none by itself either', {
  path: 'plugins/siem-acme/index.ts',
  bad: [`import { connect } from 'node:tls'`, `export default (url: string) => fetch(url)`],
  good: [`export default ({ fetch }: Way, url: string) => fetch(url)`, `import type { Socket } from 'node:net'`],
})

law('a listed place may', {
  path: 'core/egress/dial.ts',
  bad: [],
  good: [`import { connect } from 'node:tls'`],
})

test.run()
