// time-limit: 240
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gatehouse } from '../configuration/command.js'
import { call, modern } from '../door.js'
import { answering, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { openMailbox, type Mailbox } from '../mailbox.js'
import { until } from '../until.js'
import { startReceiver, type Receiver } from './receiver.js'

const SECRET = 'a signing secret of the test'
const SLACK_PATH = '/services/T000/B000/swordfish'
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any
let server: FakeServer
let lost: FakeServer
let [ops, slack]: (Receiver | undefined)[] = []
let mailbox: Mailbox
let gateway: RunningGateway
let agent: Access
let database: Pool

const rules = [
  "{ name: Ssn, engine: regex, hook: response, patterns: ['\\d{3}-\\d{2}-\\d{4}'], action: mask, alerts: true }",
  "{ name: Quiet, engine: regex, hook: response, patterns: ['quiet'], action: mask }",
]
const targets = () => `alerts:
  ops: { plugin: alert-webhook, url: ${JSON.stringify(ops?.url)}, secret: "\${env:OPS_SECRET}", gateways: [house], types: [rule_modified] }
  chat: { plugin: alert-slack, url: "\${env:CHAT_URL}", minSeverity: warning }
  mail: { plugin: alert-email, host: 127.0.0.1, port: ${new URL(mailbox.url).port}, tls: none, from: gate@example.com, to: [ops@example.com], minSeverity: error }
`

test.before(async () => {
  server = await fakeUpstream(answering({ content: [{ type: 'text', text: 'it is 555-12-3456' }] }))
  lost = await fakeUpstream(answering({ content: [] }), { tools: ['lost_act'] })
  ;[ops, slack, mailbox] = [await startReceiver(), await startReceiver(), await openMailbox()]
  const chat = slack.url.replace('/x', SLACK_PATH)
  gateway = await startGateway({
    yaml: `${yamlOf({ one: server, lost }, { rules })}${targets()}`,
    // Loopback is allowed by itself for http; mail without TLS needs the operator's word.
    env: { OPS_SECRET: SECRET, CHAT_URL: chat, GATEHOUSE_EGRESS_ALLOW: '127.0.0.1/32' },
  })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  database = new Pool({ connectionString: gateway.databaseUrl ?? '', max: 1 })
})
test.after(async () => {
  await database.end()
  await gateway.stop()
  for (const one of [server, ops, slack, mailbox]) await one?.stop()
})

const ask = (name: string) => modern(agent, call(name))
const feed = async (query: string): Promise<readonly Json[]> =>
  (await gateway.api('GET', `/alerts?${query}`))['items'] as Json[]
const alertOf = (type: string) => until(`${type} is there`, async () => (await feed(`type=${type}`))[0])

test('a rule that acts is told at its target, signed, with names and without what it matched', async () => {
  await ask('act')
  const message = await until('it is told', () => ops?.messages[0])
  assert.ok(message.isSigned(SECRET))
  assert.not(message.isSigned('another'))
  const { kind, attempt, target, alert } = message.json
  assert.equal([kind, attempt, target.name], ['alert', 1, 'ops'])
  assert.equal(
    [alert.type, alert.severity, alert.gateway, alert.server, alert.rule],
    ['rule_modified', 'info', 'house', 'one', 'Ssn'],
  )
  assert.is(alert.url, `${new URL(gateway.url).origin}/console/alerts/${alert.id}`)
  assert.not.match(message.body, /555-12|swordfish/)
  const shown = (await gateway.api('GET', `/alerts/${alert.id}`)) as Json
  assert.equal([shown.rule.name, shown.gateway.slug, shown.server.slug], ['Ssn', 'house', 'one'])
  assert.match(shown.links.logs, shown.correlationId)
  for (const link of ['gateway', 'server', 'rule', 'logs'])
    await gateway.api('GET', new URL(shown.links[link]).href.split('/api/v1')[1] ?? '')
})

test('every act of a rule counts, and costs the receiver nothing', async () => {
  for (let n = 0; n < 8; n += 1) await ask('act')
  await until('all are counted', async () => ((await alertOf('rule_modified')).count >= 9 ? true : undefined))
  assert.is((await alertOf('rule_modified')).count, 9)
  assert.is(ops?.messages.length, 1)
})

test('a server that cannot be reached is told in the chat and by mail, with a link', async () => {
  await ask('lost_act')
  await lost.stop()
  const alert = await until('it is told of', async () => {
    await ask('lost_act')
    return (await feed('type=server_unreachable'))[0]
  })
  assert.equal([alert.severity, alert.server.slug, alert.state], ['error', 'lost', 'open'])
  const message = await until('the chat hears of it', () => slack?.messages[0])
  assert.is(message.path, SLACK_PATH)
  assert.match(message.json.text, /error: Server "lost" cannot be reached/)
  assert.match(
    JSON.stringify(message.json.blocks),
    `<${new URL(gateway.url).origin}/console/alerts/${alert.id}|Open the alert>`,
  )
  assert.match(await mailbox.mail(0), /To: ops@example.com/)
})

test('an alert is acknowledged, resolved and reopened, by whom and why stands in its history', async () => {
  const { id } = await alertOf('server_unreachable')
  await gateway.api('POST', `/alerts/${id}/acknowledge`, { note: 'on it; password=hunter2' })
  await gateway.api('POST', `/alerts/${id}/resolve`, {})
  const refused = await gateway.api('POST', `/alerts/${id}/acknowledge`, {}).catch((thrown: Error) => thrown.message)
  assert.match(String(refused), /409.*reopen it first/)
  const alert = (await gateway.api('POST', `/alerts/${id}/reopen`, {})) as Json
  assert.equal(
    alert.history.map(({ state, email, note }: Json) => [state, email, note]),
    [
      ['acknowledged', 'operator@localhost', 'on it; password=[REDACTED]'],
      ['resolved', 'operator@localhost', null],
      ['open', 'operator@localhost', null],
    ],
  )
  const { open } = (await gateway.api('GET', '/alerts/counts')) as Json
  assert.ok(open.error >= 1)
})

test('the feed is filtered by name or id, paged, and acknowledged in one go', async () => {
  const house = await gateway.api('GET', '/gateways/house')
  const { server: about } = await alertOf('server_unreachable')
  assert.is((await feed('server=lost')).length, (await feed(`server=${about.id}`)).length)
  assert.is((await feed(`gateway=${String(house['id'])}&type=rule_modified`)).length, 1)
  assert.is((await feed('severity=error,warning&state=open&gateway=house')).length, 0)
  const first = (await gateway.api('GET', '/alerts?limit=1')) as Json
  const second = (await gateway.api('GET', `/alerts?limit=1&cursor=${first.next}`)) as Json
  assert.is.not(first.items[0].id, second.items[0].id)
  for (const query of [
    'state=shut',
    'server=nosuch',
    'cursor=x',
    'cursor=999999999999999.0190a0e0-0000-7000-8000-000000000000',
    'type=rule_bloked',
    'surprise=1',
  ])
    assert.match(await feed(query).then(() => 'taken', String), / 422 | 400 /, query)
  const nothing = await gateway.api('POST', '/alerts/acknowledge', {}).then(() => 'taken', String)
  assert.match(nothing, / 422 | 400 /)
  const mild = await feed('severity=info&state=open')
  assert.equal(
    mild.map(({ type }) => type),
    ['rule_modified'],
  )
  const done = (await gateway.api('POST', '/alerts/acknowledge', { severity: ['info'] })) as Json
  assert.is(done.acknowledged, 1)
  assert.equal(
    (await feed('type=rule_modified')).map(({ state }) => state),
    ['acknowledged'],
  )
})

test('the command reads the feed, follows it, and says what was seen', async () => {
  const { id } = await alertOf('server_unreachable')
  const listed = await gatehouse(gateway, ['alerts', '--severity', 'error', '--json'])
  assert.equal([listed.code, listed.err], [0, ''])
  assert.is(JSON.parse(listed.out.trim().split('\n').at(-1) ?? '{}').id, id)
  const acked = await gatehouse(gateway, ['alerts', 'ack', id, '--note', 'seen'])
  assert.equal([acked.code, acked.err], [0, ''])
  assert.match(acked.out, /acknowledged {2}server_unreachable.*server=lost/)
  assert.not.match((await gatehouse(gateway, ['alerts', 'list', '--state', 'open'])).out, id)
  const none = await gatehouse(gateway, ['alerts', '--type', 'token_reused', '--json'])
  assert.equal([none.out, none.err], ['', 'No such alert is open or acknowledged.\n'], 'what is piped on stays empty')
  const unknown = await gatehouse(gateway, ['alerts', 'resolve', '00000000-0000-0000-0000-000000000000'])
  assert.is(unknown.code, 1)

  const BIN = fileURLToPath(new URL('../../../bin/gatehouse.mjs', import.meta.url))
  const follower = spawn(process.execPath, [BIN, 'alerts', '--follow', '--state', 'resolved', '--json'], {
    ...{ cwd: gateway.home, env: { PATH: process.env['PATH'] ?? '', GATEHOUSE_HOME: gateway.home } },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  follower.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  await until('it is followed', async () => {
    await gateway.api('POST', `/alerts/${id}/reopen`, {})
    await gateway.api('POST', `/alerts/${id}/resolve`, {})
    return out.includes(id) ? true : undefined
  })
  follower.kill('SIGINT')
  assert.is(await new Promise((done) => follower.once('close', done)), 0)
})

test('targets are shown without their secrets, tried, and changed; a secret does not move with an address', async () => {
  const shown = (await gateway.api('GET', '/alert-targets')) as Json
  assert.not.match(JSON.stringify(shown), new RegExp(`${SECRET}|swordfish`))
  const chat = shown.items.find(({ slug }: Json) => slug === 'chat')
  assert.equal([chat.secrets, chat.delivery.delivered >= 1, chat.delivery.deadLetters], [['url'], true, 0])
  assert.not.match((await gateway.api('GET', '/export'))['text'] as string, new RegExp(`${SECRET}|swordfish`))
  assert.equal(await gateway.api('POST', '/alert-targets/chat/test'), { ok: true })
  assert.match(slack?.messages.at(-1)?.json.text, /^Test: info: This is a test/)
  if (slack) slack.status = 404
  const failed = (await gateway.api('POST', '/alert-targets/chat/test')) as Json
  assert.equal([failed.ok, failed.status], [false, 404])
  if (slack) slack.status = 200
  assert.match(
    await gateway.api('PATCH', '/alert-targets/chat', { minSeverity: 'error' }).then(() => 'taken', String),
    / 409 /,
  )

  await gateway.api('POST', '/alert-targets', { slug: 'own', plugin: 'alert-webhook', url: ops?.url, secret: SECRET })
  const evil = { url: 'http://127.0.0.1:9/x' }
  assert.match(
    await gateway.api('PATCH', '/alert-targets/own', evil).then(() => 'taken', String),
    /secret: .*give the secret anew/,
  )
  for (const body of [
    { slug: 'a', plugin: 'nosuch' },
    { slug: 'a', plugin: 'alert-webhook', url: 'http://169.254.169.254/x' },
    { slug: 'a', plugin: 'alert-webhook', url: 'https://hooks.example.com', surprise: 1 },
    { slug: 'a', plugin: 'alert-webhook', url: 'https://hooks.example.com', gateways: ['nosuch'] },
    {
      slug: 'a',
      plugin: 'alert-email',
      host: 'mail.example.com',
      from: 'a@example.com',
      to: ['a@example.com'],
      user: 'u',
    },
  ])
    assert.match(
      await gateway.api('POST', '/alert-targets', body).then(() => 'taken', String),
      / 4\d\d /,
      JSON.stringify(body),
    )
  assert.match(await gateway.api('DELETE', '/gateways/house').then(() => 'taken', String), / 409 .*(file|ops)/)
  await gateway.api('DELETE', '/alert-targets/own')
})

test('the secrets of targets lie sealed', async () => {
  const { rows } = await database.query<{ n: string }>(
    `select count(*) as n from secrets where owner_kind = 'alertTarget'`,
  )
  assert.ok(Number(rows[0]?.n) >= 2)
})

test('nothing in the database holds a secret of a target', async () => {
  for (const table of ['alerts', 'alert_states', 'alert_targets', 'alert_deliveries', 'alert_progress']) {
    const { rows } = await database.query(`select * from ${table}`)
    assert.not.match(JSON.stringify(rows), new RegExp(`${SECRET}|swordfish|hunter2|555-12-3456`), table)
  }
})

test('what could not be delivered before a kill is delivered after the next start', async () => {
  if (ops === undefined) return
  ops.status = 503
  const before = ops.messages.length
  const { id } = await alertOf('rule_modified')
  await gateway.api('POST', `/alerts/${id}/resolve`, {})
  await ask('act')
  await until('it was tried', () => ops?.messages[before])
  const { home, databaseUrl } = gateway
  await gateway.kill()
  ops.status = 200
  const tried = ops.messages.length
  const env = {
    OPS_SECRET: SECRET,
    CHAT_URL: slack?.url.replace('/x', SLACK_PATH) ?? '',
    GATEHOUSE_EGRESS_ALLOW: '127.0.0.1/32',
  }
  const again = await startGateway({
    ...{ home, databaseUrl, env },
    yaml: `${yamlOf({ one: server, lost }, { rules })}${targets()}`,
  })
  const message = await until('it is delivered', () => ops?.messages[tried], { seconds: 60 })
  assert.equal([message.json.alert.type, message.json.id], ['rule_modified', ops.messages[before]?.json.id])
  await again.stop()
})

test.run()
