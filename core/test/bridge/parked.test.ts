// time-limit: 180
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { ALL, modernClient, type Answer } from './clients.js'
import { FORM, heldServer, text, type HeldServer } from './held-server.js'

let server: HeldServer
let other: HeldServer
let gateway: RunningGateway
let agent: Access
let calls = 0

const yaml = (more = '') => `version: 1
users: { mia@example.com: { role: member } }
teams: { all: { members: [mia@example.com] } }
servers:
  one: { url: "${server.url}"${more} }
  two: { url: "${other.url}" }
gateways:
  house: { teams: [all], servers: [{ server: one }, { server: two }] }
  annex: { teams: [all], servers: [{ server: one }] }
  twice: { prefix: always, servers: [{ server: one, as: first }, { server: one, as: second }] }
`

test.before(async () => {
  server = await heldServer()
  other = await heldServer()
  gateway = await startGateway({ yaml: yaml() })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await other.stop()
})

const YES: JsonObject = { action: 'accept', content: { name: 'Ada' } }
const name = () => `call-${(calls += 1)}`

/** A call that sleeps behind its question. */
async function asleep(access = agent, { tool = 'act', token = undefined as string | undefined, at = server } = {}) {
  const client = modernClient(access, { capabilities: ALL })
  const given = { text: name() }
  const pending = client.call(tool, given, token === undefined ? {} : { token })
  const held = await at.call(given.text)
  held.ask(`q-${given.text}`, 'elicitation/create', FORM)
  const asked = await pending
  assert.is(asked.json.result.resultType, 'input_required')
  const again = (answers: JsonObject | undefined, options = {}) =>
    client.again(tool, asked, answers, { given, ...options })
  return { client, given, held, asked, again, tool, question: `q-${given.text}` }
}
const errorOf = ({ status, json }: Answer) => ({ status, error: json.error })
const INVALID = { status: 200, error: { code: -32602, message: 'Invalid or expired requestState' } }

test('a sleeping call goes on with the answer, and its progress bears the token of the newest request', async () => {
  const { held, again, question } = await asleep(agent, { token: 'first' })
  const next = again({ q1: YES }, { token: 7 })
  const { result } = await server.answered(question)
  assert.equal(result, YES)
  const { progressToken } = (held.seen.body['params'] as { _meta: { progressToken: unknown } })._meta
  held.say({ method: 'notifications/progress', params: { progressToken, progress: 1, 'x-own': [1] } } as JsonObject)
  held.answer(text('done'))
  const { json, before } = await next
  assert.equal(json.result, { ...text('done'), resultType: 'complete' })
  assert.equal(
    before.map(({ params }) => params),
    [{ progressToken: 7, progress: 1, 'x-own': [1] }],
  )
})

test('a state that is another’s, of another gateway, server, feature, argument or identity, broken or used is one error', async () => {
  const { asked, given, held, again, question } = await asleep()
  const stranger = await gateway.mintToken({ gateway: 'house', host: 'stranger' })
  const mia = await gateway.mintToken({ gateway: 'house', host: 'agent-of-mia', user: 'mia@example.com' })
  const annex = await gateway.mintToken({ gateway: 'annex', host: 'agent' })
  const { requestState } = asked.json.result
  const retry = (access: Access, params: JsonObject) =>
    modernClient(access, { capabilities: ALL }).request('tools/call', {
      name: 'act',
      arguments: given,
      inputResponses: { q1: YES },
      requestState,
      ...params,
    })
  const refused = [
    ['another host', await retry(stranger, {})],
    ['another user', await retry(mia, {})],
    ['another gateway', await retry(annex, {})],
    ['another feature', await retry(agent, { name: 'other' })],
    ['another server', await retry(agent, { name: 'two__act' })],
    ['another argument', await retry(agent, { arguments: { ...given, more: 1 } })],
    ['no arguments', await retry(agent, { arguments: undefined } as unknown as JsonObject)],
    [
      'a changed byte',
      await retry(agent, { requestState: `${requestState.slice(0, -1)}${requestState.endsWith('A') ? 'B' : 'A'}` }),
    ],
    ['more behind it', await retry(agent, { requestState: `${requestState}-TAMPERED` })],
    ['nothing', await retry(agent, { requestState: '' })],
    ['a number', await retry(agent, { requestState: 7 })],
    ['null', await retry(agent, { requestState: null })],
  ] as const
  for (const [what, answer] of refused) assert.equal(errorOf(answer), INVALID, what)
  const next = again({ q1: YES })
  await server.answered(question)
  held.answer(text('done'))
  assert.is((await next).json.result.resultType, 'complete')
  assert.equal(errorOf(await again({ q1: YES })), INVALID, 'used')
})

