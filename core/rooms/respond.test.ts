import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Released, Reply } from '../call.js'
import { ERRORS, GatehouseError, type ErrorCode } from '../errors.js'
import { plan } from '../upstream/catalog-testing.js'
import { createRespond } from './respond.js'
import { inbound, routed } from './testing.js'

const METADATA = 'https://gate.example.com/.well-known/oauth-protected-resource/mcp'
const respond = createRespond((name) => (name === null ? METADATA : `${METADATA}/${name}`))
const jsonOf = ({ text }: Reply) => JSON.parse(text ?? 'null')
const refused = (code: ErrorCode, facts: Parameters<typeof inbound>[0] = {}, error = {}) =>
  respond.refused(inbound(facts), new GatehouseError(code, error))

const released = (facts: Parameters<typeof inbound>[0], rest: Partial<Released>): Released =>
  ({
    ...routed(plan(['crm']), 'gh+crm+file:///a', facts),
    reply: { era: 'modern' },
    result: null,
    error: null,
    ...rest,
  }) as unknown as Released

test('every failure is answered with the status and the code of the catalogue', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const { reply } = refused(code, { era: 'modern', method: 'prompts/get' })
    const { error, id, jsonrpc } = jsonOf(reply)
    assert.equal([reply.status, error.code, id, jsonrpc], [ERRORS[code].http, ERRORS[code].rpc, 1, '2.0'], code)
    const entry = ERRORS[code] as { readonly reason?: string }
    assert.is(error.data?.reason, entry.reason, code)
  }
})

test('what was not foreseen says nothing of itself', () => {
  const { reply, error } = respond.refused(inbound(), new Error('password=swordfish'))
  assert.equal([reply.status, error], [500, 'GH_INTERNAL'])
  assert.not.match(reply.text ?? '', /swordfish/)
})

test('detail and cause never leave', () => {
  const cause = new Error('swordfish')
  const { reply } = refused('GH_UPSTREAM_PROTOCOL', {}, { message: 'Server odd', detail: 'swordfish', cause })
  assert.not.match(JSON.stringify(reply), /swordfish/)
})

test('401 carries a challenge with the whole address of the metadata, and of other refusals the step-up alone', () => {
  const { reply: missing } = refused('GH_AUTHENTICATE_MISSING')
  assert.equal(missing.headers, { 'www-authenticate': `Bearer scope="mcp", resource_metadata="${METADATA}/g"` })
  const { reply: invalid } = refused('GH_AUTHENTICATE_INVALID', { gatewayName: null })
  assert.equal(invalid.headers, {
    'www-authenticate': `Bearer error="invalid_token", scope="mcp", resource_metadata="${METADATA}"`,
  })
  for (const code of Object.keys(ERRORS) as ErrorCode[])
    assert.is(
      'www-authenticate' in refused(code).reply.headers,
      ERRORS[code].http === 401 || code === 'GH_PERMIT_SCOPE',
      code,
    )
})

test('a token that lacks a scope is told all that the call needs, where a client asks for it', () => {
  const { reply } = refused('GH_PERMIT_SCOPE', {}, { data: { scope: 'mcp mcp:write' } })
  assert.equal(
    [reply.status, reply.headers],
    [
      403,
      {
        'www-authenticate': `Bearer error="insufficient_scope", scope="mcp mcp:write", resource_metadata="${METADATA}/g"`,
      },
    ],
  )
  assert.match(refused('GH_PERMIT_SCOPE').reply.headers['www-authenticate'] ?? '', / scope="mcp",/)
})

test('who asks for too much is told when to come back', () => {
  const { reply } = refused('GH_DOOR_BUSY', { era: 'modern' }, { data: { retryAfterMs: 1_500 } })
  assert.equal([reply.status, reply.headers], [429, { 'retry-after': '2' }])
})

test('who may not come in is on record as refused, without a body', () => {
  for (const code of [
    'GH_AUTHENTICATE_MISSING',
    'GH_AUTHENTICATE_INVALID',
    'GH_AUTHENTICATE_DISABLED',
    'GH_PERMIT_REFUSED',
    'GH_PERMIT_SCOPE',
  ] as const) {
    const { outcome, keepsBody } = refused(code)
    assert.equal([outcome, keepsBody], ['auth_refused', false], code)
  }
})

test('a blocked tool call is a result that a model can read, in the form of its era', () => {
  const blocked = (era: 'legacy' | 'modern') => refused('GH_INSPECT_BLOCKED', { era }, { message: 'Blocked by policy' })
  const result = { content: [{ type: 'text', text: 'Blocked by policy' }], isError: true }
  assert.equal(jsonOf(blocked('legacy').reply), { jsonrpc: '2.0', id: 1, result })
  assert.equal(jsonOf(blocked('modern').reply).result, { ...result, resultType: 'complete' })
  assert.is(blocked('legacy').reply.status, 200)
})

test('a block of any other method is an error that says what blocked', () => {
  const { reply } = refused('GH_INSPECT_BLOCKED', { method: 'resources/read' }, { data: { rule: 'No' } })
  assert.equal(jsonOf(reply).error.data, { reason: 'blocked_by_rule', rule: 'No' })
  assert.is(jsonOf(reply).error.code, -32603)
})

