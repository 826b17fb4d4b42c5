// time-limit: 180
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answerJson, fakeUpstream, params, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type Recorded, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { ALL, legacyClient, modernClient, type Message } from './clients.js'
import { FORM, heldServer, text, type HeldServer } from './held-server.js'

/** What is said between request and answer passes the rules like those: no side door for either side. */
const SECRET = '4929-1234-5678-9012'
const OUT = `out:${SECRET}`
const IN = `in:${SECRET}`
const MASK = `mask:${SECRET}`
const RULES = [
  `{ name: keepOut, engine: regex, hook: response, patterns: ['out:[\\d-]+'], action: block }`,
  `{ name: keepIn, engine: regex, hook: request, patterns: ['in:[\\d-]+'], action: block }`,
  `{ name: cover, engine: regex, hook: both, patterns: ['mask:[\\d-]+'], action: redact }`,
  `{ name: onlyOther, engine: regex, hook: both, patterns: ['other:[\\d-]+'], action: block, features: [other] }`,
]

let old: HeldServer
let fresh: FakeServer
let gateway: RunningGateway
const agents: Record<string, Access> = {}
/** What the modern server asks, until it is answered. */
let asks: JsonObject = {}

test.before(async () => {
  old = await heldServer()
  fresh = await fakeUpstream((seen) => {
    const answered = params(seen).inputResponses !== undefined
    const question = { resultType: 'input_required', inputRequests: asks, requestState: `state with ${OUT}` }
    answerJson(seen, { result: answered ? { resultType: 'complete', ...text('done') } : question })
  })
  const gateways = ['old', 'new'].map(
    (name) =>
      `  ${name}:\n    servers: [{ server: ${name} }]\n    rules:\n${RULES.map((rule) => `      - ${rule}\n`).join('')}`,
  )
  gateway = await startGateway({
    yaml: `version: 1\nservers: { old: { url: "${old.url}" }, new: { url: "${fresh.url}" } }\ngateways:\n${gateways.join('')}`,
  })
  for (const name of ['old', 'new']) agents[name] = await gateway.mintToken({ gateway: name, host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await old.stop()
  await fresh.stop()
})

const form = (message: string): JsonObject => ({ ...FORM, message })
const asked = (message: string): JsonObject => ({ k: { method: 'elicitation/create', params: form(message) } })
const says = (name: string): JsonObject => ({ action: 'accept', content: { name } })
const lastOf = async (at: string, method = 'tools/call'): Promise<Recorded> =>
  (await gateway.recorded(agents[at] as Access)).filter((one) => one.method === method).at(-1) as Recorded
const receipts = ({ legs }: Recorded) =>
  legs.flatMap(({ log_type, receipts: own }) =>
    own.filter(({ verdict }) => verdict !== 'pass').map(({ rule_name, verdict }) => [log_type, rule_name, verdict]),
  )

/** A legacy client that answers every form with this. */
const person = (at: string, name: string) =>
  legacyClient(agents[at] as Access, { capabilities: ALL, answer: () => ({ result: says(name) }) })
const shown = (heard: readonly { message: Message }[]) => JSON.stringify(heard.map(({ message }) => message))

test('a legacy client is not asked what a rule blocks; its legacy server is told which rule, its client nothing of it', async () => {
  const client = await person('old', 'Ada')
  const pending = client.call('act', { text: 'a' })
  const call = await old.call('a')
  call.ask('a', 'elicitation/create', form(OUT))
  const { error } = await old.answered('a')
  assert.match((error as Message).message, "rule 'keepOut'")
  assert.not.match(JSON.stringify(error), '4929')
  call.answer({ ...text(`refused: ${(error as Message).message}`), isError: true })
  assert.match((await pending).json.result.content[0].text, "rule 'keepOut'")
  assert.equal(
    client.heard.filter(({ message }) => message.id !== undefined && message.method),
    [],
  )
  await client.end()
  client.close()
  assert.equal(receipts(await lastOf('old')), [['proxy_response_success', 'keepOut', 'block']])
})

test('an answer that a rule blocks does not reach a legacy server', async () => {
  const client = await person('old', IN)
  const pending = client.call('act', { text: 'b' })
  const call = await old.call('b')
  call.ask('b', 'elicitation/create', form('Name?'))
  const given = await old.answered('b')
  assert.match((given['error'] as Message).message, "rule 'keepIn'")
  call.answer(text('done'))
  await pending
  assert.not.match(JSON.stringify(old.seen.map(({ text: sent }) => sent)), 'in:4929')
  await client.end()
  client.close()
  assert.equal(receipts(await lastOf('old')), [['mcp_request_success', 'keepIn', 'block']])
})

test('what is covered in a question and in its answer goes on without it, and both stand on record', async () => {
  const client = await person('old', MASK)
  const pending = client.call('act', { text: 'c' })
  const call = await old.call('c')
  call.ask('c', 'elicitation/create', form(`Your <${MASK}>?`))
  assert.equal((await old.answered('c'))['result'], says(''))
  call.answer(text('done'))
  await pending
  assert.is((await client.asked('elicitation/create')).message.params.message, 'Your <>?')
  await client.end()
  client.close()
  assert.equal(receipts(await lastOf('old')), [
    ['mcp_request_success', 'cover', 'modify'],
    ['proxy_response_success', 'cover', 'modify'],
  ])
})

test('a legacy client’s refusal in words passes the rules like any answer', async () => {
  const client = await legacyClient(agents['old'] as Access, {
    capabilities: ALL,
    answer: () => ({ error: { code: -1, message: `no <${MASK}>`, data: IN } }),
  })
  const pending = client.call('act', { text: 'd' })
  const call = await old.call('d')
  call.ask('d', 'sampling/createMessage', { messages: [], maxTokens: 1 })
  assert.equal((await old.answered('d'))['error'], { code: -1, message: 'no <>' })
  call.answer(text('done'))
  await pending
  await client.end()
  client.close()
})

test('a modern server’s question that a rule blocks ends the call of a legacy client, naming the rule', async () => {
  asks = asked(OUT)
  const client = await person('new', 'Ada')
  const { json } = await client.call('act')
  assert.is(json.result.isError, true)
  assert.match(json.result.content[0].text, "rule 'keepOut'")
  assert.not.match(JSON.stringify(json), '4929')
  assert.not.match(shown(client.heard), '4929')
  await client.end()
  client.close()
  const message = await lastOf('new')
  assert.equal(
    message.legs.map(({ log_type, policy_name }) => [log_type, policy_name]),
    [
      ['proxy_request_success', null],
      ['mcp_request_success', null],
      ['mcp_response_success', null],
      ['policy_enforced_abort', 'keepOut'],
    ],
  )
})

test('a legacy client’s answer that a rule blocks reaches no modern server', async () => {
  asks = asked('Name?')
  const client = await person('new', IN)
  const before = fresh.seen.length
  const { json } = await client.call('act')
  assert.match(json.result.content[0].text, "rule 'keepIn'")
  assert.not.match(JSON.stringify(fresh.seen.slice(before).map(({ text: sent }) => sent)), 'in:4929')
  await client.end()
  client.close()
})

for (const at of ['old', 'new'] as const) {
  /** Makes the call of a modern client ask this. */
  const askedBy = async (message: string, name: string) => {
    const client = modernClient(agents[at] as Access, { capabilities: ALL })
    asks = asked(message)
    const given = { text: name }
    const pending = client.call('act', given)
    if (at === 'new') return { client, given, answer: await pending }
    const call = await old.call(name)
    call.ask(name, 'elicitation/create', form(message))
    return { client, given, call, answer: await pending }
  }

  test(`a modern client is not shown what a rule blocks of a question, by ${at} servers; no call is left asleep by it`, async () => {
    const { answer, call } = await askedBy(OUT, `blocked-${at}`)
    assert.is(answer.json.result.isError, true)
    assert.is(answer.json.result.resultType, 'complete')
    assert.match(answer.json.result.content[0].text, "rule 'keepOut'")
    assert.not.match(JSON.stringify(answer.json), '4929')
    if (call !== undefined) await old.cancelled(call)
  })

  test(`a modern client’s answer that a rule blocks reaches no ${at} server, and another one may be given`, async () => {
    const { answer, client, given, call } = await askedBy('Name?', `answers-${at}`)
    const [name = ''] = Object.keys(answer.json.result.inputRequests)
    const blocked = await client.again('act', answer, { [name]: says(IN) }, { given })
    assert.match(blocked.json.result.content[0].text, "rule 'keepIn'")
    const next = client.again('act', answer, { [name]: says(`<${MASK}>`) }, { given })
    if (call !== undefined) {
      assert.equal((await old.answered(`answers-${at}`))['result'], says('<>'))
      call.answer(text('done'))
    }
    assert.is((await next).json.result.content[0].text, 'done')
    const sent = JSON.stringify([...old.seen, ...fresh.seen].map(({ text: body }) => body))
    assert.not.match(sent, /in:4929|mask:4929/)
  })

  test(`a question of ${at} servers is covered for a modern client, and the state with it opens again`, async () => {
    const { answer, client, given, call } = await askedBy(`Your <${MASK}>?`, `covered-${at}`)
    const [[name = '', question]] = Object.entries(answer.json.result.inputRequests) as [[string, Message]]
    assert.is(question.params.message, 'Your <>?')
    const next = client.again('act', answer, { [name]: says('Ada') }, { given })
    if (call !== undefined) {
      await old.answered(`covered-${at}`)
      call.answer(text('done'))
    }
    assert.is((await next).json.result.content[0].text, 'done')
  })
}

test('notes beside the answer pass the rules in order, on the streams of both eras', async () => {
  const log = (data: string) => ({ method: 'notifications/message', params: { level: 'info', data } })
  const say = async (name: string) => {
    const call = await old.call(name)
    for (const data of ['one', OUT, `two <${MASK}>`]) call.say(log(data))
    call.answer(text('done'))
  }
  const client = await person('old', 'Ada')
  const legacy = client.call('act', { text: 'notes-legacy' })
  await say('notes-legacy')
  const modern = modernClient(agents['old'] as Access, { capabilities: ALL }).call(
    'act',
    { text: 'notes-modern' },
    { logLevel: 'debug' },
  )
  await say('notes-modern')
  for (const { before, json } of [await legacy, await modern]) {
    assert.equal(
      before.map(({ params: told }) => told.data),
      ['one', 'two <>'],
    )
    assert.is(json.result.content[0].text, 'done')
  }
  await client.end()
  client.close()
})

test('with two calls under way a question is the session’s, and no rule is blind to it', async () => {
  const client = await person('old', 'Ada')
  await client.listen()
  const pending = ['e', 'f'].map((name) => client.call('act', { text: name }))
  const [one, two] = [await old.call('e'), await old.call('f')]
  // Both streams are those of calls; a question that belongs to none comes on the session's, which this server has not.
  one.ask('e', 'elicitation/create', form(`other:${SECRET}`))
  const seen = await until(
    'it is answered',
    () => old.seen.find(({ body }) => body['id'] === 'e' && !('method' in body))?.body,
  )
  assert.equal((seen as JsonObject)['result'], says('Ada'), 'a rule for another tool does not look at this one')
  one.answer(text('done'))
  two.answer(text('done'))
  await Promise.all(pending)
  await client.end()
  client.close()
})

test.run()
