// time-limit: 180
import { rm } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase } from '../database.js'
import { call, legacy } from '../door.js'
import { makeHome, startGateway, type Access, type RunningGateway } from '../gateway.js'
import { startRealServers, type RealServers } from '../real-servers.js'
import { assertFourLegs } from './walk.js'

let servers: RealServers
test.before(async () => {
  servers = await startRealServers()
})
test.after(() => servers.stop())

const houseOf = (...assignments: readonly string[]) => `version: 1
servers:${servers.yaml}gateways:
  house: { servers: [${assignments.map((one) => `{ ${one} }`).join(', ')}] }
`

async function namesOf(access: Access, method: string): Promise<readonly string[]> {
  const { json } = await legacy(access, { method })
  const entries = Object.values(json.result as Record<string, unknown>).find(Array.isArray) as { name: string }[]
  return entries.map(({ name }) => name)
}

const agentOf = (gateway: RunningGateway, host = 'agent') => gateway.mintToken({ gateway: 'house', host })

test('a list has two legs for the client and two for each server that has such a list', async () => {
  const gateway = await startGateway({
    yaml: houseOf('server: everything', 'server: everything-http', 'server: files'),
  })
  const access = await agentOf(gateway)
  await legacy(access, { method: 'tools/list' })
  await legacy(access, { method: 'prompts/list' })
  const [tools, prompts] = await gateway.recorded(access)
  const pair = (name: string) => [`mcp_request_success ${name}`, `mcp_response_success ${name}`]
  const around = (...pairs: readonly string[][]) => [
    'proxy_request_success null',
    ...pairs.flat(),
    'proxy_response_success null',
  ]
  const shown = (legs: NonNullable<typeof tools>['legs'] = []) =>
    legs.map((leg) => `${leg.log_type} ${leg.inbound_server_name}`)
  assert.equal(shown(tools?.legs), around(pair('everything'), pair('everything-http'), pair('files')))
  assert.equal(shown(prompts?.legs), around(pair('everything'), pair('everything-http')), 'files offers no prompts')
  await gateway.stop()
})

test('the same server twice answers under both of its names, and the record knows the one server', async () => {
  const gateway = await startGateway({
    yaml: houseOf('server: everything-http, as: first', 'server: everything-http, as: second'),
  })
  const access = await agentOf(gateway)
  const names = await namesOf(access, 'tools/list')
  assert.ok(names.includes('echo') && names.includes('second__echo'))
  for (const name of ['echo', 'second__echo']) {
    const { json } = await legacy(access, call(name, { message: name }))
    assert.is(json.result.content[0].text, `Echo: ${name}`)
  }
  const calls = (await gateway.recorded(access)).filter(({ method }) => method === 'tools/call')
  assert.is(calls.length, 2)
  for (const message of calls)
    assertFourLegs(message, {
      method: 'tools/call',
      own: 'echo',
      server: 'everything-http',
      host: 'agent',
      gateway: 'house',
    })
  await gateway.stop()
})

test('names survive a restart, a new order and newcomers', async () => {
  const [database, home] = [await testDatabase(), await makeHome()]
  const stays = { home, databaseUrl: database.url }
  const before = await startGateway({
    ...stays,
    yaml: houseOf('server: everything', 'server: everything-http, as: web'),
  })
  const first = await agentOf(before)
  const names = await namesOf(first, 'tools/list')
  const prompts = await namesOf(first, 'prompts/list')
  assert.ok(names.includes('echo') && names.includes('web__echo'))
  await before.stop()

  const assignments = ['server: everything, as: late', 'server: everything-http, as: web', 'server: everything']
  const after = await startGateway({ ...stays, yaml: houseOf(...assignments) })
  const access = { ...first, url: `${after.url}/mcp/house` }
  const now = await namesOf(access, 'tools/list')
  assert.equal(now.filter((name) => !name.startsWith('late__')).toSorted(), names.toSorted())
  assert.ok(now.includes('late__echo'), 'the newcomer bears its prefix, wherever it stands')
  const nowPrompts = await namesOf(access, 'prompts/list')
  assert.equal(nowPrompts.filter((name) => !name.startsWith('late__')).toSorted(), prompts.toSorted())
  await legacy(access, call('web__echo', { message: 'x' }))
  await legacy(access, call('echo', { message: 'x' }))
  const servedBy = (await after.recorded(access))
    .filter(({ method }) => method === 'tools/call')
    .map(({ legs }) => legs[1]?.inbound_server_name)
  assert.equal(servedBy, ['everything-http', 'everything'])
  await after.stop()
  await rm(home, { recursive: true, force: true })
  await database.drop()
})

test.run()
