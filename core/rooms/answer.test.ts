import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { LegacySession } from '../call.js'
import { plan } from '../upstream/catalog-testing.js'
import { createAnswer } from './answer.js'
import { inSession } from './testing.js'

const OFFER = {
  capabilities: { tools: { listChanged: true }, completions: {}, extensions: { 'io.modelcontextprotocol/ui': {} } },
  instructions: '## CRM\n\nBe kind.',
}

function answering(offer: { capabilities: JsonObject; instructions: string | null } = OFFER) {
  const opened: Omit<LegacySession, 'id'>[] = []
  const answer = createAnswer({
    version: '1.2.3',
    offer: async () => offer,
    openSession: async (session) => (opened.push(session), { id: 'session-1', ...session }),
  })
  const house = plan(['crm'])
  const initialize = async (protocolVersion: string) =>
    answer(inSession(house, { method: 'initialize', params: { protocolVersion, capabilities: { roots: {} } } }))
  return { opened, initialize, discover: () => answer(inSession(house, { method: 'server/discover', era: 'modern' })) }
}

test('initialize says what the servers offer and how they are to be used, and opens a session', async () => {
  const { initialize, opened } = answering()
  const { result, headers } = await initialize('2025-11-25')
  assert.equal(result['capabilities'], OFFER.capabilities)
  assert.is(result['instructions'], OFFER.instructions)
  assert.equal(result['serverInfo'], { name: 'gatehouse', title: 'Gatehouse', version: '1.2.3' })
  assert.is(headers['mcp-session-id'], 'session-1')
  assert.equal(opened[0]?.capabilities, { roots: {} })
})

for (const [version, keys] of [
  ['2024-11-05', ['tools']],
  ['2025-03-26', ['tools', 'completions']],
  ['2025-06-18', ['tools', 'completions']],
  ['2025-11-25', ['tools', 'completions', 'extensions']],
] as const)
  test(`a client of ${version} is offered what its revision knows`, async () => {
    const { result } = await answering().initialize(version)
    assert.is(result['protocolVersion'], version)
    assert.equal(Object.keys(result['capabilities'] as JsonObject), keys)
  })

test('server/discover says the same to a modern client', async () => {
  const { result } = await answering().discover()
  assert.equal(result['capabilities'], OFFER.capabilities)
  assert.is(result['instructions'], OFFER.instructions)
  assert.equal([result['ttlMs'], result['cacheScope']], [60_000, 'private'])
})

test('without instructions there is no such key', async () => {
  const { initialize, discover } = answering({ ...OFFER, instructions: null })
  for (const { result } of [await initialize('2025-11-25'), await discover()]) assert.not.ok('instructions' in result)
})

test.run()