test('as one identity of a server, a call is not woken as another', async () => {
  const access = await gateway.mintToken({ gateway: 'twice', host: 'agent' })
  const { asked, given, held, again } = await asleep(access, { tool: 'first__act' })
  const client = modernClient(access, { capabilities: ALL })
  assert.equal(errorOf(await client.again('second__act', asked, { q1: YES }, { given })), INVALID)
  const next = again({ q1: YES })
  held.answer(text('done'))
  assert.is((await next).json.result.resultType, 'complete')
})

test('an earlier round is not answered again, and the later one is not lost by it', async () => {
  const { held, asked, again, client, given } = await asleep()
  const second = again({ q1: YES })
  held.ask(0, 'elicitation/create', { ...FORM, message: 'Your color?' })
  const askedAgain = await second
  assert.is(askedAgain.json.result.inputRequests.q2.params.message, 'Your color?')
  assert.equal(errorOf(await client.again('act', asked, { q1: YES, q2: YES }, { given })), INVALID)
  const third = client.again('act', askedAgain, { q2: { action: 'decline' } }, { given })
  assert.equal((await server.answered(0))['result'], { action: 'decline' })
  held.answer(text('done'))
  assert.is((await third).json.result.resultType, 'complete')
})

test('of two that come back at once one wins', async () => {
  for (let times = 0; times < 5; times += 1) {
    const { held, again, question } = await asleep()
    const both = [again({ q1: YES }), again({ q1: { action: 'decline' } })]
    await server.answered(question)
    held.answer(text('done'))
    const kinds = (await Promise.all(both)).map(({ json }) => json.result?.resultType ?? json.error.code)
    assert.equal(kinds.toSorted(), [-32602, 'complete'].toSorted())
    const answers = server.seen.filter(({ body }) => body['id'] === question && !('method' in body))
    assert.is(answers.length, 1)
  }
})

test('a client that closes in the middle of a leg ends the call at its server, first leg or later', async () => {
  const client = modernClient(agent, { capabilities: ALL })
  const given = { text: name() }
  const gone = new AbortController()
  const first = client.call('act', given, { signal: gone.signal }).catch(() => 'gone')
  const held = await server.call(given.text)
  gone.abort()
  assert.is(await first, 'gone')
  await server.cancelled(held)

  const later = await asleep()
  const away = new AbortController()
  const leg = later.again({ q1: YES }, { signal: away.signal }).catch(() => 'gone')
  await server.answered(later.question)
  away.abort()
  assert.is(await leg, 'gone')
  await server.cancelled(later.held)
  assert.equal(errorOf(await later.again({ q1: YES })), INVALID)
})

test('a question that its server takes back is not asked again, and a late answer reaches nobody', async () => {
  const { held, again, question } = await asleep()
  held.say({ method: 'notifications/cancelled', params: { requestId: question } })
  const taken = await server.answered(question)
  assert.ok('error' in taken)
  const next = again({ q1: YES })
  held.answer(text('went on'))
  assert.is((await next).json.result.content[0].text, 'went on')
  assert.is(server.seen.filter(({ body }) => body['id'] === question && !('method' in body)).length, 1)
})

