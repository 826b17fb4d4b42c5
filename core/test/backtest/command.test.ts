// time-limit: 420
import { spawn } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { gatehouse } from '../configuration/command.js'
import { call, legacy } from '../door.js'
import type { FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { homeWith } from '../plugins/plugin-file.js'
import { until } from '../until.js'
import { apiAs, echoing, regex, replayed, yamlFor } from './house.js'

const BIN = fileURLToPath(new URL('../../../bin/gatehouse.mjs', import.meta.url))
/** Does what the rule's own key says. */
const ODD = `setup(context) {
  const rule = z.looseObject({ way: z.string().optional(), url: z.string().optional() })
  const ways = {
    throws() { throw new Error('swordfish') },
    async phones({ url }) { await context.fetch(url, { method: 'POST', body: '{}' }); return { verdict: 'findings', findings: [] } },
    async waits() { await new Promise((done) => setTimeout(done, 500)); return { verdict: 'findings', findings: [] } },
    dies() { process.kill(process.pid, 'SIGKILL') },
  }
  context.serve('engine.prepare', 'odd', ({ config }) => ({ ok: true, state: config, passes: 1 }), {
    engine: { rule, answers: 'spans', fails: true },
  })
  context.serve('engine.evaluate', 'odd', ({ state }) => ways[state.way](state))
  context.serve('engine.prepare', 'outside', ({ instance }) => ({ ok: true, state: instance.config, passes: 1 }), {
    config: z.strictObject({ url: z.url() }),
    engine: { rule: z.looseObject({}), answers: 'spans', fails: true },
  })
  context.serve('engine.evaluate', 'outside', ({ state }) => ways.phones(state))
}`

let server: FakeServer
let gateway: RunningGateway
let home: string
let access: Access
let pool: Pool

const test = suite('gatehouse rules replay')
const odd = (way: string, more: object = {}) => ({
  name: 'Odd',
  engine: 'odd',
  hook: 'both',
  action: 'block',
  way,
  ...more,
})
const file = async (rule: unknown, name = 'rule.json'): Promise<string> => {
  await writeFile(join(home, name), typeof rule === 'string' ? rule : JSON.stringify(rule))
  return name
}

test.before(async () => {
  server = await echoing()
  home = await homeWith({ 'test-odd': ODD })
  gateway = await startGateway({ home, yaml: `plugins: [{ use: ./test-odd.mjs }]\n${yamlFor(server)}` })
  pool = new Pool({ connectionString: gateway.databaseUrl ?? '', max: 1 })
  access = await gateway.mintToken({ gateway: 'plain', host: 'agent' })
  for (let n = 0; n < 20; n += 1) await legacy(access, call('echo', { text: `number ${n}, AKIA0123` }))
  await until('all is on record', async () => {
    const { rows } = await pool.query<{ n: string }>('select count(*) as n from messages where feature is not null')
    return Number(rows[0]?.n) === 20 ? true : undefined
  })
})
test.after(async () => {
  await pool.end()
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

test('a rule in YAML is replayed and told of in words', async () => {
  const rule = await file('name: Keys\nengine: regex\nhook: request\npatterns: [AKIA\\d+]\naction: mask\n', 'rule.yaml')
  const { code, out, err } = await gatehouse(gateway, ['rules', 'replay', '--rule', rule, '--since', '1h', '--gateway', 'plain']) // prettier-ignore
  assert.is(code, 0, err)
  assert.match(out, '20 messages of plain')
  assert.match(out, 'changed 20')
  assert.match(out, /crm\/echo {2}blocked 0, changed 20/)
  assert.match(out, /- number \d+, AKIA0123/)
  assert.match(out, /\+ number \d+, \*{8}/)
})

test('a list of rules is replayed as JSON', async () => {
  const rule = await file([regex('One', 'AKIA'), regex('Two', 'number')])
  const { code, out } = await gatehouse(gateway, ['rules', 'replay', '--rule', rule, '--since', '1h', '--gateway', 'plain', '--max', '5', '--json']) // prettier-ignore
  assert.is(code, 0)
  const { state, report } = JSON.parse(out)
  assert.equal([state, report.messages, report.stoppedBy, report.rules.length], ['done', 5, 'messages', 2])
})

test('what is wrong is told with what to do next', async () => {
  const ask = (...args: string[]) => gatehouse(gateway, ['rules', 'replay', ...args])
  const rule = await file(regex('Any', '.'))
  const here = ['--since', '1h', '--gateway', 'plain']
  assert.equal([(await ask('--rule', rule)).code, (await ask('--rule', rule, '--since', 'soon')).code], [2, 2])
  assert.match((await ask('--help')).out, '--allow-external')
  const unnamed = await ask('--rule', rule, '--since', '1h')
  assert.equal([unnamed.code, /--gateway: sealed, plain, bare/.test(unnamed.err)], [1, true], unnamed.err)
  assert.match((await ask('--rule', 'no-such-file', ...here)).err, 'cannot be read (ENOENT)')
  assert.match((await ask('--rule', await file('just words', 'a.txt'), ...here)).err, 'must hold one rule')
  const broken = await ask('--rule', await file(regex('Broken', '(ab')), ...here)
  assert.match(broken.err, /rules\[0\]\.patterns.*at character/s)
})

test('Ctrl-C cancels it at the gateway', async () => {
  const rule = await file(odd('waits'))
  const child = spawn(
    process.execPath,
    [BIN, 'rules', 'replay', '--rule', rule, '--since', '1h', '--gateway', 'plain'],
    {
      cwd: home,
      env: { PATH: process.env['PATH'] ?? '', GATEHOUSE_HOME: home },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  await until('it reads', () => (/of 20 messages read/.test(err) ? true : undefined), { seconds: 60 })
  child.kill('SIGINT')
  assert.is(await ended, 1)
  assert.match(err, 'Cancelled, at the gateway too')
  await until('it was cancelled', async () => {
    const { rows } = await pool.query<{ state: string }>(
      'select state from rule_replays order by created_at desc limit 1',
    )
    return rows[0]?.state === 'cancelled' ? true : undefined
  })
})

test('an engine that fails is told as undecided', async () => {
  const api = apiAs(gateway, gateway.adminToken)
  const { report, samples } = await replayed(api, { gateway: 'plain', rules: [odd('throws')], max: 3 })
  assert.equal([report.outcomes.undecided, report.outcomes.block], [6, 0])
  assert.is(samples[0].verdict, 'undecided')
  assert.not.match(JSON.stringify([report, samples]), 'swordfish')
})

test('an engine that would send texts somewhere finds no way out', async () => {
  const before = server.seen.length
  const api = apiAs(gateway, gateway.adminToken)
  const rules = [odd('phones', { url: server.url })]
  const { report } = await replayed(api, { gateway: 'plain', rules, max: 3 })
  assert.equal([report.outcomes.undecided, server.seen.length], [6, before])
  const allowed = await replayed(api, { gateway: 'plain', rules, max: 3, allowExternal: true })
  assert.equal([allowed.report.outcomes.pass, server.seen.length], [6, before + 6])
})

test('a named engine is run, and only where it was said that texts may go there', async () => {
  await gateway.api('POST', '/engines', { slug: 'acme-dlp', kind: 'outside', url: server.url })
  const rule = await file({ name: 'DLP', engine: 'acme-dlp', hook: 'request', action: 'block' })
  const args = ['rules', 'replay', '--rule', rule, '--since', '1h', '--gateway', 'plain', '--max', '3', '--json']
  const before = server.seen.length
  const refused = await gatehouse(gateway, args)
  assert.equal([refused.code, server.seen.length], [1, before])
  assert.match(refused.err, /acme-dlp.*sends texts to another service.*--allow-external/s)
  const { code, out, err } = await gatehouse(gateway, [...args, '--allow-external'])
  assert.is(code, 0, err)
  assert.equal([JSON.parse(out).report.outcomes.pass, server.seen.length], [3, before + 3])
})

test('an engine that takes its process down takes nobody with it', async () => {
  const api = apiAs(gateway, gateway.adminToken)
  const told = await replayed(api, { gateway: 'plain', rules: [odd('dies')] })
  assert.equal([told.state, told.reason], ['failed', 'The backtest broke; the log has the cause.'])
  assert.is((await legacy(access, call('echo', { text: 'alive' }))).status, 200)
})

test.run()
