// time-limit: 180
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runCommand } from '../../cli/program.js'
import { call, legacy } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { homeWith } from '../plugins/plugin-file.js'
import { until } from '../until.js'
import { BLOB, createSigner, manifestOf, sha256 } from './blob-engine.js'

let home: string
let server: FakeServer
let gateway: RunningGateway
let agent: Access
const base = (more: string) => `version: 1
plugins: [{ use: ./detect-blob.mjs }]
servers: { one: { url: ${JSON.stringify(server.url)} } }
${more}`
const house = (module: string, name = 'house') => `gateways:
  ${name}:
    servers: [{ server: one }]
    rules:
      - { name: find it, engine: blob, hook: request, action: redact, module: ${module} }
`
/** A module, with its manifest beside it, in a folder of the home. */
async function write(folder: string, stem: string, word: string, name = stem): Promise<void> {
  await mkdir(join(home, folder, 'rules'), { recursive: true })
  await writeFile(join(home, folder, 'rules', `${stem}.wasm`), word)
  await writeFile(join(home, folder, 'rules', `${stem}.rule.json`), JSON.stringify(manifestOf(name, word), null, 2))
}

test.before(async () => {
  server = await fakeUpstream(
    (seen) => answerJson(seen, { result: { content: [{ type: 'text', text: 'done' }], resultType: 'complete' } }),
    { tools: ['act'] },
  )
  home = await homeWith({ 'detect-blob': BLOB })
  await write('config', 'word', 'herring')
  gateway = await startGateway({ home, yaml: base(house('rules/word.wasm')) })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const send = async (text: string, access = agent) => {
  await legacy(access, call('act', { text }))
  return (params(callsOf(server).at(-1) as Seen).arguments as { text: string }).text
}
const refused = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'it was taken',
    (error: Error) => error.message,
  )
/** The real command, in this process: dozens of processes would take a minute. */
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
/** The steps alone: the file is the same as that of the operator but for what is given. */
const withFile = async (how: 'plan' | 'apply', yaml: string, ...more: string[]) => {
  await writeFile(join(home, 'house.yaml'), yaml)
  return command(how, '-f', 'house.yaml', ...more)
}

test('a rule of the operator’s file names a module by its path, and runs it by its digest', async () => {
  assert.is(await send('a herring'), 'a ')
  const { rules } = (await gateway.api('GET', '/gateways/house')) as { rules: { module: string }[] }
  assert.is(rules[0]?.module, `word@sha256:${sha256('herring')}`)
  const { managedBy, versions } = (await gateway.api('GET', '/artifacts/word')) as Record<string, unknown>
  assert.equal([managedBy, (versions as unknown[]).length], ['file', 1])
  assert.match(await refused(gateway.api('PATCH', '/artifacts/word', { current: 1 })), /409.*managed by the file/)
})

test('a module that changes is a change of the file, though that stays as it is', async () => {
  await write('config', 'word', 'cod')
  await until('the new module serves', async () => ((await send('a cod')) === 'a ' ? true : undefined))
  const { versions } = (await gateway.api('GET', '/artifacts/word')) as { versions: { version: number }[] }
  assert.equal(
    versions.map(({ version }) => version),
    [2, 1],
  )
})

test('faults of modules are told with their line, and change nothing', async () => {
  await mkdir(join(home, 'config', 'rules'), { recursive: true })
  await writeFile(join(home, 'config', 'rules', 'lone.wasm'), 'lone')
  await write('config', 'wrong', 'wrong')
  await writeFile(join(home, 'config', 'rules', 'wrong.wasm'), 'other')
  await write('config', 'bad', 'bad word')
  await write('config', 'large', 'x')
  await writeFile(join(home, 'config', 'rules', 'large.wasm'), Buffer.alloc(17 * 1024 * 1024))
  await write('config', 'cut', 'cut')
  await writeFile(join(home, 'config', 'rules', 'cut.rule.json'), '{ "name": ')
  await write('config', 'signed', 'signed')
  await writeFile(join(home, 'config', 'rules', 'signed.rule.sig'), '{ "keyId": "k" }')
  const faults: [string, RegExp][] = [
    ['rules/none.wasm', /gatehouse.yaml:8:\d+ gateways.house.rules\[0\].module: rules\/none.wasm is not there/],
    ['rules/lone.wasm', /:8:\d+ .*rules\/lone.rule.json is not there: a module needs its manifest beside it/],
    ['rules/wrong.wasm', /:8:\d+ .*manifest.sha256: is .* but that of the module is/],
    ['rules/bad.wasm', /:8:\d+ .*module: cannot be built/],
    ['rules/large.wasm', /:8:\d+ .*17825792 bytes; at most 16777216/],
    ['rules/cut.wasm', /:8:\d+ .*cut.rule.json is not JSON/],
    ['rules/signed.wasm', /:8:\d+ .*signed.rule.sig: signature/],
    ['nothing@1', /:8:\d+ .*there is no artifact 'nothing'/],
  ]
  for (const [path, words] of faults)
    assert.match(await refused(gateway.configure(base(house(JSON.stringify(path))))), words)
  assert.is(await send('a cod'), 'a ')
  await gateway.configure(base(house('rules/word.wasm')))
})

test('apply reads and sends modules; twice changes nothing; a plan shows a changed one by its digests', async () => {
  await write('.', 'mine', 'eel')
  const yaml = base(`${house('mine', 'second')}artifacts: { mine: { engine: blob, file: rules/mine.wasm } }\n`)
  const first = await withFile('apply', yaml)
  assert.match(first, /^\+ artifacts mine \(engine, file\)\n {4}module sha256:[0-9a-f]{12}\n/m)
  assert.match(await withFile('apply', yaml), /^Nothing to change/)
  const second = await gateway.mintToken({ gateway: 'second', host: 'agent' })
  assert.is(await send('an eel', second), 'an ')
  await write('.', 'mine', 'pike')
  const [from, to] = [sha256('eel').slice(0, 12), sha256('pike').slice(0, 12)]
  const planned = await withFile('plan', yaml)
  assert.match(
    planned,
    `~ artifacts mine (versions, current)\n    module sha256:${from} -> sha256:${to}\n1 change to make`,
  )
  assert.is(await send('an eel', second), 'an ')
  await withFile('apply', yaml)
  assert.is(await send('an eel and a pike', second), 'an eel and a ')
  assert.match(await withFile('plan', yaml), /^Nothing to change/)
})

test('a file says which version is current and which a canary; what it leaves out is as it would be', async () => {
  const entry = (more: string) =>
    base(`${house('mine', 'second')}artifacts: { mine: { engine: blob, file: rules/mine.wasm, ${more} } }\n`)
  const canary = `current: 'sha256:${sha256('eel')}', canary: { version: 2, percent: 10, shadow: true }, grants: { room: 2 }`
  assert.match(await withFile('apply', entry(canary)), /~ artifacts mine \(current, canary, grants\)/)
  const seen = await gateway.api('GET', '/artifacts/mine')
  assert.equal([seen['current'], seen['canary']], [1, { version: 2, percent: 10, shadow: true }])
  assert.match(await withFile('apply', entry(canary)), /^Nothing to change/)
  const unknown = await withFile('apply', entry('current: 9'))
  assert.match(unknown, /1: house.yaml:\d+:\d+ artifacts.mine.current: mine has no version 9; there are 1, 2/)
  assert.match(await withFile('apply', entry('')), /~ artifacts mine \(current, canary, grants\)/)
  assert.equal((await gateway.api('GET', '/artifacts/mine'))['canary'], null)
})

test('an export names digests, and applying it changes nothing', async () => {
  const text = await command('export')
  assert.match(text, `current: sha256:${sha256('pike')}`)
  assert.match(text, `module: word@sha256:${sha256('cod')}`)
  assert.match(await withFile('plan', text, '--prune'), /^Nothing to change|^- /)
  assert.not.match(await withFile('plan', text), /artifacts|gateways/)
})

test('an artifact without a file must be here already', async () => {
  const yaml = base('artifacts: { other: { engine: blob } }\n')
  assert.match(await withFile('plan', yaml), /artifacts.other.file: is needed: no artifact 'other' is here yet/)
})

test('modules are uploaded, listed, used, tried as a canary and rolled back by command', async () => {
  await write('.', 'cli', 'roach')
  assert.match(await command('rules', 'upload', 'rules/cli.wasm'), /1: Say for which engine with --engine: .*blob/)
  const uploaded = await command('rules', 'upload', 'rules/cli.wasm', '--engine', 'blob')
  assert.match(uploaded, `cli@1  sha256:${sha256('roach')}  not signed  current\n`)
  await write('.', 'cli', 'ruffe')
  assert.match(
    await command('rules', 'upload', 'rules/cli.wasm'),
    /cli@2 .* kept\nRules run it after: gatehouse rules use cli@2/,
  )
  assert.match(await command('rules', 'use', 'cli@2'), /^cli@2 /)
  assert.match(await command('rules', 'rollback', 'cli'), /^cli@1 /)
  assert.match(await command('rules', 'canary', 'cli@2', '--percent', '10'), /^cli@1 .* @2 10% /)
  assert.match(await command('rules', 'canary', 'cli@2', '--shadow'), /@2 100% shadow/)
  assert.match(await command('rules', 'canary', 'cli', '--off'), /^cli@1 .* - {2}-/)
  const rows = JSON.parse(await command('rules', 'modules', '--json')) as { slug: string }[]
  assert.ok(rows.some(({ slug }) => slug === 'cli'))
  assert.match(await command('rules', 'modules'), /^MODULE .*\n(?:.*\n)*cli@1 /)
  const json = JSON.parse(
    await command('rules', 'upload', 'rules/cli.wasm', '--engine', 'blob', '--name', 'named', '--json'),
  ) as object
  assert.equal((json as { slug: string }).slug, 'named')
  assert.match(await command('rules', 'upload', 'rules/none.wasm'), /1: none.wasm is not there/)
  assert.match(await command('rules', 'use', 'cli'), /^2: .*must be <name>@<version>/s)
  assert.match(await command('rules', 'use', 'cli@7'), /1: current: cli has no version 7/)
  assert.match(await command('rules', 'canary', 'cli@2'), /2: error: say --percent, --shadow, or --off/)
})

test('a signature beside the module is sent along', async () => {
  const signer = createSigner()
  await gateway.api('PATCH', '/settings', {
    ruleModules: { trustedKeys: { release: { publicKey: signer.publicKey } } },
  })
  await write('.', 'signed', 'trout')
  const signature = signer.sign('release', manifestOf('signed', 'trout'))
  await writeFile(join(home, 'rules', 'signed.rule.sig'), JSON.stringify(signature))
  assert.match(
    await command('rules', 'upload', 'rules/signed.wasm', '--engine', 'blob'),
    /signed by release {2}current/,
  )
})

test('prune removes the artifacts that a file brought and names no more', async () => {
  const out = await withFile('plan', base(house('rules/word.wasm')), '--prune')
  assert.match(out, /rules\/word.wasm is not there/)
  await write('.', 'word', 'cod')
  assert.match(
    await withFile('apply', base(house('rules/word.wasm')), '--prune'),
    /- gateways second\n- artifacts mine\n/,
  )
  assert.match(await refused(gateway.api('GET', '/artifacts/mine')), /404/)
})

test('a file may bring a key with what it signed, and is told which rules it stops', async () => {
  const signer = createSigner()
  const keys = (more: string) =>
    base(`settings: { ruleModules: { requireSignature: true, trustedKeys: { ${more} } } }\n`)
  await write('.', 'keyed', 'ray')
  const signature = signer.sign('next', manifestOf('keyed', 'ray'))
  await writeFile(join(home, 'rules', 'keyed.rule.sig'), JSON.stringify(signature))
  await gateway.api('PATCH', '/settings', { ruleModules: { requireSignature: true } })
  const trusting = keys(`next: { publicKey: "${signer.publicKey}" }`)
  const out = await withFile('apply', `${trusting}${house('rules/keyed.wasm', 'keyed')}`)
  assert.match(out, /\+ artifacts keyed/)
  const { warnings } = await gateway.api('POST', '/plan', { text: keys('') })
  assert.match(
    String(warnings),
    /keyed@1 must not run, and the rule 'find it' of gateway keyed cannot decide: its signature/,
  )
  await gateway.api('PATCH', '/settings', { ruleModules: { requireSignature: false } })
})

test.run()
