// time-limit: 180
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { Era } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { META, MODERN_VERSION } from '../../mcp/versions.js'
import { changingServer, type ChangingServer } from '../changing-server.js'
import { call, modern } from '../door.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { openListen } from '../streams.js'
import { until } from '../until.js'

const ACK = 'notifications/subscriptions/acknowledged'
const TOOLS = 'notifications/tools/list_changed'
const UPDATED = 'notifications/resources/updated'
const capabilities = { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } }
const resources = ['file:///a', 'file:///b']
const eras: readonly Era[] = ['legacy', 'modern']

const servers = new Map<Era, ChangingServer>()
let gateway: RunningGateway
let agents = 0
const newAgent = (at: string): Promise<Access> => gateway.mintToken({ gateway: at, host: `agent-${(agents += 1)}` })
const of = (era: Era) => servers.get(era) as ChangingServer

test.before(async () => {
  for (const era of eras) servers.set(era, await changingServer({ era, capabilities, resources }))
  const urls = eras.map((era) => `  ${era}: { url: ${JSON.stringify(of(era).url)} }\n`)
  gateway = await startGateway({
    yaml: `version: 1
settings: { limits: { listensPerUser: 3 } }
servers:
${urls.join('')}  dead: { url: "http://127.0.0.1:9/mcp" }
gateways:
  legacy: { servers: [{ server: legacy }] }
  modern: { servers: [{ server: modern }] }
  both: { prefix: always, servers: [{ server: dead }, { server: legacy }, { server: modern }] }
  blocked:
    servers: [{ server: modern }]
    rules: [{ name: no a, engine: regex, hook: response, patterns: ['file:///a'], action: block, features: ["*", "resource:*"] }]
`,
  })
})
test.after(async () => {
  await gateway.stop()
  for (const server of servers.values()) await server.stop()
})

for (const era of eras) {
  test(`${era} server: what a tool changes right after the acknowledgement reaches the listen, as often as it does`, async () => {
    const agent = await newAgent(era)
    for (let n = 0; n < 3; n++) {
      const started = Date.now()
      const stream = await openListen(agent, { toolsListChanged: true }, `listen-${n}`)
      const ack = await stream.hears(ACK)
      assert.ok(Date.now() - started < 1_500)
      assert.is(stream.messages()[0].method, ACK)
      assert.equal(ack.params, {
        notifications: { toolsListChanged: true },
        _meta: { [META.subscriptionId]: `listen-${n}` },
      })
      assert.ok((await modern(agent, call('change'))).json.result)
      const changed = Date.now()
      const note = await stream.hears(TOOLS)
      assert.ok(Date.now() - changed < 1_500)
      assert.is(note.params._meta[META.subscriptionId], `listen-${n}`)
      stream.close()
    }
  })

  test(`${era} server: updates of a resource are told to whoever asked for it, and to no other`, async () => {
    const agent = await newAgent('both')
    const [a, b] = [`gh+${era}+file:///a`, `gh+${era}+file:///b`]
    const [mine, theirs] = [
      await openListen(agent, { resourceSubscriptions: [a] }, 1),
      await openListen(agent, { resourceSubscriptions: [b], toolsListChanged: true }, 2),
    ]
    assert.equal((await mine.hears(ACK)).params.notifications, { resourceSubscriptions: [a] })
    await theirs.hears(ACK)
    await until('the server knows', () => (of(era).subscribed().includes('file:///b') ? true : undefined))
    of(era).update('file:///a')
    const note = await mine.hears(UPDATED)
    assert.equal(note.params, { uri: a, _meta: { [META.subscriptionId]: 1 } })
    of(era).update('file:///b')
    await theirs.hears(UPDATED)
    assert.is(theirs.messages().filter(({ method }) => method === UPDATED).length, 1)
    mine.close()
    theirs.close()
  })
}

test('two listens share one subscription at the server, and the last of them ends it', async () => {
  const server = of('legacy')
  await until('nobody listens', () => (server.subscribed().length === 0 ? true : undefined))
  const agent = await newAgent('legacy')
  const filter = { resourceSubscriptions: ['file:///a'] }
  const [one, two] = [await openListen(agent, filter, 1), await openListen(agent, filter, 2)]
  for (const stream of [one, two]) await stream.hears(ACK)
  assert.equal(server.subscribed(), ['file:///a'])
  one.close()
  server.update('file:///a')
  await two.hears(UPDATED)
  two.close()
  await until('it is unsubscribed', () => (server.subscribed().length === 0 ? true : undefined))
})

test('a resource that the caller has not is not granted, and a dead server holds up nothing', async () => {
  const agent = await newAgent('both')
  const started = Date.now()
  const uris = ['gh+modern+file:///a', 'gh+nobody+file:///a', 'gh+dead+file:///a']
  const stream = await openListen(agent, { promptsListChanged: true, resourceSubscriptions: uris })
  const { notifications } = (await stream.hears(ACK)).params
  assert.ok(Date.now() - started < 2_000)
  assert.is(notifications.promptsListChanged, true, 'the dead server may have prompts')
  assert.ok(notifications.resourceSubscriptions.includes(uris[0]))
  assert.not.ok(notifications.resourceSubscriptions.includes(uris[1]))
  stream.close()
})

