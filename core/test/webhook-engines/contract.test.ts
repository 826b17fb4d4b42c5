// time-limit: 300
import type { JsonObject } from '@gatehouse/sdk'
import { verifySignature } from '@gatehouse/sdk/webhook'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, modern } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, yamlOf, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type Recorded, type RunningGateway } from '../gateway.js'
import { modifying, saying, startService, type Answering, type Service } from './service.js'

const SECRET = 'sw0rdfish-of-the-engine'
const RESULT = { content: [{ type: 'text', text: 'salary 90000' }], resultType: 'complete' }

const PROMPT = { messages: [{ role: 'user', content: { type: 'text', text: 'hello Ana' } }], resultType: 'complete' }
const CONTENTS = { contents: [{ uri: 'file:///plan', text: 'the plan' }], resultType: 'complete' }
const RESULTS: Readonly<Record<string, JsonObject>> = { 'prompts/get': PROMPT, 'resources/read': CONTENTS }

let server: FakeServer
let service: Service
let gateway: RunningGateway
let agent: Access

/** One engine under two names, and a tool for each way to use it. */
const yamlFor = (url: string) => {
  const keys = `kind: webhook, url: ${JSON.stringify(url)}, timeoutMs: 700`
  const rules = [
    '{ name: asks, engine: dlp, hook: request, features: [asking] }',
    '{ name: answers, engine: dlp, hook: response, features: [answering], alerts: true }',
    '{ name: open, engine: dlp, hook: response, features: [open], onFailure: allow }',
    '{ name: all else, engine: dlp, hook: both, features: ["prompt:*", "resource:*"] }',
    '{ name: told, engine: dlp, hook: response, features: [told], action: detect, alerts: true }',
  ]
  return `${yamlOf({ one: server }, { rules })}engines:
  dlp: { ${keys}, secret: "\${env:DLP_SECRET}", headers: { X-Key: "\${env:DLP_SECRET}", X-Tenant: "\${env:TENANT}" }, forwardHeaders: [X-Tenant, X-Trace, x-api-key] }
`
}

test.before(async () => {
  service = await startService()
  server = await fakeUpstream((seen) => answerJson(seen, { result: RESULTS[String(seen.body['method'])] ?? RESULT }), {
    tools: ['asking', 'answering', 'open', 'told'],
    prompts: ['greet'],
    resources: ['file:///plan'],
  })
  gateway = await startGateway({ yaml: yamlFor(service.url), env: { DLP_SECRET: SECRET, TENANT: 'acme' } })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await service.stop()
})

const last = async (): Promise<Recorded> => (await gateway.recorded(agent)).at(-1) as Recorded
async function ask(tool: string, answer: Answering): Promise<JsonObject> {
  service.answers(answer)
  service.taken()
  return (await legacy(agent, call(tool, { text: 'hello' }))).json.result
}
const argumentsSeen = () => params(callsOf(server).at(-1) as Seen).arguments

test('a call is told with who calls what, signed, with headers and never a credential', async () => {
  service.answers(saying({ verdict: 'pass' }))
  const headers = { 'X-Tenant': 'forged', 'X-Trace': 'abc', 'X-Api-Key': 'mine', cookie: 'a=b' }
  const { json } = await modern(agent, { ...call('answering', { text: 'hello' }), id: 'seven' }, { headers })
  assert.equal(json.result.content, RESULT.content)
  const [asked] = service.taken()
  assert.equal(asked?.request.body, { jsonrpc: '2.0', id: 'seven', result: RESULT })
  const { metadata } = asked!.request
  const [{ items: gateways }, { items: engines }] = (await Promise.all(
    ['/gateways', '/engines'].map((path) => gateway.api('GET', path)),
  )) as [{ items: { id: string }[] }, { items: { id: string }[] }]
  assert.is(metadata.gatewayGuid, gateways[0]?.id)
  assert.is(metadata.ruleEngineId, engines[0]?.id)
  assert.is(metadata.correlationId, (await last()).correlationId)
  assert.equal([metadata.direction, metadata.toolName, metadata.method], ['response', 'answering', 'tools/call'])
  assert.equal(
    ['x-tenant', 'x-trace', 'x-api-key', 'authorization', 'cookie', 'x-key'].map((name) => asked?.headers[name]),
    ['acme', 'abc', undefined, undefined, undefined, SECRET],
  )
  const header = asked?.headers['gatehouse-signature'] as string
  assert.ok(verifySignature({ header, body: asked?.text ?? '', secret: SECRET }))
  assert.not.match(asked?.text ?? '', agent.token)
})

test('a request that is blocked never reaches its server, and the client reads why', async () => {
  const before = callsOf(server).length
  const result = await ask('asking', saying({ verdict: 'block', reason: 'Not on weekends.' }))
  assert.equal([result['isError'], callsOf(server).length], [true, before])
  assert.match(JSON.stringify(result), "rule 'asks'. Not on weekends.")
})

test('arguments are changed on their way, and everything beside them stays', async () => {
  await ask(
    'asking',
    modifying((body) => ({ ...body, params: { name: 'asking', arguments: { text: 'changed' } } })),
  )
  assert.equal(argumentsSeen(), { text: 'changed' })
})

