// time-limit: 180
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runCommand } from '../../cli/program.js'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { moduleOf } from './modules.js'

let home: string
let server: FakeServer
let gateway: RunningGateway
let agent: Access

test.before(async () => {
  server = await fakeUpstream(
    (seen) => answerJson(seen, { result: { content: [{ type: 'text', text: 'done' }], resultType: 'complete' } }),
    { tools: ['act'] },
  )
  home = await mkdtemp(join(tmpdir(), 'grants-'))
  gateway = await startGateway({ home, yaml: `version: 1\nservers: { one: { url: ${JSON.stringify(server.url)} } }\n` })
  await gateway.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'one' }], rules: [] })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const send = async (text: string): Promise<string> => {
  const { json } = await legacy(agent, call('act', { text }))
  return json.result.content[0].text
}
const command = async (...argv: string[]): Promise<string> => {
  let [out, err] = ['', '']
  const code = await runCommand({
    ...{ argv, env: { GATEHOUSE_HOME: home }, cwd: home, version: '0', nodeVersion: process.version },
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    signal: new AbortController().signal,
    start: () => Promise.reject(new Error('not here')),
  })
  return code === 0 ? out : `${code}: ${err}`
}
async function write(file: string, module: Uint8Array | string, manifest: object): Promise<void> {
  await mkdir(join(home, 'my rules'), { recursive: true })
  await writeFile(join(home, 'my rules', file), module)
  await writeFile(join(home, 'my rules', file.replace(/\.\w+$/, '.rule.json')), JSON.stringify(manifest))
}

test('a refused upload names the command that would do, check names it too, and it does', async () => {
  const { module, manifest } = moduleOf('hog', { limits: { memoryPages: 512, fuel: 30_000_000 } })
  await write('hog.wasm', Buffer.from(module, 'base64'), manifest)
  const right = `gatehouse rules upload 'my rules/hog.wasm' --fuel 30000000 --memory-pages 512`
  assert.match(await command('rules', 'check', 'my rules/hog.wasm'), `to grant them      ${right}\n`)
  const refused = await command('rules', 'upload', 'my rules/hog.wasm')
  assert.match(refused, /^1: module: has a memory of 512 pages, more than 64: .*"memoryPages"/)
  assert.ok(refused.endsWith(`If it is to have that:\n  ${right}\n`), refused)
  const half = await command('rules', 'upload', 'my rules/hog.wasm', '--fuel', '1', '--name', 'pig', '--current')
  assert.match(half, `--name pig --current --fuel 30000000 --memory-pages 512\n`)
  assert.match(await command('rules', 'modules'), /none yet/)
  const done = await command('rules', 'upload', 'my rules/hog.wasm', '--memory-pages', '512', '--fuel', '30000000')
  assert.match(done, /^hog@1 .* current\n$/)
  assert.match(await command('rules', 'modules'), /^hog@1 .* fuel 30000000, memoryPages 512\n/m)
})

const HUNGRY = `export function evaluate() {
  for (let turn = 0; turn < 250000; turn++);
  return { verdict: 'pass' }
}`

test('what is granted counts from the next message on', async () => {
  const sha256 = createHash('sha256').update(HUNGRY).digest('hex')
  const limits = { fuel: 60_000_000 }
  await write('hungry.js', HUNGRY, {
    ...{ name: 'hungry', version: '1', abi: 'gatehouse.rule/1', language: 'javascript', sha256, limits },
  })
  const uploaded = await command('rules', 'upload', 'my rules/hungry.js')
  assert.match(
    uploaded,
    /^hungry@1 .* current\nIt gets less than it asks for \(fuel 60000000\), unless: gatehouse rules grant hungry --fuel 60000000\n$/,
  )
  const rule = { name: 'hungry', engine: 'wasm', hook: 'request', module: 'hungry' }
  await gateway.api('POST', '/gateways/house/rules', rule)
  assert.match(await send('a'), /could not be checked/)
  assert.is(await command('rules', 'grant', 'hungry', '--fuel', '60000000'), 'hungry  fuel 60000000\n')
  assert.is(await send('a'), 'done')
  assert.is(await command('rules', 'grant', 'hungry', '--none'), 'hungry  none\n')
  assert.match(await send('a'), /could not be checked/)
})

test('no grant is taken from under a rule that could not run without it', async () => {
  await gateway.api('POST', '/gateways/house/rules', { name: 'hog', engine: 'wasm', hook: 'request', module: 'hog' })
  const refused = await command('rules', 'grant', 'hog', '--none')
  assert.match(refused, /^1: .*rule 'hog' of gateway house would not fit: has a memory of 512 pages/)
  assert.is(await command('rules', 'grant', 'hog'), 'hog  fuel 30000000, memoryPages 512\n')
})

test.run()
