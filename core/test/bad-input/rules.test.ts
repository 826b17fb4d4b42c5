// time-limit: 180
import type { JsonObject } from '@gatehouse/sdk'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, modern, type Answer } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, yamlOf, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type Recorded, type RunningGateway } from '../gateway.js'

/** A word per rule, so that each case meets its own rule alone. */
const SECRET = '4929-1234-5678-9012'
const rule = (name: string, hook: string, action: string, more = '') =>
  `{ name: ${name}, engine: regex, hook: ${hook}, patterns: ['${name}:[\\d-]+'], action: ${action}${more} }`
const RULES = [
  rule('blockIn', 'request', 'block'),
  rule('blockOut', 'response', 'block', ', alerts: true'),
  rule('redactBoth', 'both', 'redact'),
  rule('replaceBoth', 'both', 'replace', ", replacement: '[gone]'"),
  rule('maskBoth', 'both', 'mask', ', keepLast: 4'),
  rule('hashBoth', 'both', 'hash'),
  rule('detectBoth', 'both', 'detect', ', alerts: true'),
  rule('shadowBoth', 'both', 'block', ', shadow: true'),
  `{ name: broken mirror, engine: regex, hook: response, patterns: ['"json[^}]*"'], action: redact }`,
]

let server: FakeServer
let gateway: RunningGateway
let agent: Access
/** What the server says next. */
let says: JsonObject = { content: [] }
test.before(async () => {
  const answer = (seen: Seen) => answerJson(seen, { result: { ...says, resultType: 'complete' } })
  server = await fakeUpstream(answer, { prompts: ['ask'], resources: ['file:///a'] })
  gateway = await startGateway({ yaml: yamlOf({ one: server }, { rules: RULES }) })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const last = async (): Promise<Recorded> => (await gateway.recorded(agent)).at(-1) as Recorded
const typesOf = ({ legs }: Recorded) => legs.map((leg) => leg.log_type)
const send = (text: string): Promise<Answer> => legacy(agent, call('act', { text, deep: [{ text }] }))
const receiptOf = ({ legs }: Recorded, leg: string, name: string) =>
  legs.find(({ log_type }) => log_type === leg)?.receipts.find((one) => one.rule_name === name)

test('a block of the request stops the message before any server, as an error that a model can read', async () => {
  for (const ask of [legacy, modern]) {
    const before = callsOf(server).length
    const { status, json, text } = await ask(agent, call('act', { text: `blockIn:${SECRET}` }))
    assert.is(status, 200)
    assert.is(json.result.isError, true)
    assert.match(json.result.content[0].text, /Blocked by policy: rule 'blockIn'/)
    assert.not.match(text, /4929/)
    assert.is(callsOf(server).length, before)
    const message = await last()
    assert.equal(typesOf(message), ['proxy_request_success', 'policy_enforced_abort'])
    assert.is(message.legs[1]?.policy_name, 'blockIn')
    assert.is(message.legs[1]?.feature_name, 'act')
    assert.equal(message.legs.map(({ body }) => body?.text ?? null)[0], null)
  }
})

test('a block of the answer keeps it from the client, and takes the place of the fourth leg', async () => {
  says = {
    content: [{ type: 'text', text: `it is blockOut:${SECRET}` }],
    structuredContent: { a: `blockOut:${SECRET}` },
  }
  const { json, text } = await send('harmless')
  assert.is(json.result.isError, true)
  assert.not.match(text, /4929/)
  const message = await last()
  assert.equal(typesOf(message), [
    'proxy_request_success',
    'mcp_request_success',
    'mcp_response_success',
    'policy_enforced_abort',
  ])
  assert.is(message.legs[3]?.policy_name, 'blockOut')
})

/** What each action leaves of `name:4929-1234-5678-9012`. */
const LEFT: Readonly<Record<string, RegExp>> = {
  redactBoth: /^<>$/,
  replaceBoth: /^<\[gone\]>$/,
  maskBoth: /^<\*+9012>$/,
  hashBoth: /^<[0-9a-f]{64}>$/,
  detectBoth: /^<detectBoth:4929-1234-5678-9012>$/,
  shadowBoth: /^<shadowBoth:4929-1234-5678-9012>$/,
}

for (const [name, left] of Object.entries(LEFT))
  test(`${name} changes both legs, the structure and its mirror alike`, async () => {
    const secret = `<${name}:${SECRET}>`
    const structuredContent = { answer: secret, list: [{ again: secret }], number: 7 }
    says = {
      content: [
        { type: 'text', text: JSON.stringify(structuredContent) },
        { type: 'text', text: secret },
      ],
      structuredContent,
    }
    const { json } = await send(secret)

    const given = params(callsOf(server).at(-1) as Seen).arguments as { text: string; deep: [{ text: string }] }
    assert.match(given.text, left)
    assert.match(given.deep[0].text, left)

    const { content, structuredContent: structure } = json.result
    assert.match(structure.answer, left)
    assert.match(structure.list[0].again, left)
    assert.is(structure.number, 7)
    assert.match(content[1].text, left)
    assert.equal(JSON.parse(content[0].text), structure, 'the mirror is still JSON, and still a mirror')

    const message = await last()
    assert.is(typesOf(message).at(-1), 'proxy_response_success')
    const [asked, answered] = ['mcp_request_success', 'proxy_response_success'].map((leg) =>
      receiptOf(message, leg, name),
    )
    for (const receipt of [asked, answered]) {
      assert.is(receipt?.engine, 'regex')
      assert.ok(Object.values(receipt?.findings ?? {}).some((count) => count > 0))
    }
    assert.equal([asked?.hook, answered?.hook], ['request', 'response'])
    assert.is(asked?.shadow, name === 'shadowBoth')
  })

test('a hash of equal texts is equal, so that values stay joinable', async () => {
  const answer = async () => {
    says = { content: [{ type: 'text', text: `hashBoth:${SECRET}` }] }
    return (await send('x')).json.result.content[0].text as string
  }
  assert.is(await answer(), await answer())
})

test('a rule that would break the JSON of a mirror leaves JSON behind', async () => {
  const structuredContent = { key: 'a "json" text', other: 'kept' }
  says = { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent }
  const { status, json } = await send('x')
  assert.is(status, 200)
  assert.equal(JSON.parse(json.result.content[0].text), json.result.structuredContent)
  assert.is(json.result.structuredContent.other, 'kept')
})

test('an error of a server and a note before its answer are inspected like the answer', async () => {
  const own = await fakeUpstream((seen) =>
    answerJson(seen, {
      error: { code: -32000, message: `no: maskBoth:${SECRET}`, data: { why: `redactBoth:${SECRET}` } },
    }),
  )
  const house = await startGateway({ yaml: yamlOf({ one: own }, { rules: RULES }) })
  const access = await house.mintToken({ gateway: 'house', host: 'agent' })
  const { json, text } = await legacy(access, call('act'))
  assert.is(json.error.code, -32000)
  assert.not.match(text, /4929/)
  await house.stop()
  await own.stop()
})

test('what a rule took out stands nowhere in the database, nor in the log', async () => {
  await gateway.recorded(agent)
  const client = new Client({ connectionString: gateway.databaseUrl ?? '' })
  await client.connect()
  const tables = await client.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema')`,
  )
  const holding: string[] = []
  for (const { name } of tables.rows) {
    const found = await client.query<{ text: string }>(
      `select t::text as text from ${name} t where t::text ~ '(blockIn|blockOut|redactBoth|replaceBoth|maskBoth|hashBoth):4929'`,
    )
    holding.push(...found.rows.map(({ text }) => `${name}: ${text.slice(0, 300)}`))
  }
  const looking = await client.query(`select 1 from message_bodies where response like '%detectBoth:4929%'`)
  await client.end()
  assert.ok((looking.rowCount ?? 0) > 0, 'what a rule only looked at is there to be found')
  assert.equal(holding, [])
  assert.not.match(gateway.logs(), /4929/)
})

test('rules that only look let the record hold what they saw, and raise what they were told to', async () => {
  const client = new Client({ connectionString: gateway.databaseUrl ?? '' })
  await client.connect()
  const { rows } = await client.query<{ type: string; message: string }>(
    'select type, message from alerts order by type',
  )
  await client.end()
  assert.ok(rows.some(({ type }) => type === 'rule_detected'))
  assert.ok(rows.some(({ type }) => type === 'rule_blocked'))
  assert.not.match(JSON.stringify(rows), /4929|shadowBoth/)
})

test.run()