test('a response that is changed or blocked never reaches the client as it was', async () => {
  const content = [{ type: 'text', text: 'salary ***' }]
  assert.equal(
    (
      await ask(
        'answering',
        modifying((body) => ({ ...body, result: { content } })),
      )
    )['content'],
    content,
  )
  assert.not.match(JSON.stringify((await last()).legs), '90000')
  const blocked = await ask('answering', saying({ decision: 'block' }))
  assert.is(blocked['isError'], true)
  assert.not.match(JSON.stringify([blocked, (await last()).legs]), '90000')
})

test('with the action detect the verdict is told, and the message passes', async () => {
  assert.equal((await ask('told', saying({ verdict: 'block' })))['content'], RESULT.content)
  assert.is((await last()).legs.flatMap(({ receipts }) => receipts)[0]?.verdict, 'detect')
})

const BOMB = gzipSync(Buffer.alloc(17 * 1024 * 1024, ' '))
const FAILING: Readonly<Record<string, Answering>> = {
  'answers nothing in time': () => {},
  'hangs up': (_asked, response) => void response.destroy(),
  'answers rubbish': saying('<html>'),
  'answers half of it': (_asked, response) =>
    void response.writeHead(200, { 'content-length': '99' }).end('{"verdict":'),
  'answers an empty body': saying('', 204),
  'answers another status': saying({ verdict: 'pass' }, 500),
  redirects: (_asked, response) => void response.writeHead(302, { location: '/inspect' }).end(),
  'says that it failed': saying({ verdict: 'error', message: 'salary 90000' }),
  'disagrees with itself': saying({ verdict: 'pass', status: 'block' }),
  'answers with another id': modifying((body) => ({ ...body, id: 99 })),
  'answers with no id': modifying(({ id: _id, ...body }) => body),
  'answers more than 16 MiB': saying(`{"verdict":"pass"}${' '.repeat(16 * 1024 * 1024)}`),
  'answers what unpacks to more': (_asked, response) =>
    void response.writeHead(200, { 'content-encoding': 'gzip' }).end(BOMB),
  'answers a nesting beyond all reason': saying(
    `{"verdict":"modify","modifiedPayload":{"body":{"jsonrpc":"2.0","id":1,"result":{"content":[],"x":${'['.repeat(20_000)}${']'.repeat(20_000)}}}}}`,
  ),
}

for (const [what, answer] of Object.entries(FAILING)) {
  test(`an engine that ${what}: the rule falls as it says, and neither way in silence`, async () => {
    const closed = await ask('answering', answer)
    assert.is(closed['isError'], true)
    assert.not.match(JSON.stringify(closed), '90000')
    assert.equal(fallOf(await last()), ['undecided', 'closed'])
    assert.equal((await ask('open', answer))['content'], RESULT.content)
    assert.equal(fallOf(await last()), ['undecided', 'open'])
  })
}
const fallOf = ({ legs }: Recorded) => {
  const [receipt] = legs.flatMap(({ receipts }) => receipts)
  return [receipt?.verdict, receipt?.fell]
}

test('a prompt and a resource are asked about where a rule names them, each as what it is', async () => {
  const messages = [{ role: 'user', content: { type: 'text', text: 'hello ***' } }]
  const asking = modifying((body) => ('method' in body ? body : { ...body, result: { messages } }))
  service.answers(asking)
  service.taken()
  const prompt = await legacy(agent, { method: 'prompts/get', params: { name: 'greet', arguments: { who: 'Ana' } } })
  assert.equal(prompt.json.result.messages, messages)
  const [asked, answered] = service.taken().map(({ request }) => request)
  assert.equal([asked?.metadata.direction, asked?.metadata.method], ['request', 'prompts/get'])
  assert.equal([answered?.metadata.direction, answered?.metadata.method], ['response', 'prompts/get'])
  assert.is(asked?.metadata.toolName, null)
  // What answers a prompt in place of a resource is no resource.
  const read = () => legacy(agent, { method: 'resources/read', params: { uri: 'file:///plan' } })
  assert.is((await read()).json.error.data.reason, 'blocked_by_rule')
  service.answers(saying({ verdict: 'pass' }))
  assert.equal((await read()).json.result.contents, CONTENTS.contents)
})

test('a call cannot be sent to another tool', async () => {
  const before = callsOf(server).length
  const renamed = modifying((body) => ({ ...body, params: { name: 'open', arguments: {} } }))
  assert.is((await ask('asking', renamed))['isError'], true)
  assert.is(callsOf(server).length, before)
})

test('an engine that is not there is asked again, and found when it is back', async () => {
  let times = 0
  const busy: Answering = (asked, response) =>
    saying({ verdict: 'pass' }, (times += 1) === 1 ? 503 : 200)(asked, response)
  assert.equal((await ask('answering', busy))['content'], RESULT.content)
  assert.is(service.taken().length, 2)
})

test('an address that is changed is asked at the next call', async () => {
  const other = await startService()
  other.answers(saying({ verdict: 'block' }))
  assert.equal((await ask('answering', saying({ verdict: 'pass' })))['content'], RESULT.content)
  await gateway.configure(yamlFor(other.url))
  assert.is((await ask('answering', saying({ verdict: 'pass' })))['isError'], true)
  assert.equal([service.taken().length, other.taken().length], [0, 1])
  await gateway.configure(yamlFor(service.url))
  await other.stop()
})

test('neither a secret nor what was looked at stands in the log of the gateway', () => {
  const logs = gateway.logs()
  assert.match(logs, 'could not')
  for (const secret of [SECRET, '90000', 'hello', agent.token]) assert.not.match(logs, secret)
})

test.run()
