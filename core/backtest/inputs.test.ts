import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Leg } from '../domain/record.js'
import { leg } from '../record/record.fixture.js'
import { originalText } from '../rules/originals.js'
import { inputOf, type InputsOptions } from './inputs.js'
import type { StoredCall } from './stored.js'

const WAY = { serverId: 'server-1', serverName: 'crm' }
const LEGS: readonly Leg[] = [
  leg(),
  leg({ type: 'mcp_request_success', ...WAY }),
  leg({ type: 'mcp_response_success', ...WAY }),
  leg({ type: 'proxy_response_success' }),
]
const stored = (facts: Partial<StoredCall> = {}): StoredCall => ({
  at: new Date(0),
  id: 'message-1',
  root_id: null,
  method: 'tools/call',
  rpc_id: '1',
  version: '2025-11-25',
  feature_type: 'tool',
  feature: 'find',
  user_id: null,
  user_email: null,
  host_id: null,
  host_name: null,
  outcome: 'proxy_response_success',
  legs: LEGS,
  request: null,
  request_cut: false,
  response: null,
  response_cut: false,
  sealed_request: null,
  sealed_request_bytes: null,
  sealed_response: null,
  sealed_response_bytes: null,
  ...facts,
})
const options = (facts: Partial<InputsOptions> = {}): InputsOptions => ({
  open: async (_place, box) => box.toString(),
  bodies: true,
  prefixesOf: () => ['crm-mine', 'crm-shared'],
  covers: () => true,
  ...facts,
})
const ABOUT = { prefix: 'crm-mine', serverSlug: 'crm', serverId: 'server-1', kind: 'tool', feature: 'find' } as const
const kept = async (facts: Partial<StoredCall>, which: 'request' | 'response', own: Partial<InputsOptions> = {}) =>
  (await inputOf(stored(facts), which, options(own)))?.kept

test('a request that no rule looked at is put into the terms of its server', async () => {
  const request = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"crm__find","arguments":{"q":1}}}'
  assert.equal(await inputOf(stored({ request }), 'request', options()), {
    ...ABOUT,
    kept: 'redacted',
    message: { name: 'find', arguments: { q: 1 } },
  })
})

test('a resource is put into the terms of its server', async () => {
  const request = '{"method":"resources/read","params":{"uri":"gh+crm+file:///a"}}'
  const call = stored({ request, feature_type: 'resource', feature: 'file:///a' })
  const found = await inputOf(call, 'request', options())
  assert.equal(found && 'message' in found && found.message, { uri: 'file:///a' })
})

test('of the names of a server, the one that a rule looks at counts', async () => {
  const request = '{"params":{"name":"find"}}'
  const found = await inputOf(stored({ request }), 'request', options({ covers: (_, { prefix }) => prefix === 'crm-shared' })) // prettier-ignore
  assert.is(found?.prefix, 'crm-shared')
})

test('a result is looked at as it stands, an error of the server as text all through', async () => {
  const result = await inputOf(stored({ response: '{"id":1,"result":{"content":[]}}' }), 'response', options())
  assert.equal(result, { ...ABOUT, kept: 'redacted', message: { content: [] } })
  const error = '{"id":1,"error":{"code":-1,"message":"no","data":{"a":1}}}'
  const legs = [leg(), leg({ type: 'mcp_response_error', rpcError: -1, ...WAY }), leg()]
  const told = await inputOf(stored({ response: error, legs }), 'response', options())
  assert.equal(told && 'message' in told && [told.shape, told.message], [
    'tool',
    { structuredContent: { message: 'no', data: { a: 1 } } },
  ])
})

test('what the gateway says in the place of an answer is no input', async () => {
  const own = [leg(), leg({ type: 'mcp_response_error', error: 'GH_UPSTREAM_TIMEOUT', ...WAY }), leg()]
  assert.is(await kept({ response: '{"error":{"message":"late"}}', legs: own }, 'response'), undefined)
  assert.is(await kept({ response: '{"result":{}}', legs: [leg()] }, 'response'), undefined)
  const blocked = { outcome: 'policy_enforced_abort', response: '{"result":{"isError":true}}' } as const
  assert.is(await kept(blocked, 'response'), 'blocked')
})

test('why nothing is kept is told apart', async () => {
  assert.is(await kept({}, 'request'), 'not_captured')
  assert.is(await kept({ request: '{"params":{"na', request_cut: true }, 'request'), 'too_long')
  assert.is(await kept({ request: 'no JSON' }, 'request'), 'unreadable')
  assert.is(await kept({ outcome: 'policy_enforced_abort', legs: [leg()] }, 'request'), 'blocked')
  const sealed = { outcome: 'policy_enforced_abort', sealed_request_bytes: '90' } as const
  assert.is(await kept(sealed, 'request', { bodies: false }), 'not_permitted')
  assert.is(await kept(sealed, 'request', { bodies: true }), 'too_long')
  const box = Buffer.from('box')
  assert.is(await kept({ ...sealed, sealed_request: box }, 'request', { open: async () => null }), 'unreadable')
})

test('the original is taken before what the rules left of it, and that where the original does not open', async () => {
  const about = { prefix: 'then', serverSlug: 'crm', kind: 'tool', feature: 'find' } as const
  const facts = {
    request: '{"params":{"name":"find","arguments":{"q":"***"}}}',
    sealed_request: Buffer.from(originalText(about, 'server-1', { name: 'find', arguments: { q: 'hush' } })),
    sealed_request_bytes: '90',
  }
  const found = await inputOf(stored(facts), 'request', options())
  assert.equal(found, {
    ...about,
    serverId: 'server-1',
    kept: 'original',
    message: { name: 'find', arguments: { q: 'hush' } },
  })
  assert.is(await kept(facts, 'request', { open: async () => null }), 'redacted')
})

test.run()
