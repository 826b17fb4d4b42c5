// time-limit: 420
import { rm } from 'node:fs/promises'
import { Pool } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mintSecret } from '../../identity/tokens.js'
import { apiAs, echoing, regex, type Api } from '../backtest/house.js'
import { gatehouse } from '../configuration/command.js'
import { testDatabase } from '../database.js'
import type { FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { homeWith } from '../plugins/plugin-file.js'
import { COUNTING, receiptsOf, type Rules, type ShownReceipt, yamlOf } from './house.js'

const counting = (name: string, more: object) => ({ name, engine: 'counting', hook: 'request', ...more })
const RULES: Rules = {
  sealed: [
    counting('Mark', { mark: ' marked' }),
    counting('Third', { limit: 2 }),
    counting('Flaky', { flaky: true, hook: 'response' }),
    regex('Look', 'marked', { hook: 'response', action: 'detect' }),
    { name: 'Far', engine: 'far', hook: 'response', action: 'detect', onFailure: 'allow' },
    regex('Late', 'nothing', { hook: 'request', action: 'mask' }),
  ],
  plain: [regex('Look', 'text', { action: 'detect' })],
}

let server: FakeServer
let home: string
let database: Awaited<ReturnType<typeof testDatabase>>
let gateway: RunningGateway
let access: Access
let plain: Access
let api: Api
let pool: Pool
let calls: readonly (readonly ShownReceipt[])[] = []

const test = suite('receipts')

test.before(async () => {
  server = await echoing('leaked')
  home = await homeWith({ 'test-counting': COUNTING })
  database = await testDatabase()
  gateway = await startGateway({ home, databaseUrl: database.url, yaml: yamlOf(server, RULES) })
  pool = new Pool({ connectionString: database.url, max: 2 })
  api = apiAs(gateway, gateway.adminToken)
  access = await gateway.mintToken({ gateway: 'sealed', host: 'agent' })
  plain = await gateway.mintToken({ gateway: 'plain', host: 'other' })
  const made: (readonly ShownReceipt[])[] = []
  for (const text of ['one', 'two', 'three']) made.push(await receiptsOf(gateway, access, text))
  calls = made
})
test.after(async () => {
  await pool.end()
  await gateway.stop()
  await database.drop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const named = (call: number, name: string, hook?: string): ShownReceipt => {
  const found = calls[call]?.find((one) => one.rule_name === name && (hook === undefined || one.hook === hook))
  if (found === undefined) throw new Error(`call ${call} has no receipt of ${name}: ${JSON.stringify(calls[call])}`)
  return found
}
const replay = (id: string, body: object = {}, as: Api = api) => as('POST', `/rules/receipts/${id}/replay`, body)

test('each receipt has an id of its own, by row and number', async () => {
  const ids = calls.flat().map(({ receipt_id: id }) => id)
  assert.is(new Set(ids).size, ids.length)
  for (const id of ids) assert.match(id, /^[0-9a-f-]{36}-[234]\.[1-6]$/)
})

test('a stateful verdict comes out the same after the state has moved on, and moves nothing itself', async () => {
  const state = async () => ({
    store: (await pool.query('select * from plugin_store order by 1, 2')).rows,
    receipts: (await pool.query('select count(*) as n from messages where feature is not null')).rows,
    alerts: (await pool.query('select count(*) as n from alerts')).rows,
    sent: server.seen.length,
  })
  const before = await state()
  for (const call of [0, 1, 2]) {
    const { json, text } = await replay(named(call, 'Third').receipt_id)
    assert.ok(json.kept && json.identical, text)
    assert.equal([json.was.verdict, json.now.verdict], [call === 2 ? 'block' : 'pass', call === 2 ? 'block' : 'pass'])
    assert.equal(json.was, { verdict: json.now.verdict, findings: json.now.findings, evidence: json.now.evidence })
    assert.equal([json.config, json.differences], ['recorded', []])
    assert.is(json.now.reason, call === 2 ? 'seen 2 before' : null)
  }
  assert.equal(await state(), before)
})

test('a rule behind one that changed the message sees what that one left', async () => {
  const first = await replay(named(0, 'Mark').receipt_id)
  assert.equal([first.json.was.verdict, first.json.identical], ['modify', true], first.text)
  const { evidence } = named(0, 'Third')
  assert.is((evidence?.fuel ?? 0) - (named(0, 'Mark').evidence?.fuel ?? 0), ' marked'.length)
})

test('what is not the same is told by name, and the command fails', async () => {
  const id = named(0, 'Flaky').receipt_id
  const { json } = await replay(id)
  assert.equal([json.kept, json.identical, json.differences], [true, false, ['evidence.fuel']])
  const told = await gatehouse(gateway, ['rules', 'replay', '--receipt', id])
  assert.is(told.code, 1)
  assert.match(told.out, 'differs: evidence.fuel')
  assert.match(told.err, 'not what it was')
})

test('the command says both, and that they are identical', async () => {
  const id = named(2, 'Third').receipt_id
  const { code, out, err } = await gatehouse(gateway, ['rules', 'replay', '--receipt', id])
  assert.is(code, 0, err)
  assert.match(out, /Third, version \d+ \(counting, request\), as it was then\./)
  assert.match(out, /verdict +block +block/)
  assert.match(out, /evidence\.fuel +1\d+ +1\d+/)
  assert.match(out, 'It says now: seen 2 before')
  assert.match(out, /identical\n$/)
  const asJson = await gatehouse(gateway, ['rules', 'replay', '--receipt', id, '--json'])
  assert.equal([asJson.code, JSON.parse(asJson.out).identical], [0, true])
})

test('the command says where ids of receipts stand', async () => {
  const absent = await gatehouse(gateway, ['rules', 'replay', '--receipt', 'nothing'])
  assert.equal([absent.code, /no receipt 'nothing'.*receipt_id/.test(absent.err)], [1, true], absent.err)
})

test('an engine that records nothing is asked with the rule as it stands, while it is of that version', async () => {
  const { json, text } = await replay(named(0, 'Look').receipt_id)
  assert.equal([json.kept, json.config, json.identical, json.now.verdict], [true, 'current', true, 'detect'], text)
  const behind = await replay(named(0, 'Late').receipt_id)
  assert.equal([behind.json.kept, behind.json.why], [false, 'changed_before'], behind.text)
})

test('nothing goes outside unless that is meant', async () => {
  const id = named(0, 'Far').receipt_id
  const refused = await replay(id)
  assert.equal([refused.status, refused.json.error.field], [400, 'allowExternal'])
  const told = await gatehouse(gateway, ['rules', 'replay', '--receipt', id])
  assert.match(told.err, '--allow-external')
  assert.is((await replay(id, { allowExternal: true })).json.identical, true)
})

test('where no original is kept, or it is too long, that is said', async () => {
  const [receipt] = await receiptsOf(gateway, plain, 'some text')
  const { json, text } = await replay(receipt?.receipt_id ?? '')
  assert.equal([json.kept, json.why], [false, 'not_captured'], text)
  assert.match(json.message, 'capture: sealed')
  const long = await receiptsOf(gateway, access, 'x'.repeat(70_000))
  assert.is((await replay(long[0]?.receipt_id ?? '')).json.why, 'too_long')
  const half = await receiptsOf(gateway, access, 'y'.repeat(40_000))
  const parts = await Promise.all(half.map(async ({ receipt_id: id }) => (await replay(id)).json))
  assert.equal(
    parts.slice(0, 2).map(({ kept, why = null }) => [kept, why]),
    [
      [true, null],
      [false, 'too_long'],
    ],
    JSON.stringify(parts),
  )
  const failed = await gatehouse(gateway, ['rules', 'replay', '--receipt', receipt?.receipt_id ?? ''])
  assert.equal([failed.code, failed.out], [1, ''])
  assert.match(failed.err, /cannot be run again \(not_captured\)/)
})

test('it takes both capabilities, and a gateway that one may reach', async () => {
  const id = named(0, 'Third').receipt_id
  const as = async (slug: string, capabilities: readonly string[]) => {
    await gateway.api('POST', '/roles', { slug, capabilities })
    await gateway.api('POST', '/users', { email: `${slug}@example.com`, role: slug })
    return apiAs(gateway, await tokenOf(`${slug}@example.com`))
  }
  const all = ['viewAndUseAllGateways', 'viewAndExportLogs', 'viewMessageBodies']
  assert.is((await replay(id, {}, await as('whole', all))).json.identical, true)
  assert.is((await replay(id, {}, await as('blind', all.slice(0, 2)))).status, 403)
  assert.is((await replay(id, {}, await as('deaf', [all[0] as string, all[2] as string]))).status, 403)
  const far = await replay(id, {}, await as('far', all.slice(1)))
  assert.equal([far.status, far.json.error.message], [404, `no receipt '${id}'`])
})

test('what is no receipt of the record is absent', async () => {
  const id = named(0, 'Third').receipt_id
  const others = [id.replace(/\d$/, '9'), id.replace(/-\d\./, '-7.'), id.replace(/^.{8}/, '019a0000'), 'x', `${id}.1`]
  for (const other of others) assert.is((await replay(other)).status, 404, other)
})

test('a verdict is run with what the rule said then, when it says something else or is gone', async () => {
  const ids = ['Third', 'Mark', 'Look'].map((name) => named(0, name).receipt_id)
  const changed = [counting('Third', { limit: 0 }), regex('Look', 'else', { hook: 'response', action: 'detect' })]
  await gateway.configure(yamlOf(server, { ...RULES, sealed: changed }))
  const answers = await Promise.all(ids.map(async (id) => (await replay(id)).json))
  assert.equal(
    answers.map(({ identical = null, why = null }) => [identical, why]),
    [
      [true, null],
      [true, null],
      [null, 'rule_changed'],
    ],
  )
})

test('without the key of its day nothing opens', async () => {
  await pool.query('delete from body_keys')
  await gateway.stop()
  gateway = await startGateway({ home, yaml: yamlOf(server, RULES), databaseUrl: database.url })
  api = apiAs(gateway, gateway.adminToken)
  assert.is((await replay(named(0, 'Third').receipt_id)).json.why, 'unreadable')
})

async function tokenOf(email: string): Promise<string> {
  const { secret, hash, lastFour } = mintSecret('gpat_')
  await pool.query(
    `insert into tokens (id, kind, label, last_four, hash, managed_by, user_id, enabled)
     select gen_random_uuid(), 'admin', 'test', $2, $3, 'api', id, true from users where email = $1`,
    [email, lastFour, hash],
  )
  return secret
}

test.run()
