import { spawn } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { apiBench } from '../test/api.js'
import { plain } from './io.js'

const BIN = fileURLToPath(new URL('../../bin/gatehouse.mjs', import.meta.url))
const api = await apiBench()
const folder = await mkdtemp(join(tmpdir(), 'cli-'))
test.after(async () => {
  await api.stop()
  await rm(folder, { recursive: true })
})

/** As the running gateway leaves it. */
const home = join(folder, '.gatehouse')
await mkdir(home)
await writeFile(join(home, 'cli.json'), JSON.stringify({ url: api.url, token: api.admin }), { mode: 0o600 })

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function run(args: readonly string[], { env = {}, bin = BIN, until = '' } = {}): Promise<Ended> {
  const { PATH } = process.env
  const child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: { PATH, ...env } })
  let [out, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
    if (until !== '' && out.includes(until)) child.kill('SIGINT')
  })
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })))
}

async function file(text: string): Promise<string> {
  await writeFile(join(folder, 'my.yaml'), text)
  return 'my.yaml'
}

const FEATURES = ['list', 'history', 'approve', 'reject', 'undo'].map((verb) => `features ${verb}`)
const COMMANDS = ['start', 'apply', 'plan', 'export', 'token create', 'setup-link', ...FEATURES].concat([
  'logs',
  'keys rotate',
  'doctor',
])

test('every command helps, and exits with 0', async () => {
  const helps = await Promise.all(COMMANDS.map((command) => run([...command.split(' '), '--help'])))
  for (const { code, out } of helps) {
    assert.is(code, 0)
    assert.match(out, 'Usage: gatehouse')
  }
  const { out } = await run(['--help'])
  for (const later of ['backup', 'restore', 'audit']) assert.not.match(out, new RegExp(`^  ${later}\\b`, 'm'))
})

test('bad usage exits with 2 and says what is wrong', async () => {
  const uses = [
    ['nonsense'],
    ['apply'],
    ['logs', '--limit', 'x'],
    ['logs', '--correlation', 'x'],
    ['token', 'create'],
    ['plan', '--colour'],
  ]
  for (const args of uses) {
    const { code, err } = await run(args)
    assert.is(code, 2, args.join(' '))
    assert.match(err, /^error: /)
  }
})

test('without a gateway it exits with 1 and says how to start one', async () => {
  for (const env of [
    { GATEHOUSE_HOME: join(folder, 'nowhere') },
    { GATEHOUSE_API: 'http://127.0.0.1:9', GATEHOUSE_TOKEN: 'gpat_x' },
  ]) {
    const { code, err } = await run(['export'], { env })
    assert.is(code, 1)
    assert.match(err, 'gatehouse start')
  }
})

test('a token is not sent in the clear to another machine', async () => {
  const { code, err } = await run(['export'], {
    env: { GATEHOUSE_API: 'http://gate.example.com', GATEHOUSE_TOKEN: 'gpat_x' },
  })
  assert.is(code, 1)
  assert.match(err, 'use https')
})

test('a wrong token exits with 1 and says what to do', async () => {
  const { code, err } = await run(['export'], { env: { GATEHOUSE_API: api.url, GATEHOUSE_TOKEN: 'gpat_x' } })
  assert.is(code, 1)
  assert.match(err, 'The token is not valid')
})

test('it is told to build first when nothing is built', async () => {
  const bare = join(folder, 'bare', 'bin')
  await mkdir(bare, { recursive: true })
  await copyFile(BIN, join(bare, 'gatehouse.mjs'))
  const { code, err } = await run(['export'], { bin: join(bare, 'gatehouse.mjs') })
  assert.is(code, 1)
  assert.match(err, 'run npm start once')
})

test('plan shows, apply does, and secrets come from here without being shown', async () => {
  await writeFile(join(folder, 'key.txt'), 'from-a-file\n')
  const path = await file(
    'version: 1\nservers:\n  crm: { url: https://c.example.com, auth: { headers: { A: "Bearer ${env:CRM}", B: "${file:key.txt}" } } }\n',
  )
  const env = { CRM: 'from-the-environment' }
  const planned = await run(['plan', '-f', path], { env })
  assert.is(planned.code, 0, planned.err)
  assert.match(planned.out, '+ servers crm (url, auth)\n1 change to make; nothing was changed.')
  assert.is(await api.store.servers.byKey('crm'), null)
  const applied = await run(['apply', '-f', path, '--json'], { env })
  assert.is(applied.code, 0)
  assert.equal(JSON.parse(applied.out).steps[0].key, 'crm')
  const { id = '' } = (await api.store.servers.byKey('crm')) ?? {}
  assert.equal(await api.store.secrets.fields({ kind: 'server', id }), {
    'headers.A': 'Bearer from-the-environment',
    'headers.B': 'from-a-file',
  })
  const again = await run(['apply', '-f', path], { env })
  assert.is(again.out, 'Nothing to change.\n')
  for (const { out, err } of [planned, applied, again]) assert.not.match(out + err, /from-(the|a)-/)
})

