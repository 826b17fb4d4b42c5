// time-limit: 180
import { rm } from 'node:fs/promises'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import type { Era } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { changingServer, type ChangingServer } from '../changing-server.js'
import { testDatabase } from '../database.js'
import { call, legacy, modern, openSession } from '../door.js'
import { makeHome, startGateway, type Access, type RunningGateway } from '../gateway.js'
import { openStanding } from '../streams.js'
import { until } from '../until.js'

const UPDATED = 'notifications/resources/updated'
const TOOLS = 'notifications/tools/list_changed'
const capabilities = {
  ...{ tools: { listChanged: true }, logging: {} },
  resources: { subscribe: true, listChanged: true },
}
const resources = ['file:///a', 'file:///b']
const eras: readonly Era[] = ['legacy', 'modern']

const servers = new Map<Era, ChangingServer>()
let plain: ChangingServer
let gateway: RunningGateway
let agents = 0
const newAgent = (at: string): Promise<Access> => gateway.mintToken({ gateway: at, host: `agent-${(agents += 1)}` })
const of = (era: Era) => servers.get(era) as ChangingServer

test.before(async () => {
  for (const era of eras) servers.set(era, await changingServer({ era, capabilities, resources }))
  plain = await changingServer({ era: 'legacy', capabilities: { tools: {}, resources: {} }, resources: ['plain:1'] })
  const urls = eras.map((era) => `  ${era}: { url: ${JSON.stringify(of(era).url)} }\n`)
  gateway = await startGateway({
    yaml: `version: 1
servers:
${urls.join('')}  plain: { url: ${JSON.stringify(plain.url)} }
gateways:
  both: { prefix: always, servers: [{ server: legacy }, { server: modern }, { server: plain }] }
  legacy: { servers: [{ server: legacy }] }
  plain: { servers: [{ server: plain }] }
  masked:
    servers: [{ server: legacy }]
    rules: [{ name: no a, engine: regex, hook: request, patterns: ['file:///a'], action: block, features: ["resource:*"] }]
`,
  })
})
test.after(async () => {
  await gateway.stop()
  await plain.stop()
  for (const server of servers.values()) await server.stop()
})

const ask = async (access: Access, session: string, method: string, params: object = {}) =>
  (await legacy(access, { method, params: params as never }, { session })).json

for (const era of eras) {
  test(`${era} server: a session hears of the resource that it subscribed to, until it unsubscribes`, async () => {
    const agent = await newAgent('both')
    const session = await openSession(agent)
    const stream = await openStanding(agent, session)
    const uri = `gh+${era}+file:///a`
    assert.equal((await ask(agent, session, 'resources/subscribe', { uri })).result, {})
    assert.equal(of(era).subscribed(), ['file:///a'], 'the server knows before the client is answered')
    of(era).update('file:///b')
    of(era).update('file:///a')
    assert.equal((await stream.hears(UPDATED)).params, { uri })
    assert.equal((await ask(agent, session, 'resources/unsubscribe', { uri })).result, {})
    if (era === 'legacy')
      await until('the server is told', () => (of(era).subscribed().length === 0 ? true : undefined))
    of(era).update('file:///a')
    of(era).addTool(`behind-it-${era}`)
    await stream.hears(TOOLS)
    assert.is(stream.messages().filter(({ method }) => method === UPDATED).length, 1)
    stream.close()
  })

  test(`${era} server: a session with a standing stream hears that its tools have changed`, async () => {
    const agent = await newAgent('both')
    const session = await openSession(agent)
    const stream = await openStanding(agent, session)
    await until('the server is listened to', () => (of(era).listening() > 0 ? true : undefined))
    const { result } = await ask(agent, session, 'tools/call', { name: `${era}__change`, arguments: {} })
    assert.ok(result)
    assert.is((await stream.hears(TOOLS)).params, undefined)
    const { tools } = (await ask(agent, session, 'tools/list')).result
    assert.ok(tools.some(({ name }: { name: string }) => name.startsWith(`${era}__made-`)))
    stream.close()
  })
}