test('what a rule blocks is not told', async () => {
  const agent = await newAgent('blocked')
  const stream = await openListen(agent, { toolsListChanged: true, resourceSubscriptions: resources })
  await stream.hears(ACK)
  for (const uri of resources) of('modern').update(uri)
  assert.is((await stream.hears(UPDATED)).params.uri, 'file:///b')
  of('modern').addTool('after-the-block')
  await stream.hears(TOOLS)
  assert.is(stream.messages().filter(({ method }) => method === UPDATED).length, 1)
  stream.close()
})

test('it is on record when it begins, with what was granted, and as no slow call', async () => {
  const agent = await newAgent('modern')
  const stream = await openListen(agent, { toolsListChanged: true })
  await stream.hears(ACK)
  const [message] = await gateway.recorded(agent)
  assert.is(message?.method, 'subscriptions/listen')
  assert.equal(
    message?.legs.map((leg) => leg.log_type),
    ['proxy_request_success', 'proxy_response_success'],
  )
  assert.match(message?.legs.at(-1)?.body?.text ?? '', /"toolsListChanged":true/)
  stream.close()
})

test('one user has so many and no more, and gets another when one ends', async () => {
  const agent = await newAgent('modern')
  const filter = { toolsListChanged: true }
  const streams = await Promise.all([1, 2, 3].map((id) => openListen(agent, filter, id)))
  const refused = await openListen(agent, filter, 4)
  assert.is(refused.status, 429)
  streams[0]?.close()
  const again = await until('there is room', async () => {
    const stream = await openListen(agent, filter, 5)
    return stream.status === 200 ? stream : undefined
  })
  for (const stream of [...streams, again]) stream.close()
})

test('whoever loses the right to the gateway loses the stream', async () => {
  const agent = await newAgent('modern')
  const stream = await openListen(agent, { toolsListChanged: true })
  await stream.hears(ACK)
  await gateway.api('DELETE', `/tokens/${agent.tokenId}`)
  await stream.ended()
  assert.is(stream.messages().length, 1)
})

test('without an event stream there is no answer, and a filter that is none is refused', async () => {
  const agent = await newAgent('modern')
  const message = { method: 'subscriptions/listen', params: { notifications: {} } }
  assert.is((await modern(agent, message, { headers: { accept: 'application/json' } })).status, 406)
  const { json } = await modern(agent, { method: 'subscriptions/listen' })
  assert.is(json.error.code, -32602)
})

test('a server that comes back is told again what to tell, and that its lists may have changed is looked into', async () => {
  const own = await changingServer({ era: 'legacy', capabilities, resources, tools: ['first'] })
  await gateway.api('POST', '/servers', { slug: 'returning', url: own.url })
  await gateway.api('POST', '/gateways', { slug: 'returning', servers: [{ server: 'returning' }] })
  const agent = await newAgent('returning')
  assert.ok((await modern(agent, { method: 'tools/list' })).json.result)
  const stream = await openListen(agent, { toolsListChanged: true, resourceSubscriptions: ['file:///a'] })
  await stream.hears(ACK)
  const { port } = own
  await own.stop()
  const back = await changingServer({ era: 'legacy', capabilities, resources, tools: ['first', 'second'], port })
  await until('it is subscribed to again', () => (back.subscribed().includes('file:///a') ? true : undefined), {
    seconds: 60,
  })
  back.update('file:///a')
  await stream.hears(UPDATED)
  await stream.hears(TOOLS)
  stream.close()
  await back.stop()
})

test('the official client listens', async () => {
  const { url, token } = await newAgent('modern')
  const heard: string[] = []
  const client = new Client(
    { name: 'sdk-2', version: '2.0.0' },
    { versionNegotiation: { mode: { pin: MODERN_VERSION } } },
  )
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  )
  client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'))
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri))
  const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: ['file:///a'] })
  assert.equal(subscription.honoredFilter, { toolsListChanged: true, resourceSubscriptions: ['file:///a'] })
  await client.callTool({ name: 'change', arguments: {} })
  of('modern').update('file:///a')
  await until('both are told', () => (heard.length >= 2 ? true : undefined))
  assert.equal(heard.toSorted(), ['file:///a', 'tools'])
  await subscription.close()
  await client.close()
})

test('a gateway that stops ends it in order, with a result under its id', async () => {
  const own = await startGateway({
    yaml: `version: 1\nservers: { s: { url: ${JSON.stringify(of('modern').url)} } }\ngateways: { g: { servers: [{ server: s }] } }\n`,
  })
  const agent = await own.mintToken({ gateway: 'g', host: 'agent' })
  const stream = await openListen(agent, { toolsListChanged: true }, 'last')
  await stream.hears(ACK)
  await own.stop()
  await stream.ended()
  const last = stream.messages().at(-1)
  assert.equal([last.id, last.result.resultType, last.result._meta[META.subscriptionId]], ['last', 'complete', 'last'])
})

test.run()