test('what is hardly meant is told beside the plan, and holds up nothing', async () => {
  const rule = '{ name: Odd, engine: regex, hook: both, patterns: [x], action: mask, servers: [nowhere] }'
  const path = await file(`version: 1\ngateways: { g: { rules: [${rule}] } }\n`)
  const { code, err } = await run(['plan', '-f', path])
  assert.is(code, 0, err)
  assert.match(err, "Warning: gateways.g.rules[0] 'Odd': servers: 'nowhere' fits no server of the gateway")
  const { out } = await run(['plan', '-f', path, '--json'])
  assert.is(JSON.parse(out).warnings.length, 1)
})

test('prune removes what an earlier file made', async () => {
  await run(['apply', '-f', await file('version: 1\nteams: { old: {} }\n')])
  const { out } = await run(['apply', '--prune', '-f', await file('version: 1\nservers: {}\nteams: { new: {} }\n')])
  assert.match(out, '+ teams new')
  assert.match(out, '- teams old')
})

test('a bad file exits with 1 and names its place; so does a secret that is not there', async () => {
  const bad = await run(['apply', '-f', await file('version: 1\nteam: {}\n')])
  assert.equal([bad.code, bad.err], [1, 'my.yaml:2:1 team: unknown key; did you mean teams?\n'])
  const text = 'version: 1\nservers: { s: { url: https://c.example.com, auth: { headers: { A: "${env:NOPE}" } } } }\n'
  const missing = await run(['apply', '-f', await file(text)])
  assert.is(missing.code, 1)
  assert.match(missing.err, 'my.yaml:2:64 servers.s.auth.headers.A: the environment variable NOPE is not set')
  assert.is((await run(['apply', '-f', 'nowhere.yaml'])).code, 1)
})

test('export prints YAML, or JSON', async () => {
  const { code, out } = await run(['export'])
  assert.is(code, 0)
  assert.match(out, /^version: 1$/m)
  assert.is(JSON.parse((await run(['export', '--json'])).out).version, 1)
})

test('token create makes a token that is printed once, with its URL', async () => {
  await api.request('POST', '/gateways', { body: { slug: 'eng' } })
  const { code, out } = await run(['token', 'create', '--gateway', 'eng', '--host', 'bot', '--json'])
  assert.is(code, 0)
  const made = JSON.parse(out)
  assert.match(made.secret, /^API_/)
  assert.is(made.url, 'https://gate.example.com/mcp/eng')
  const unknown = await run(['token', 'create', '--gateway', 'nope', '--host', 'bot'])
  assert.equal([unknown.code, unknown.err], [1, "gateway: 'nope' does not exist\n"])
})

test('logs are printed with the names of the log, and followed until interrupted', async () => {
  const { out } = await run(['logs', '--json'])
  assert.is(JSON.parse(out).log_type, 'proxy_request_success')
  assert.match(
    (await run(['logs'])).out,
    /  unchecked=Late  c\n$/,
    'a rule that could not decide and let it pass is named',
  )
  const followed = await run(['logs', '--follow', '--json'], { until: '\n' })
  assert.is(followed.code, 0, followed.err)
})

test('keys rotate tells how many', async () => {
  assert.match((await run(['keys', 'rotate'])).out, '2 of 3 secrets sealed anew')
})

test('doctor finds nothing wrong, or what is', async () => {
  const well = await run(['doctor', '--json'])
  assert.is(well.code, 0, well.out)
  assert.equal(
    JSON.parse(well.out).map(({ check }: { check: string }) => check),
    ['node', 'home', 'disk', 'gateway', 'database', 'credential', 'clock'],
  )
  await chmod(join(home, 'cli.json'), 0o644)
  const open = await run(['doctor'])
  await chmod(join(home, 'cli.json'), 0o600)
  assert.is(open.code, 1)
  assert.match(open.out, /failed +home +.*chmod 600/)
})

test('what others wrote cannot repaint the terminal', () => {
  assert.is(plain('a\u001b[2Jb\u202ec\n'), 'a\\u001b[2Jb\\u202ec\\u000a')
})

test.run()
