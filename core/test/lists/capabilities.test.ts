// time-limit: 120
import { rm } from 'node:fs/promises'
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { changingServer, type ChangingServer } from '../changing-server.js'
import { testDatabase } from '../database.js'
import { legacy, modern } from '../door.js'
import { makeHome, startGateway, type Access, type RunningGateway } from '../gateway.js'

let crm: ChangingServer
let files: ChangingServer
let gateway: RunningGateway
let agents = 0
const newAgent = (at: string): Promise<Access> => gateway.mintToken({ gateway: at, host: `agent-${(agents += 1)}` })

test.before(async () => {
  const tools = { tools: { listChanged: true } }
  crm = await changingServer({ era: 'modern', capabilities: tools, instructions: 'Ask for names first.' })
  files = await changingServer({
    era: 'legacy',
    capabilities: { ...tools, resources: { subscribe: true }, logging: {} },
    instructions: 'Read before you write.',
    resources: ['file:///a'],
  })
  gateway = await startGateway({
    yaml: `version: 1
servers:
  crm: { url: ${JSON.stringify(crm.url)}, title: The CRM }
  files: { url: ${JSON.stringify(files.url)} }
  hung: { url: "http://127.0.0.1:9/mcp" }
gateways:
  both: { servers: [{ server: crm }, { server: files }] }
  plain: { servers: [{ server: crm }] }
  mine: { servers: [{ server: crm }, { server: files, identity: per-user }] }
  broken: { servers: [{ server: crm }, { server: hung }] }
`,
  })
})
test.after(async () => {
  await gateway.stop()
  await crm.stop()
  await files.stop()
})

const initialize = async (access: Access, protocolVersion = '2025-11-25') => {
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 'door-test', version: '1' } }
  return (await legacy(access, { method: 'initialize', params })).json.result as JsonObject
}
const discover = async (access: Access) =>
  (await modern(access, { method: 'server/discover' })).json.result as JsonObject
const CHANGING = { listChanged: true }

test('initialize and discover answer what the servers have together', async () => {
  const agent = await newAgent('both')
  // On a busy machine a server is not heard within the moment that initialize waits: it is known from its list on.
  await legacy(agent, { method: 'tools/list' })
  for (const result of [await initialize(agent), await discover(agent)]) {
    assert.equal(result['capabilities'], {
      tools: CHANGING,
      resources: { listChanged: true, subscribe: true },
      logging: {},
    })
    const said = '## The CRM\n\nAsk for names first.\n\n## files\n\nRead before you write.'
    assert.is(result['instructions'], said)
  }
})

test('what a server has that the caller may not use is not offered', async () => {
  const agent = await newAgent('mine')
  await legacy(agent, { method: 'tools/list' })
  const result = await initialize(agent)
  assert.equal(result['capabilities'], { tools: CHANGING })
  assert.not.match(String(result['instructions']), 'Read before')
})

test('a dead server delays nobody, and may have anything that a gateway always has', async () => {
  const agent = await newAgent('broken')
  await legacy(agent, { method: 'tools/list' })
  const started = Date.now()
  assert.equal((await discover(agent))['capabilities'], { tools: CHANGING, prompts: CHANGING, resources: CHANGING })
  assert.ok(Date.now() - started < 2_000)
  const { json } = await legacy(agent, { method: 'prompts/list' })
  assert.equal(json.result.prompts, [])
  assert.is(json.result._meta['gatehouse/servers'][0].server, 'hung')
})

test('a method that no server has is unknown, to each era in its own way', async () => {
  const agent = await newAgent('plain')
  await legacy(agent, { method: 'tools/list' })
  for (const message of [
    { method: 'prompts/list' },
    { method: 'resources/read', params: { uri: 'file:///a' } },
    { method: 'completion/complete', params: { ref: { type: 'ref/prompt', name: 'x' }, argument: {} } },
  ]) {
    const [old, fresh] = [await legacy(agent, message), await modern(agent, message)]
    assert.equal([old.status, old.json.error.code], [200, -32601], message.method)
    assert.equal([fresh.status, fresh.json.error.code], [404, -32601], message.method)
  }
  assert.is((await modern(agent, { method: 'tools/call', params: { name: 'no' } })).json.error.code, -32602)
})

test('what a server has is known after a restart, though it is away', async () => {
  const [home, database] = [await makeHome(), await testDatabase()]
  const start = (yaml?: string) =>
    startGateway({ home, databaseUrl: database.url, ...(yaml === undefined ? {} : { yaml }) })
  const own = await changingServer({ era: 'legacy', capabilities: { tools: {}, logging: {} }, instructions: 'Hello.' })
  const yaml = `version: 1\nservers: { own: { url: ${JSON.stringify(own.url)} } }\ngateways: { one: { servers: [{ server: own }] } }\n`
  const before = await start(yaml)
  const agent = await before.mintToken({ gateway: 'one', host: 'agent' })
  await legacy(agent, { method: 'tools/list' })
  const said = await initialize(agent)
  await before.stop()
  await own.stop()
  const after = await start(yaml)
  try {
    const again = await after.mintToken({ gateway: 'one', host: 'agent' })
    const result = await initialize(again)
    assert.equal(result['capabilities'], { tools: CHANGING, logging: {} })
    assert.equal([result['capabilities'], result['instructions']], [said['capabilities'], said['instructions']])
    const { json } = await legacy(again, { method: 'prompts/list' })
    assert.is(json.error.data?.reason ?? json.error.code, 'server_unreachable', 'a server that is down is no -32601')
  } finally {
    await after.stop()
    await rm(home, { recursive: true, force: true })
    await database.drop()
  }
})

test.run()
