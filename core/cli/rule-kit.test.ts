import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isSigned } from '../domain/artifact-trust.js'
import { canonicalJson } from '../domain/canonical-json.js'
import { runCommand } from './program.js'

const cwd = await mkdtemp(join(tmpdir(), 'rule-kit-'))
test.after(() => rm(cwd, { recursive: true }))

async function run(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await runCommand({
    argv: ['rules', ...argv],
    env: { PATH: join(cwd, 'no-tools') },
    cwd,
    version: '0.0.0',
    nodeVersion: process.version,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    signal: new AbortController().signal,
    start: () => Promise.reject(new Error('starts nothing')),
  })
  return { code, out, err }
}

const read = async (path: string) => readFile(join(cwd, path), 'utf8')
const write = async (path: string, text: string | Uint8Array) => {
  await mkdir(join(cwd, path, '..'), { recursive: true })
  await writeFile(join(cwd, path), text)
}

interface Rule {
  readonly source: string
  readonly tests?: unknown
  readonly more?: object
}

/** Sources of a rule in JavaScript, which need no compiler. */
async function sources(name: string, { source, tests = [], more = {} }: Rule): Promise<void> {
  const manifest = { name, version: '1', abi: 'gatehouse.rule/1', language: 'javascript', ...more }
  await write(`${name}/rule.json`, JSON.stringify(manifest))
  await write(`${name}/rule.js`, source)
  await write(`${name}/tests/all.json`, JSON.stringify(tests))
}

const passes = (name: string) => ({ name, input: {}, expect: { verdict: 'pass' } })
const PASS = "export const evaluate = () => ({ version: 1, verdict: 'pass' })\n"

/** A module of hand: functions `evaluate` and of the ABI, a memory, and an import of this name from this module. */
function assembled(body: readonly number[], imported?: readonly [string, string]): Uint8Array {
  const text = (word: string) => [word.length, ...Buffer.from(word)]
  const section = (id: number, ...bytes: readonly number[]) => [id, bytes.length, ...bytes]
  const first = imported === undefined ? 0 : 1
  const imports = imported === undefined ? [] : section(2, 1, ...text(imported[0]), ...text(imported[1]), 0, 1)
  const names = [...text('evaluate'), 0, first, ...text('gatehouse_rule_abi_1'), 0, first + 1, ...text('memory'), 2, 0]
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 2, 0x60, 0, 1, 0x7f, 0x60, 0, 0),
    ...imports,
    ...section(3, 2, 0, 1),
    ...section(5, 1, 0, 1),
    ...section(7, 3, ...names),
    ...section(10, 2, body.length + 2, 0, ...body, 0x0b, 2, 0, 0x0b),
  ])
}

test('a rule in AssemblyScript is made, built, tested, checked and signed', async () => {
  assert.match((await run('new', 'no-drops')).out, 'gatehouse rules test no-drops')
  const built = await run('build', 'no-drops')
  assert.is(built.code, 0, built.err)
  const module = 'no-drops/build/no-drops.wasm'
  const manifest = JSON.parse(await read('no-drops/build/no-drops.rule.json'))
  const bytes = await readFile(join(cwd, module))
  assert.is(manifest.sha256, createHash('sha256').update(bytes).digest('hex'))
  assert.is(manifest.vectors.length, 3)
  const tested = await run('test', module)
  assert.is(tested.code, 0, tested.err)
  assert.match(tested.out, /^ok +blocks a statement that drops +block +block +[\d,]+ +\d\.\d % /m)
  assert.match(tested.out, /^3 passed\.$/m)
  const checked = await run('check', module)
  assert.is(checked.code, 0)
  assert.match(checked.out, manifest.sha256)
  assert.match(checked.out, /^imports +extism:host\/user/m)
})

test('a module is the same wherever it was built', async () => {
  await run('new', 'no-drops', '--dir', 'deep/down/other')
  assert.is((await run('build', 'deep/down/other')).code, 0)
  const modules = ['no-drops', 'deep/down/other'].map((folder) => readFile(join(cwd, folder, 'build/no-drops.wasm')))
  const [one, other] = await Promise.all(modules)
  assert.equal(one, other)
})

test('makes no rule over what is there, nor by a name that is none', async () => {
  await sources('taken', { source: PASS })
  assert.match((await run('new', 'taken')).err, /^taken is not empty/)
  assert.match((await run('new', 'Bad_Name')).err, /is no name for a rule/)
  assert.is((await run('new', 'x', '--language', 'cobol')).code, 2)
})

test('builds anew what has changed, and drops a signature that is none any more', async () => {
  await sources('fresh', { source: PASS, tests: [passes('one')] })
  assert.is((await run('test', 'fresh')).code, 0)
  await write('fresh/build/fresh.rule.sig', '{}')
  await sources('fresh', { source: PASS, tests: [passes('one'), passes('two')] })
  assert.match((await run('test', 'fresh')).out, '2 passed.')
  assert.is(await read('fresh/build/fresh.rule.sig').catch(() => null), null)
})

