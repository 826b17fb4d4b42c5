// time-limit: 180
import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gatehouse } from '../configuration/command.js'
import { testDatabase, type TestDatabase } from '../database.js'
import { call, legacy, type Answer } from '../door.js'
import { startCollector, type Collector } from '../exporters/collector.js'
import { answerJson, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import { makeHome, startGateway, type Access, type RunningGateway } from '../gateway.js'
import { createAiClient } from '../oauth/ai-client.js'
import { createTestBrowser } from '../oauth/test-browser.js'
import { signedInPeople, type SignedInPeople } from '../signed-in.js'
import { startGuardedServer, type GuardedServer } from '../upstream-auth/guarded-server.js'
import { personOf } from '../upstream-auth/person.js'
import { startSignInServer, type SignInServer } from '../upstream-auth/sign-in-server.js'
import { until } from '../until.js'
import { apiAnswers, createSecretHunt, dumpOf, filesUnder, pgDumpOf } from './secret-hunt.js'

const hunt = createSecretHunt()
const newKey = (name: string) => hunt.keep(name, randomBytes(32).toString('base64'))
const [old, fresh] = [newKey('old master key'), newKey('new master key')]
const secrets = {
  SERVER_HEADER: hunt.make('header of a server'),
  SERVER_ENV: hunt.make('variable of a command'),
  EXPORTER_KEY: hunt.make('key of an exporter'),
  ENGINE_WORD: hunt.make('identity of the file'),
}

/** What the server answers is on record: it tells which secret it got, and not the secret. */
const hashed = (secret: unknown) => createHash('sha256').update(String(secret)).digest('hex')

let server: FakeServer
let signIn: SignInServer
let guarded: GuardedServer
let collector: Collector
let database: TestDatabase
let home: string
let gateway: RunningGateway
let house: SignedInPeople
const start = (keys: string) => {
  const env = { ...secrets, GATEHOUSE_MASTER_KEY: keys, LOG_LEVEL: 'trace' }
  return startGateway({ home, databaseUrl: database.url, yaml: yaml(), env })
}
const yaml = () => `version: 1
users: { mia@example.com: { role: member } }
teams: { crew: { members: [mia@example.com] } }
servers:
  mail: { url: "${server.url}", auth: { headers: { X-Key: "\${env:SERVER_HEADER}" } } }
  own: { url: "${server.url}", auth: { headers: { X-Own: "\${env:SERVER_HEADER}" } } }
  pool: { url: "${server.url}" }
  signed: { url: "${guarded.url}", auth: oauth }
  tool: { command: [node, -e, "process.exit(1)"], env: { TOOL_KEY: "\${env:SERVER_ENV}" } }
identities: { robot: { server: pool, shared: true, headers: { X-Key: "\${env:ENGINE_WORD}" } } }
gateways:
  house:
    prefix: always
    teams: [crew]
    servers: [{ server: mail }, { server: own, identity: per-user }, { server: signed, identity: per-user }, { server: pool, identity: { shared: robot } }, { server: tool }]
exporters: { soc: { plugin: siem-otlp, url: ${JSON.stringify(collector.url)}, headers: { X-Key: "\${env:EXPORTER_KEY}" } } }
`
let access: Access
const logs: string[] = []
const said: string[] = []

test.before(async () => {
  server = await fakeUpstream((seen) =>
    answerJson(seen, { result: { content: [], resultType: 'complete', by: hashed(seen.headers['x-key']) } }),
  )
  collector = await startCollector()
  signIn = await startSignInServer({ ttl: 2 })
  guarded = await startGuardedServer({ signIn })
  signIn.onToken = (form) => {
    for (const name of ['code', 'code_verifier', 'refresh_token', 'client_secret'])
      if (form.has(name)) hunt.keep(`${name} for a server's sign-in, ${hunt.names.length}`, form.get(name) ?? '')
  }
  database = await testDatabase()
  home = await makeHome()
})
test.after(async () => {
  await gateway.stop()
  await collector.away()
  await Promise.all([server.stop(), guarded.stop(), signIn.stop()])
  await database.drop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

test('a run in which every kind of secret is used', async () => {
  gateway = await start(old)
  house = await signedInPeople(gateway)
  hunt.keep('admin token of the command', gateway.adminToken)
  access = await gateway.mintToken({ gateway: 'house', host: 'agent', user: 'mia@example.com' })
  hunt.keep('access token', access.token)
  const admin = await gateway.api('POST', '/tokens', { kind: 'admin', label: 'second' })
  hunt.keep('admin token', String(admin['secret']))

  signIn.person = 'mia'
  const mia = await personOf(gateway, 'mia@example.com')
  const connected = await mia.submit(await mia.get(`${gateway.url}/connect/identity/house/signed`))
  assert.match(connected.text, 'Connected.')
  said.push((await legacy(access, call('signed__whoami'))).text)
  await until('access to the server is renewed', async () => {
    said.push((await legacy(access, call('signed__whoami'))).text)
    return signIn.asked.some(({ grantType }) => grantType === 'refresh_token') ? true : undefined
  })
  for (const { authorization } of guarded.seen)
    if (authorization !== undefined)
      hunt.keep(`access token of a server, ${hunt.names.length}`, authorization.replace(/^Bearer /, ''))
  const basic = signIn.asked.find(({ authorization }) => authorization?.startsWith('Basic '))?.authorization ?? ''
  const [, registered = ''] = Buffer.from(basic.slice(6), 'base64').toString().split(':')
  hunt.keep("client secret at a server's sign-in", decodeURIComponent(registered))

  const browser = await house.person('mia@example.com')
  for (const { name, value } of browser.cookies) hunt.keep(`cookie ${name}`, value)
  const page = await browser.get('/connect/host/agent?gateway=house')
  const own = hunt.make('header that a person gave')
  const given = await browser.press(page, 'Connect own', { 'header.X-Own': own })
  const form = /name="once" value="([^"]+)"/.exec(given.text)?.[1] ?? ''
  hunt.keep('secret of a form', form)
  const made = await browser.press(given, 'Make a token', { days: '' })
  hunt.keep('access token of a person', /API_[A-Za-z0-9_-]{43}/.exec(made.text)?.[0] ?? '')

  const client = createAiClient(gateway.url)
  const resource = `${gateway.url}/mcp/house`
  const tokens = await client.connect(browser, resource)
  hunt.keep('OAuth access token', tokens.access_token)
  hunt.keep('OAuth refresh token', tokens.refresh_token)
  const again = await client.refresh(tokens.refresh_token, { resource })
  hunt.keep('rotated refresh token', again.json.refresh_token)
  for (const { name, value } of browser.cookies) if (value.length > 12) hunt.keep(`later cookie ${name}`, value)

  const password = hunt.make('password')
  const invited = (await gateway.api('POST', '/invitations', { emails: ['joe@example.com'], role: 'member' })) as {
    readonly items: readonly { readonly url: string }[]
  }
  const link = invited.items[0]?.url ?? ''
  hunt.keep('secret of an invitation', link.split('/').at(-1) ?? '')
  const newcomer = createTestBrowser(gateway.url)
  const joined = await newcomer.press(await newcomer.get(link), 'Join', { name: 'Joe', password, again: password })
  assert.match(joined.url, '/auth/account')
  for (const { name, value } of newcomer.cookies) hunt.keep(`cookie ${name} of a newcomer`, value)

  for (const tool of ['mail__act', 'pool__act', 'own__act', 'tool__act'])
    said.push((await legacy(access, call(tool))).text)
  const calls = await legacy({ ...access, token: tokens.access_token }, call('mail__act'))
  assert.is(calls.json.result.by, hashed(secrets.SERVER_HEADER))
})

test('attempts with secrets that open nothing', async () => {
  const stray = hunt.make('stray access token', 'API_')
  said.push((await legacy({ ...access, token: stray }, call('mail__act'))).text)
  const strayAdmin = hunt.make('stray admin token', 'gpat_')
  const api = await fetch(`${gateway.url}/api/v1/users`, { headers: { authorization: `Bearer ${strayAdmin}` } })
  said.push(await api.text())
  const password = hunt.make('wrong password')
  const browser = await house.person('mia@example.com')
  const { cookies } = browser
  assert.ok(cookies.length > 0)
  const signedOut = await fetch(`${gateway.url}/auth/signin`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ email: 'mia@example.com', password }),
  })
  said.push(await signedOut.text())
  const code = hunt.make('wrong code')
  const token = await fetch(`${gateway.url}/oauth/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'authorization_code', code, client_id: 'nobody', code_verifier: code }),
  })
  said.push(await token.text())
})

test('keys are rotated under load: no call fails, and nothing is left under the old key in any column', async () => {
  await house.stop()
  await gateway.stop()
  logs.push(gateway.logs())
  gateway = await start(`${fresh},${old}`)
  hunt.keep('second admin token of the command', gateway.adminToken)
  const oldId = idOf((await dumpOf(database.url)).get('public.secrets') ?? '')
  assert.ok(oldId)
  const load = startLoad()
  const { code, out, err } = await gatehouse(gateway, ['keys', 'rotate', '--json'])
  const answers = await load()
  assert.is(code, 0, err)
  assert.equal((({ failed, changed }) => [failed, changed])(JSON.parse(out)), [0, 0])
  for (const { json, text } of answers) assert.is(json?.result?.by, hashed(secrets.SERVER_HEADER), text)
  for (const [table, text] of await dumpOf(database.url))
    assert.not.ok(text.includes(`.${oldId}.`), `${table} is sealed with the old key`)
  await gateway.stop()
  logs.push(gateway.logs())
  gateway = await start(fresh)
  hunt.keep('third admin token of the command', gateway.adminToken)
  assert.is((await legacy(at(gateway), call('mail__act'))).json.result.by, hashed(secrets.SERVER_HEADER))
})

test('no secret stands in the database', async () => {
  await gateway.recorded(at(gateway))
  const dump = await dumpOf(database.url)
  assert.ok(dump.size > 20)
  assert.ok([...dump.values()].join('').includes('mia@example.com'), 'it is the database of this run')
  for (const [table, text] of dump) assert.equal(hunt.foundIn(text), [], table)
  const whole = pgDumpOf(database.url)
  if (whole !== null) assert.equal(hunt.foundIn(whole), [])
})

test('no secret stands in a log, at its finest level', () => {
  for (const text of [...logs, gateway.logs()]) {
    assert.ok(text.length > 200)
    assert.equal(hunt.foundIn(text), [])
  }
})

test('no secret stands in what the admin API and the export answer', async () => {
  const read = async (path: string) => {
    const response = await fetch(`${gateway.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${gateway.adminToken}` },
    })
    return response.text()
  }
  const answers = await apiAnswers(read)
  assert.ok(answers.size > 25, `${answers.size} answers`)
  for (const [path, text] of answers) assert.equal(hunt.foundIn(text), [], path)
  const { out } = await gatehouse(gateway, ['export'])
  assert.match(out, 'servers:')
  assert.equal(hunt.foundIn(out), [])
})

test('no secret stands in the record on disk, in what was delivered, or in an answer', async () => {
  await until('something was delivered', () => collector.taken()[0])
  for (const [file, text] of filesUnder(join(home, 'record'))) assert.equal(hunt.foundIn(text), [], file)
  assert.equal(hunt.foundIn(JSON.stringify(collector.requests.map(({ records }) => records))), [])
  for (const text of said) assert.equal(hunt.foundIn(text), [])
})

test('the hunt finds what is there', () => {
  for (const name of ['header of a server', 'access token', 'old master key']) assert.ok(hunt.names.includes(name))
  for (const form of ['utf8', 'hex', 'base64'] as const)
    for (const before of ['', 'a', 'ab'])
      assert.equal(hunt.foundIn(Buffer.from(`${before}${secrets.SERVER_HEADER} and more`).toString(form)), [
        'header of a server',
      ])
})

const at = ({ url }: RunningGateway): Access => ({ ...access, url: `${url}/mcp/house` })
const idOf = (dump: string): string => /\bv1\.([A-Za-z0-9_-]+)\./.exec(dump)?.[1] ?? ''

/** Four agents without a pause; answers how to end it and what they were told. */
function startLoad(): () => Promise<readonly Answer[]> {
  const answers: Answer[] = []
  let isOver = false
  const agent = async () => {
    while (!isOver) answers.push(await legacy(at(gateway), call('mail__act')))
  }
  const agents = [agent(), agent(), agent(), agent()]
  return async () => {
    isOver = true
    await Promise.all(agents)
    return answers
  }
}

test.run()
