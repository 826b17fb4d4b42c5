// time-limit: 180
import type { JsonObject } from '@gatehouse/sdk'
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FORM, heldServer, text, type HeldServer } from '../bridge/held-server.js'
import { changingServer, type ChangingServer } from '../changing-server.js'
import { assertFourLegs } from '../first-call/walk.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { olderClient } from './older-client.js'

const capabilities = { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} }

let held: HeldServer
let changing: ChangingServer
let gateway: RunningGateway
let agents = 0
test.before(async () => {
  held = await heldServer()
  changing = await changingServer({ era: 'legacy', capabilities, tools: ['first'], resources: ['file:///a'] })
  gateway = await startGateway({
    yaml: `version: 1
servers:
  held: { url: ${JSON.stringify(held.url)} }
  changing: { url: ${JSON.stringify(changing.url)} }
gateways:
  held: { legacySse: true, servers: [{ server: held }] }
  changing: { legacySse: true, servers: [{ server: changing }] }
`,
  })
})
test.after(async () => {
  await gateway.stop()
  await held.stop()
  await changing.stop()
})

const newAgent = (at: string): Promise<Access> => gateway.mintToken({ gateway: at, host: `agent-${(agents += 1)}` })
const callHeld = (client: Client, said: string, options: Parameters<Client['callTool']>[2] = {}) =>
  client.callTool({ name: 'act', arguments: { text: said } }, undefined, options)
const SAMPLING = { messages: [{ role: 'user', content: { type: 'text', text: 'Hi' } }], maxTokens: 10 }

test('a call is listed, told of and answered on the one stream, and has four legs on record', async () => {
  const access = await newAgent('held')
  const client = await olderClient(access)
  assert.equal(
    (await client.listTools()).tools.map(({ name }) => name),
    ['act', 'other'],
  )
  const progress: number[] = []
  const calling = callHeld(client, 'progress', { onprogress: (told) => void progress.push(told.progress) })
  const call = await held.call('progress')
  const { _meta } = call.seen.body['params'] as { _meta: JsonObject }
  for (const n of [1, 2])
    call.say({ method: 'notifications/progress', params: { progressToken: _meta['progressToken'], progress: n } })
  await until('it is told', () => (progress.length === 2 ? true : undefined))
  call.answer(text('done'))
  assert.equal((await calling).content, text('done').content)
  assert.equal(progress, [1, 2])
  await client.close()
  const [recorded] = (await gateway.recorded(access)).filter(({ method }) => method === 'tools/call')
  assertFourLegs(recorded, { method: 'tools/call', own: 'act', server: 'held', host: access.host, gateway: 'held' })
  assert.is(recorded?.legs[0]?.protocol_version, '2024-11-05')
})

test('answers come as they are ready, each to its own call', async () => {
  const client = await olderClient(await newAgent('held'))
  const calls = ['one', 'two', 'three'].map((said) => callHeld(client, said))
  for (const said of ['three', 'one', 'two']) (await held.call(said)).answer(text(`to ${said}`))
  const answers = await Promise.all(calls)
  assert.equal(
    answers.map(({ content }) => content),
    ['to one', 'to two', 'to three'].map((said) => text(said).content),
  )
  await client.close()
})

test('a server asks the model of the client, and for its roots; forms are not of this version', async () => {
  const asked: string[] = []
  const client = await olderClient(await newAgent('held'), {
    capabilities: { sampling: {}, roots: { listChanged: true }, elicitation: {} },
    prepare(own) {
      own.setRequestHandler(CreateMessageRequestSchema, () => {
        asked.push('sampling')
        return { role: 'assistant' as const, model: 'm', content: { type: 'text' as const, text: 'Hello' } }
      })
      own.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///mine' }] }))
      own.setRequestHandler(ElicitRequestSchema, () => (asked.push('elicitation'), { action: 'decline' as const }))
    },
  })
  const calling = callHeld(client, 'asking')
  const call = await held.call('asking')
  const opened = held.seen.filter(({ body }) => body['method'] === 'initialize').at(-1)
  const { capabilities: told } = (opened?.body['params'] ?? {}) as { capabilities?: JsonObject }
  assert.equal(Object.keys(told ?? {}), ['sampling', 'roots'])
  call.ask('q1', 'sampling/createMessage', SAMPLING)
  assert.equal(((await held.answered('q1'))['result'] as JsonObject)['content'], { type: 'text', text: 'Hello' })
  call.ask('q2', 'roots/list')
  assert.equal((await held.answered('q2'))['result'], { roots: [{ uri: 'file:///mine' }] })
  call.ask('q3', 'elicitation/create', FORM)
  assert.ok('error' in (await held.answered('q3')))
  assert.equal(asked, ['sampling'])
  await client.sendRootsListChanged()
  await until('its server is told', () =>
    held.seen.find(({ body }) => body['method'] === 'notifications/roots/list_changed'),
  )
  call.answer(text('asked'))
  assert.equal((await calling).content, text('asked').content)
  await client.close()
})

test('a call that is taken back is taken back at its server, and the stream goes on', async () => {
  const client = await olderClient(await newAgent('held'))
  const abort = new AbortController()
  const calling = callHeld(client, 'taken back', { signal: abort.signal }).catch(() => 'aborted')
  const call = await held.call('taken back')
  abort.abort()
  assert.is(await calling, 'aborted')
  await held.cancelled(call)
  const again = callHeld(client, 'after it')
  ;(await held.call('after it')).answer(text('well'))
  assert.equal((await again).content, text('well').content)
  await client.close()
})

test('a client that closes its stream takes back its calls and the questions of their servers', async () => {
  const client = await olderClient(await newAgent('held'), {
    capabilities: { sampling: {} },
    prepare: (own) => own.setRequestHandler(CreateMessageRequestSchema, () => new Promise<never>(() => undefined)),
  })
  const calls = ['left', 'left asking'].map((said) => callHeld(client, said).catch(() => 'gone'))
  const [left, asking] = [await held.call('left'), await held.call('left asking')]
  asking.ask('unanswered', 'sampling/createMessage', SAMPLING)
  await client.close()
  await held.cancelled(left)
  await held.cancelled(asking)
  assert.equal(await Promise.all(calls), ['gone', 'gone'])
})

test('what changes at a server is told on the stream, as the client has asked', async () => {
  const heard: string[] = []
  const client = await olderClient(await newAgent('changing'), {
    prepare(own) {
      own.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.push('tools'))
      own.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri))
      own.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params.level))
    },
  })
  const hears = (what: string) => until(`it hears ${what}`, () => (heard.includes(what) ? true : undefined))
  assert.ok(client.getServerCapabilities()?.tools?.listChanged)
  await client.listTools()
  changing.addTool('second')
  await hears('tools')
  assert.ok((await client.listTools()).tools.some(({ name }) => name === 'second'))
  await client.subscribeResource({ uri: 'file:///a' })
  await until('its server knows', () => (changing.subscribed().length > 0 ? true : undefined))
  changing.update('file:///a')
  await hears('file:///a')
  await client.setLoggingLevel('warning')
  await client.close()
})

test.run()