test('the record tells a block from a check that could not be completed', () => {
  assert.is(refused('GH_INSPECT_BLOCKED', {}, { detail: 'blocked' }).outcome, 'policy_enforced_abort')
  assert.is(refused('GH_INSPECT_BLOCKED', {}, { detail: 'undecided' }).outcome, 'policy_enforced_error')
  assert.is(refused('GH_PERMIT_DISABLED').outcome, 'gateway_feature_blocked')
})

test('an unknown resource is -32002 to the legacy era and -32602 to the modern one', () => {
  const unknown = (era: 'legacy' | 'modern') =>
    jsonOf(refused('GH_ROUTE_RESOURCE', { era, method: 'resources/read' }, { data: { uri: 'file:///a' } }).reply).error
  assert.equal([unknown('legacy').code, unknown('legacy').data], [-32002, { uri: 'file:///a' }])
  assert.is(unknown('modern').code, -32602)
})

for (const [from, said, to, code] of [
  ['legacy', -32002, 'legacy', -32002],
  ['legacy', -32602, 'legacy', -32002],
  ['legacy', -32002, 'modern', -32602],
  ['legacy', -32602, 'modern', -32602],
  ['modern', -32602, 'legacy', -32002],
  ['modern', -32602, 'modern', -32602],
] as const)
  test(`a ${from} server's ${said} of a resource reads as the ${to} era says it, under the client's own URI`, () => {
    const error = { code: said, message: 'no', data: { uri: 'file:///a' } }
    const reply = { era: from } as Released['reply']
    const { reply: answer } = respond.released(released({ era: to, method: 'resources/read' }, { error, reply }))
    assert.equal(jsonOf(answer).error, { code, message: 'no', data: { uri: 'gh+crm+file:///a' } })
    assert.is(answer.status, 200)
  })

test('an unknown resource has its URI even where the server did not say it', () => {
  const error = { code: -32602, message: 'no' }
  const reply = { era: 'legacy' } as Released['reply']
  const answer = respond.released(released({ method: 'resources/read', era: 'legacy' }, { error, reply })).reply
  assert.equal(jsonOf(answer).error, { code: -32002, message: 'no', data: { uri: 'gh+crm+file:///a' } })
})

test('bad params of other methods, and other errors of a resource, are passed on as they were said', () => {
  const reply = { era: 'legacy' } as Released['reply']
  for (const [method, code] of [
    ['tools/call', -32602],
    ['prompts/get', -32602],
    ['resources/read', -32603],
  ] as const) {
    // prettier-ignore
    const error = { code, message: 'bad' }
    const answer = respond.released(released({ method, era: 'legacy' }, { error, reply })).reply
    assert.equal(jsonOf(answer).error, error)
  }
})

const VISIT = { elicitations: [{ mode: 'url', url: 'https://a.example/x', elicitationId: 'e', message: 'Sign in' }] }
const mustVisit = (facts: Parameters<typeof inbound>[0], data: unknown = VISIT) =>
  respond.released(released({ era: 'legacy', ...facts }, { error: { code: -32042, message: 'Sign in first', data } }))

test('a URL that must be visited first is an error to the revision that knows it', () => {
  const { reply } = mustVisit({ version: '2025-11-25' })
  assert.equal(jsonOf(reply).error, { code: -32042, message: 'Sign in first', data: VISIT })
})

test('to an older one it is a result with the URL in it, on record as an error of its server', () => {
  for (const version of ['2025-06-18', '2025-03-26', '2024-11-05']) {
    const { reply, rpcError, error, outcome } = mustVisit({ version })
    const { result } = jsonOf(reply)
    assert.is(result.isError, true)
    assert.match(result.content[0].text, /^Sign in first.*https:\/\/a\.example\/x/s)
    assert.equal([rpcError, error, outcome], [-32042, 'upstream_error', 'proxy_response_error'])
  }
  for (const data of [null, {}, { elicitations: 'x' }, { elicitations: [null, { url: 7 }] }])
    assert.is(jsonOf(mustVisit({ version: '2025-06-18' }, data).reply).result.content[0].text, 'Sign in first')
  assert.is(jsonOf(mustVisit({ version: '2025-06-18', method: 'prompts/get' }).reply).error.code, -32042)
})

test('an error of a server goes on as it is, and is an error on record', () => {
  const error = { code: -32050, message: 'odd', data: { own: true } }
  const { reply, outcome, rpcError, error: recorded } = respond.released(released({}, { error }))
  assert.equal(jsonOf(reply), { jsonrpc: '2.0', id: 1, error })
  assert.equal([outcome, rpcError, recorded], ['proxy_response_error', -32050, 'upstream_error'])
})

test('the id comes back as it was sent, a text or a number', () => {
  for (const id of ['a"b', '', 0, -7]) {
    assert.is(jsonOf(respond.released(released({ id }, { result: {} })).reply).id, id)
    assert.is(jsonOf(respond.refused(inbound({ id }), new GatehouseError('GH_DOOR_PARAMS')).reply).id, id)
  }
})

test('an unknown method is 404 to the modern era and an ordinary answer to the legacy one', () => {
  assert.is(refused('GH_DOOR_UNKNOWN_METHOD', { era: 'modern' }).reply.status, 404)
  assert.is(refused('GH_DOOR_UNKNOWN_METHOD', { era: 'legacy' }).reply.status, 200)
})

test('a notification is taken without a word', () => {
  assert.equal(respond.accepted().reply, { status: 202, text: null, headers: {} })
})

test.run()
