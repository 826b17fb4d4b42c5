// time-limit: 180
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answerJson, fakeUpstream, params, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { agreed, ALL, legacyClient, modernClient, type Message } from './clients.js'
import { heldServer, text, type HeldServer } from './held-server.js'

/** What has to be done at a URL first: a modern server asks, a legacy one asks too, or refuses with an error. */
let legacy: HeldServer
let modern: FakeServer
let gateway: RunningGateway
const agents: Record<string, Access> = {}
let isDone = false
const URL_ASKED = { mode: 'url', message: 'Please sign in', url: 'https://sign-in.example.com/x' }

test.before(async () => {
  legacy = await heldServer()
  modern = await fakeUpstream((seen) => {
    const inputRequests = { login: { method: 'elicitation/create', params: URL_ASKED } }
    const asks = { resultType: 'input_required', inputRequests, requestState: 'waiting' }
    answerJson(seen, { result: isDone ? { resultType: 'complete', ...text('signed in') } : asks })
  })
  gateway = await startGateway({
    yaml: `version: 1
servers: { old: { url: "${legacy.url}" }, new: { url: "${modern.url}" } }
gateways: { old: { servers: [{ server: old }] }, new: { servers: [{ server: new }] } }
`,
  })
  for (const name of ['old', 'new']) agents[name] = await gateway.mintToken({ gateway: name, host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await legacy.stop()
  await modern.stop()
})

const isCompletion = ({ method }: Message) => method === 'notifications/elicitation/complete'

test('a legacy client is sent to a modern server’s URL once, and told when it is done with', async () => {
  isDone = false
  const client = await legacyClient(agents['new'] as Access, {
    capabilities: ALL,
    answer: ({ params: asked }) => ({ result: agreed('elicitation/create', asked) as JsonObject }),
  })
  const pending = client.call('act')
  const { message } = await client.asked('elicitation/create')
  const { elicitationId, ...rest } = message.params
  assert.equal(rest, URL_ASKED)
  assert.is(typeof elicitationId, 'string')
  // The server is asked again and again meanwhile, the client is not.
  await until('it was asked again', () =>
    modern.seen.filter(({ body }) => params({ body } as never).requestState === 'waiting').length > 1
      ? true
      : undefined,
  )
  isDone = true
  const { json, before } = await pending
  assert.is(json.result.content[0].text, 'signed in')
  assert.is(client.heard.filter(({ message: { method } }) => method === 'elicitation/create').length, 1)
  assert.equal(
    before.filter(isCompletion).map(({ params: told }) => told),
    [{ elicitationId }],
  )
  const responses = modern.seen.map((seen) => params(seen).inputResponses).filter((one) => one !== undefined)
  for (const one of responses) assert.equal(one, { login: { action: 'accept' } })
  await client.end()
  client.close()
})

test('a modern client goes to a modern server’s URL as it is asked, and no id is made up for it', async () => {
  isDone = false
  const client = modernClient(agents['new'] as Access, { capabilities: ALL })
  const asked = await client.call('act')
  assert.equal(asked.json.result.inputRequests, { login: { method: 'elicitation/create', params: URL_ASKED } })
  isDone = true
  const { json } = await client.again('act', asked, { login: { action: 'accept' } })
  assert.is(json.result.content[0].text, 'signed in')
})

test('a client that cannot go to a URL is told what it lacks, each era in its own way', async () => {
  isDone = false
  const capabilities = { elicitation: { form: {} } }
  const old = await legacyClient(agents['new'] as Access, { capabilities })
  const { status, json } = await old.call('act')
  assert.is(status, 200)
  assert.is(json.result.isError, true)
  await old.end()
  old.close()
  const fresh = await modernClient(agents['new'] as Access, { capabilities }).call('act')
  assert.equal([fresh.status, fresh.json.error.code], [400, -32021])
  assert.equal(fresh.json.error.data.requiredCapabilities, { elicitation: { url: {} } })
})

test('a legacy server’s URL keeps its id for a legacy client, and has none for a modern one', async () => {
  const asked = { ...URL_ASKED, elicitationId: 'own-1' }
  const old = await legacyClient(agents['old'] as Access, {
    capabilities: ALL,
    answer: () => ({ result: { action: 'accept' } }),
  })
  const pending = old.call('act', { text: 'old' })
  const call = await legacy.call('old')
  call.ask('u', 'elicitation/create', asked)
  assert.equal((await legacy.answered('u'))['result'], { action: 'accept' })
  assert.equal((await old.asked('elicitation/create')).message.params, asked)
  call.say({ method: 'notifications/elicitation/complete', params: { elicitationId: 'own-1' } })
  call.answer(text('done'))
  assert.equal(
    (await pending).before.filter(isCompletion).map(({ params: told }) => told),
    [{ elicitationId: 'own-1' }],
  )
  await old.end()
  old.close()

  const fresh = modernClient(agents['old'] as Access, { capabilities: ALL })
  const leg = fresh.call('act', { text: 'fresh' })
  const other = await legacy.call('fresh')
  other.ask('v', 'elicitation/create', asked)
  const first = await leg
  assert.equal(first.json.result.inputRequests.q1.params, URL_ASKED)
  const next = fresh.again('act', first, { q1: { action: 'accept' } }, { given: { text: 'fresh' } })
  assert.equal((await legacy.answered('v'))['result'], { action: 'accept' })
  other.say({ method: 'notifications/elicitation/complete', params: { elicitationId: 'own-1' } })
  other.answer(text('done'))
  const { json, before } = await next
  assert.is(json.result.content[0].text, 'done')
  assert.equal(before.filter(isCompletion), [], 'a note that this era does not know')
})

const REQUIRED = {
  code: -32042,
  message: 'Sign in first',
  data: { elicitations: [{ ...URL_ASKED, elicitationId: 'own-2' }] },
}

test('an error that sends to a URL is passed to the revision that knows it, told in words to older ones', async () => {
  for (const version of ['2025-11-25', '2025-06-18', '2025-03-26']) {
    const client = await legacyClient(agents['old'] as Access, { capabilities: ALL, version })
    const pending = client.call('act', { text: version })
    const call = await legacy.call(version)
    call.say({ id: call.seen.body['id'] as number, error: REQUIRED })
    const { json, status } = await pending
    assert.is(status, 200)
    if (version === '2025-11-25') assert.equal(json.error, REQUIRED)
    else {
      assert.is(json.result.isError, true)
      assert.match(json.result.content[0].text, URL_ASKED.url)
    }
    await client.end()
    client.close()
  }
})

test('to a modern client it is a question, and its call is made anew when the URL is done with', async () => {
  const client = modernClient(agents['old'] as Access, { capabilities: ALL })
  const leg = client.call('act', { text: 'required' })
  const call = await legacy.call('required')
  call.say({ id: call.seen.body['id'] as number, error: REQUIRED })
  const first = await leg
  assert.equal(first.json.result.inputRequests, { u1: { method: 'elicitation/create', params: URL_ASKED } })

  const second = client.again('act', first, { u1: { action: 'accept' } }, { given: { text: 'required' } })
  // Another call of the same server may be what tells.
  const telling = client.call('act', { text: 'telling' })
  const teller = await legacy.call('telling')
  teller.say({ method: 'notifications/elicitation/complete', params: { elicitationId: 'own-2' } })
  teller.answer(text('told'))
  await telling
  const again = await legacy.call('required', 2)
  again.answer(text('at last'))
  const { json } = await second
  assert.is(json.result.content[0].text, 'at last')
})

test('a modern client that declines is told so and its server is not called again', async () => {
  const client = modernClient(agents['old'] as Access, { capabilities: ALL })
  const leg = client.call('act', { text: 'declined' })
  const call = await legacy.call('declined')
  call.say({
    id: call.seen.body['id'] as number,
    error: { ...REQUIRED, data: { elicitations: [{ ...URL_ASKED, elicitationId: 'own-3' }] } },
  })
  const first = await leg
  const { json } = await client.again('act', first, { u1: { action: 'decline' } }, { given: { text: 'declined' } })
  assert.is(json.error.code, -32603)
  const calls = legacy.seen.filter(
    ({ body }) => body['method'] === 'tools/call' && JSON.stringify(body).includes('"declined"'),
  )
  assert.is(calls.length, 1)
})

test.run()