test('a session that ends lets go of what it subscribed to', async () => {
  const agent = await newAgent('legacy')
  const [one, two] = [await openSession(agent), await openSession(agent)]
  for (const session of [one, two]) await ask(agent, session, 'resources/subscribe', { uri: 'file:///b' })
  const held = () =>
    of('legacy')
      .subscribed()
      .filter((uri) => uri === 'file:///b').length
  assert.is(held(), 1, 'two sessions are one to the server')
  const end = (session: string) =>
    fetch(agent.url, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${agent.token}`, 'mcp-session-id': session },
    })
  await end(one)
  assert.equal((await ask(agent, two, 'ping')).result, {})
  assert.is(held(), 1)
  await end(two)
  await until('it is let go of', () => (held() === 0 ? true : undefined))
})

test('a resource that there is not, or that a rule keeps from being read, cannot be subscribed to', async () => {
  const agent = await newAgent('both')
  const session = await openSession(agent)
  const unknown = (await ask(agent, session, 'resources/subscribe', { uri: 'gh+nobody+x:1' })).error
  assert.equal([unknown.code, unknown.data.uri], [-32002, 'gh+nobody+x:1'])
  assert.is((await ask(agent, session, 'resources/subscribe', { uri: 7 })).error.code, -32602)
  const masked = await newAgent('masked')
  const { error } = await ask(masked, await openSession(masked), 'resources/subscribe', { uri: 'file:///a' })
  assert.is(error.data.reason, 'blocked_by_rule')
})

test('a server that tells of no updates refuses, and where no server does there is no such method', async () => {
  const both = await newAgent('both')
  const refused = await ask(both, await openSession(both), 'resources/subscribe', { uri: 'gh+plain+plain:1' })
  assert.is(refused.error.code, -32602)
  const agent = await newAgent('plain')
  const session = await openSession(agent)
  for (const [method, params] of [
    ['resources/subscribe', { uri: 'plain:1' }],
    ['resources/unsubscribe', { uri: 'plain:1' }],
    ['logging/setLevel', { level: 'info' }],
  ] as const)
    assert.is((await ask(agent, session, method, params)).error.code, -32601, method)
})

test('a level that there is is taken, another is refused', async () => {
  const agent = await newAgent('both')
  const session = await openSession(agent)
  assert.equal((await ask(agent, session, 'logging/setLevel', { level: 'debug' })).result, {})
  assert.is((await ask(agent, session, 'logging/setLevel', { level: 'loud' })).error.code, -32602)
})

test('without a session these methods need one, and the modern era has none of them', async () => {
  const agent = await newAgent('both')
  for (const [method, params] of [
    ['resources/subscribe', { uri: 'gh+legacy+file:///a' }],
    ['resources/unsubscribe', { uri: 'gh+legacy+file:///a' }],
    ['logging/setLevel', { level: 'info' }],
  ] as const) {
    const { status, json } = await legacy(agent, { method, params })
    assert.equal([status, json.error.code], [400, -32600], method)
    const fresh = await modern(agent, { method, params })
    assert.equal([fresh.status, fresh.json.error.code], [404, -32601], method)
  }
})

test('what a session has set outlives a restart of the gateway, and of the server', async () => {
  const [home, database] = [await makeHome(), await testDatabase()]
  const own = await changingServer({ era: 'legacy', capabilities, resources })
  const yaml = `version: 1\nservers: { s: { url: ${JSON.stringify(own.url)} } }\ngateways: { g: { servers: [{ server: s }] } }\n`
  const before = await startGateway({ home, databaseUrl: database.url, yaml })
  const agent = await before.mintToken({ gateway: 'g', host: 'agent' })
  const session = await openSession(agent)
  await ask(agent, session, 'resources/subscribe', { uri: 'file:///a' })
  await before.stop()
  await own.stop()
  const back = await changingServer({ era: 'legacy', capabilities, resources, port: own.port })
  const after = await startGateway({ home, databaseUrl: database.url, yaml })
  try {
    const again = { ...agent, url: agent.url.replace(/:\d+\//, `:${new URL(after.url).port}/`) }
    const stream = await openStanding(again, session)
    assert.is(stream.status, 200)
    await until('it is subscribed to', () => (back.subscribed().includes('file:///a') ? true : undefined))
    back.update('file:///a')
    assert.equal((await stream.hears(UPDATED)).params, { uri: 'file:///a' })
    stream.close()
  } finally {
    await after.stop()
    await back.stop()
    await rm(home, { recursive: true, force: true, maxRetries: 5 })
    await database.drop()
  }
})

test('the first official client subscribes and is told', async () => {
  const { url, token } = await newAgent('both')
  const heard: string[] = []
  const client = new Client({ name: 'sdk-1', version: '1.0.0' })
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri))
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push('tools'))
  const init = { requestInit: { headers: { authorization: `Bearer ${token}` } } }
  await client.connect(new StreamableHTTPClientTransport(new URL(url), init) as Transport)
  const { name, arguments: none } = call('legacy__change')['params'] as { name: string; arguments: object }
  await client.setLoggingLevel('warning')
  await client.subscribeResource({ uri: 'gh+modern+file:///b' })
  of('modern').update('file:///b')
  await until('the update is told', () => (heard.includes('gh+modern+file:///b') ? true : undefined))
  await client.callTool({ name, arguments: { ...none } })
  await until('the change is told', () => (heard.includes('tools') ? true : undefined))
  await client.unsubscribeResource({ uri: 'gh+modern+file:///b' })
  await client.close()
})

test.run()