test('tells a failed test with what was expected and what came, and exits with 1', async () => {
  const source = "export const evaluate = () => ({ version: 1, verdict: 'block', reason: 'so\u0007' })\n"
  await sources('fails', { source, tests: [passes('lets it pass'), { ...passes('b'), expect: { verdict: 'block' } }] })
  const { code, out, err } = await run('test', 'fails')
  assert.is(code, 1)
  assert.is(err, '1 of 2 failed.\n')
  assert.match(out, /^FAIL +lets it pass +block +pass/m)
  assert.match(out, 'lets it pass:\n  - pass\n  + block: so\\u0007\n')
  const json = JSON.parse((await run('test', 'fails', '--json')).out)
  assert.equal([json.ok, json.vectors[0].ok, json.vectors[1].ok], [false, false, true])
  assert.type(json.vectors[1].fuel, 'number')
})

test('a rule that never ends is a failed test, and the command goes on', async () => {
  const endless = assembled([0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0])
  await write('endless/endless.wasm', endless)
  const sha256 = createHash('sha256').update(endless).digest('hex')
  const manifest = { name: 'endless', version: '1', abi: 'gatehouse.rule/1', sha256 }
  await write('endless/endless.rule.json', JSON.stringify({ ...manifest, vectors: [passes('one'), passes('two')] }))
  const { code, out } = await run('test', 'endless/endless.wasm')
  assert.is(code, 1)
  assert.match(out, /^FAIL +one +fuel +pass/m)
  assert.match(out, /^FAIL +two +fuel +pass/m)
})

test('tells every reason why a module would be refused, and where', async () => {
  await write('odd.wasm', assembled([0x41, 0], ['env', 'abort']))
  const { code, err } = await run('check', 'odd.wasm')
  assert.is(code, 1)
  assert.match(
    err,
    /odd\.wasm would be refused:\n  byte \d+ \(0x[\da-f]+\): imports "env" "abort", which is not offered/,
  )
  const json = await run('check', 'odd.wasm', '--json')
  assert.is(json.code, 1)
  assert.match(JSON.parse(json.out).problems[0].message, '"env" "abort"')
  await write('odd.wasm', 'no module')
  assert.is((await run('check', 'odd.wasm')).code, 1)
})

test('tells what is wrong with a manifest or a test, and in which file', async () => {
  await sources('odd', { source: PASS, more: { abi: 'gatehouse.rule/9' } })
  assert.match((await run('build', 'odd')).err, /^odd\/rule\.json is not a manifest of gatehouse\.rule\/1:\n  abi: /)
  await sources('odd', { source: PASS, tests: [{ name: 'x', input: {}, expect: { verdict: 'maybe' } }] })
  assert.match((await run('build', 'odd')).err, /^odd\/tests\/all\.json: the test "x" is none .*\n  expect\.verdict: /)
  assert.match((await run('build', 'nowhere')).err, /There is no nowhere\/rule\.json\. Make a rule/)
})

test('tells what to install when a compiler is missing', async () => {
  await run('new', 'in-c', '--language', 'c')
  const { code, err } = await run('build', 'in-c')
  assert.is(code, 1)
  assert.match(err, /^clang is not installed\. Install .*apt-get install/)
})

test('makes a key once, readable by its owner alone', async () => {
  const { code, out } = await run('keygen', '--out', 'team.pem')
  assert.is(code, 0)
  assert.match(out, /trustedKeys:\n {6}team: \{ publicKey: '[A-Za-z0-9+/]{43}=' \}/)
  assert.not.match(out, 'PRIVATE')
  assert.is((await stat(join(cwd, 'team.pem'))).mode & 0o777, 0o600)
  assert.match((await run('keygen', '--out', 'team.pem')).err, 'not overwritten')
})

test('signs what the gateway believes, and nothing that does not belong together', async () => {
  const module = 'signed/build/signed.js'
  await sources('signed', { source: PASS, tests: [passes('one')] })
  await run('build', 'signed')
  const { out } = await run('keygen', '--out', 'ours.pem')
  const [, publicKey = ''] = /publicKey: '([^']+)'/.exec(out) ?? []
  assert.is((await run('sign', module, '--key', 'ours.pem', '--key-id', 'us')).code, 0)
  const signature = JSON.parse(await read('signed/build/signed.rule.sig'))
  const manifest = JSON.parse(await read('signed/build/signed.rule.json'))
  assert.is(signature.keyId, 'us')
  assert.ok(isSigned(canonicalJson(manifest), signature, { us: { publicKey } }))
  await write('ours.pub', publicKey)
  for (const key of ['ours.pem', 'ours.pub']) assert.is((await run('sign', module, '--key', key, '--verify')).code, 0)
  await run('keygen', '--out', 'theirs.pem')
  assert.match((await run('sign', module, '--key', 'theirs.pem', '--verify')).err, 'is not by this key')
  await write('signed/build/signed.rule.json', JSON.stringify({ ...manifest, version: '2' }))
  assert.match((await run('sign', module, '--key', 'ours.pem', '--verify')).err, 'the manifest has changed')
  await write(module, `${PASS} `)
  assert.match((await run('sign', module, '--key', 'ours.pem')).err, 'is of another module')
  assert.match((await run('sign', 'odd.wasm', '--key', 'ours.pem')).err, 'no manifest beside it')
})

test('every command helps, and says when it is used wrongly', async () => {
  for (const command of ['new', 'build', 'test', 'check', 'sign', 'keygen'])
    assert.match((await run(command, '--help')).out, `Usage: gatehouse rules ${command}`)
  for (const argv of [['new'], ['check'], ['sign', 'x.wasm'], ['test', '--colour']])
    assert.is((await run(...argv)).code, 2, argv.join(' '))
})

test.run()