test('how many may sleep is a setting, which counts from the next call on', async () => {
  const { call, parkedCalls } = (await gateway.api('GET', '/settings'))['limits'] as Record<string, JsonObject>
  assert.equal([call, parkedCalls], [300_000, { perReplica: 1_000, perUser: 20, perServer: 5 }])
  await gateway.api('PATCH', '/settings', { limits: { parkedCalls: { perServer: 1 } } })
  const first = await asleep()
  const second = await asleep()
  await server.cancelled(first.held)
  assert.equal(errorOf(await first.again({ q1: YES })), INVALID)
  await gateway.api('PATCH', '/settings', { limits: { parkedCalls: { perServer: 5 } } })
  const next = second.again({ q1: YES })
  second.held.answer(text('done'))
  assert.is((await next).json.result.resultType, 'complete')
})

test('a server that gives up first has its answer kept for whoever comes back', async () => {
  const { held, again } = await asleep()
  held.answer({ ...text('timed out'), isError: true })
  const { json } = await again({ q1: YES })
  assert.equal(json.result, { ...text('timed out'), isError: true, resultType: 'complete' })
})

test('a server that breaks down while a call sleeps is told to whoever comes back', async () => {
  const { held, again } = await asleep()
  held.drop()
  const { status, json } = await again({ q1: YES })
  assert.equal([status, json.error.code, json.error.data.reason], [200, -32603, 'server_unreachable'])
  assert.equal(errorOf(await again({ q1: YES })), INVALID)
})

test('answers of the wrong kind are refused and the call sleeps on; missing ones are asked again', async () => {
  const { held, again, question, client, given } = await asleep()
  for (const wrong of [null, [], 'x', { q1: 'x' }, { q1: null }] as unknown as JsonObject[]) {
    const { status, json } = await again(wrong)
    assert.equal([status, json.error.code], [200, -32602], JSON.stringify(wrong))
    assert.not.match(json.error.message, 'requestState')
  }
  const asked = await again({ unknown: YES })
  assert.is(asked.json.result.inputRequests.q1.params.message, FORM.message)
  const next = client.again('act', asked, { q1: YES, extra: YES }, { given })
  assert.equal((await server.answered(question))['result'], YES)
  held.answer(text('done'))
  await next
})

test('each request of a sleeping call leaves its own four legs, and one that is refused the two of the door', async () => {
  const own = await gateway.mintToken({ gateway: 'house', host: 'recorded' })
  const { held, again, question } = await asleep(own)
  const next = again({ q1: YES })
  await server.answered(question)
  held.answer(text('done'))
  await next
  await again({ q1: YES })
  const recorded = (await gateway.recorded(own)).filter(({ method }) => method === 'tools/call')
  const four = ['proxy_request_success', 'mcp_request_success', 'mcp_response_success', 'proxy_response_success']
  assert.equal(
    recorded.map(({ legs }) => legs.map(({ log_type }) => log_type)),
    [four, four, ['proxy_request_success', 'proxy_response_error']],
  )
})

test('a call of a server that is disabled meanwhile ends there, and comes back as disabled', async () => {
  const { held, again } = await asleep()
  let dropped = false
  held.seen.res.once('close', () => (dropped = true))
  await gateway.configure(yaml(', enabled: false'))
  const { json } = await again({ q1: YES })
  assert.is(json.error.data.reason, 'server_disabled')
  assert.ok(dropped)
  await gateway.configure(yaml())
  assert.is(
    (await again({ q1: YES })).json.error.code,
    -32602,
    'it ended with its server, and nobody waits for an answer',
  )
})

test('a call under way outlives a change of its server', async () => {
  const { held, again, question } = await asleep()
  await gateway.configure(yaml(', title: Renamed'))
  const next = again({ q1: YES })
  await server.answered(question)
  held.answer(text('done'))
  assert.is((await next).json.result.resultType, 'complete')
})

test.run()
