import { createHash } from 'node:crypto'
import type { Principal, Receipt } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Trail, uuidv7, type Arrival } from './trail.js'

const arrival = (changes: Partial<Arrival> = {}): Arrival => ({
  at: Date.now(),
  method: 'tools/call',
  rpcId: '7',
  ip: '::1',
  userAgent: 'x',
  bytes: 42,
  ...changes,
})
const principal: Principal = {
  user: { id: 'u', email: 'a@example.com', name: 'A', teams: ['t1', 't2'], role: 'member', capabilities: new Set() },
  host: { id: 'h', name: 'Host', kind: 'token' },
  connection: { id: 'c', gatewayId: 'g' },
  attributes: {},
}
const receipt = (name: string): Receipt => ({
  rule_id: name,
  rule_version: 1,
  rule_name: name,
  engine: 'regex',
  hook: 'request',
  verdict: 'pass',
  action: null,
  shadow: false,
  findings: {},
  fell: null,
  ms: 0,
})
const names = (receipts: readonly Receipt[] | undefined) => receipts?.map((one) => one.rule_name)

test('a UUIDv7 carries its time, its version and its variant', () => {
  for (const at of [0, 1, 1_700_000_000_123, 2 ** 48 - 1]) {
    const id = uuidv7(at)
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.is(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), at)
  }
})

test('UUIDs of one millisecond differ, across the borders of the random pool too', () => {
  assert.is(new Set(Array.from({ length: 10_000 }, () => uuidv7(1))).size, 10_000)
})

test('a later UUID sorts behind', () => {
  const ids = [1, 2, 255, 256, 65_536, 1_700_000_000_000].map(uuidv7)
  assert.equal(ids.toSorted(), ids)
})

test('the random bits are random: each of the 74 is met as 0 and as 1', () => {
  const ones = new Set<number>()
  const zeros = new Set<number>()
  for (let n = 0; n < 200; n++) {
    const bits = BigInt(`0x${uuidv7(0).replaceAll('-', '')}`)
    for (let bit = 0; bit < 128; bit++) ((bits >> BigInt(bit)) & 1n ? ones : zeros).add(bit)
  }
  assert.is([...ones].filter((bit) => zeros.has(bit)).length, 74)
})

test('the legs keep the order in which they were written, after the one that opens', () => {
  const trail = new Trail(arrival(), 1_000)
  trail.leg('mcp_request_success', { offset: 5 })
  trail.leg('mcp_response_success', { durationMs: 3, bytes: 9, httpStatus: 200 })
  trail.opened(null)
  trail.leg('proxy_response_success', {})
  const record = trail.close('proxy_response_success', 200, null)
  assert.equal(
    record.legs.map((leg) => leg.type),
    ['proxy_request_success', 'mcp_request_success', 'mcp_response_success', 'proxy_response_success'],
  )
  assert.equal([record.legs[0]?.offset, record.legs[0]?.bytes, record.legs[1]?.offset], [0, 42, 5])
})

test('what failed at the door opens with the error', () => {
  const trail = new Trail(arrival(), 1_000)
  trail.opened({ httpStatus: 400, rpcError: -32600, error: 'GH_DOOR_NOT_RPC' })
  const [leg] = trail.close('proxy_response_error', 400, null).legs
  assert.equal(
    [leg?.type, leg?.httpStatus, leg?.rpcError, leg?.error],
    ['proxy_request_error', 400, -32600, 'GH_DOOR_NOT_RPC'],
  )
})

test('receipts go to the next leg that is written, and to no other', () => {
  const trail = new Trail(arrival(), 1_000)
  trail.ruled([receipt('a')])
  trail.ruled([])
  trail.ruled([receipt('b')])
  trail.leg('mcp_request_success', {})
  trail.leg('mcp_response_success', {})
  trail.ruled([receipt('c')])
  trail.opened(null)
  trail.leg('proxy_response_success', {})
  const { legs } = trail.close('proxy_response_success', 200, null)
  assert.equal(
    legs.map((leg) => names(leg.receipts)),
    [[], ['a', 'b'], [], ['c']],
  )
})

test('what belongs to another message stands under its correlation id, and keeps an id of its own', () => {
  const [root, part] = [new Trail(arrival(), 1_000), new Trail(arrival(), 1_000)]
  const own = part.correlationId
  part.belongsTo(root.correlationId)
  assert.is(part.correlationId, root.correlationId)
  const { id, rootId } = part.close('proxy_response_success', 200, null)
  assert.equal([id, rootId], [own, root.correlationId])
  root.belongsTo(root.correlationId)
  assert.is(root.close('proxy_response_success', 200, null).rootId, null)
})

test('a leg is never before the arrival, whatever the clock does', () => {
  const trail = new Trail(arrival({ at: Date.now() + 60_000 }), 1_000)
  trail.leg('mcp_request_success', {})
  trail.leg('mcp_request_success', { offset: -5 })
  const record = trail.close('proxy_response_success', 200, null)
  assert.equal(
    record.legs.map((leg) => leg.offset),
    [0, 0],
  )
  assert.is(record.durationMs, 0)
})

test('the record says who, where, what and over which wire', () => {
  const at = Date.now()
  const trail = new Trail(arrival({ at }), 1_000)
  trail.authenticated(principal, { id: 'g', slug: 'gate' }, true)
  trail.wire('2025-11-25', 's')
  trail.client({ name: 'inspector', version: '1' })
  trail.feature('tool', 'find')
  trail.request('{"a":1}')
  const record = trail.close('proxy_response_success', 200, '{"b":2}')
  assert.equal(record, {
    id: trail.correlationId,
    rootId: null,
    at,
    method: 'tools/call',
    rpcId: '7',
    sessionId: 's',
    version: '2025-11-25',
    featureType: 'tool',
    feature: 'find',
    userId: 'u',
    userEmail: 'a@example.com',
    userName: 'A',
    teamId: 't1',
    hostId: 'h',
    hostName: 'Host',
    clientName: 'inspector',
    clientVersion: '1',
    connectionId: 'c',
    gatewayId: 'g',
    gatewayName: 'gate',
    ip: '::1',
    userAgent: 'x',
    outcome: 'proxy_response_success',
    httpStatus: 200,
    durationMs: record.durationMs,
    legs: [],
    request: { text: '{"a":1}', bytes: 7, sha256: null },
    response: { text: '{"b":2}', bytes: 7, sha256: null },
    originals: null,
  })
})

test('what is not known is null', () => {
  const record = new Trail(arrival({ method: null, rpcId: null }), 1_000).close('auth_refused', 401, null)
  const unknown = [
    'method',
    'rpcId',
    'sessionId',
    'userId',
    'hostId',
    'gatewayId',
    'feature',
    'request',
    'response',
  ] as const
  for (const key of unknown) assert.is(record[key], null, key)
})

test('a gateway that captures nothing leaves no body in the record', () => {
  const trail = new Trail(arrival(), 1_000)
  trail.authenticated(principal, { id: 'g', slug: 'gate' }, false)
  trail.request('secret')
  const record = trail.close('proxy_response_success', 200, 'secret')
  assert.equal([record.request, record.response], [null, null])
  assert.not.match(JSON.stringify(record), 'secret')
})

test('a request that a rule blocked is taken back out of the record', () => {
  const trail = new Trail(arrival(), 1_000)
  trail.request('secret')
  trail.request(null)
  assert.not.match(JSON.stringify(trail.close('policy_enforced_abort', 200, null)), 'secret')
})

function captured(text: string, limit: number) {
  const trail = new Trail(arrival(), limit)
  trail.request(text)
  return trail.close('proxy_response_success', 200, null).request
}

test('a body up to the limit is kept whole, however many bytes its characters have', () => {
  for (const text of ['', 'abcdef', 'äöü', '日本', '😀a']) {
    const bytes = Buffer.byteLength(text)
    assert.equal(captured(text, bytes), { text, bytes, sha256: null })
    assert.equal(captured(text, 3 * text.length + 1), { text, bytes, sha256: null })
  }
})

test('a longer one is cut between characters, within the limit, and says its size and hash', () => {
  for (const text of ['abcdefghij', 'aäöüß', '日本語です', 'x😀😀😀', 'é'.repeat(50), '😀'.repeat(50)]) {
    const bytes = Buffer.byteLength(text)
    const sha256 = createHash('sha256').update(text).digest('hex')
    for (let limit = 0; limit < bytes; limit++) {
      const body = captured(text, limit)
      const kept = body?.text ?? ''
      assert.ok(text.startsWith(kept), `${text} cut at ${limit}: ${kept}`)
      assert.not.match(kept, '\ufffd')
      assert.ok(Buffer.byteLength(kept) <= limit && Buffer.byteLength(kept) > limit - 4, `${text} at ${limit}`)
      assert.equal([body?.bytes, body?.sha256], [bytes, sha256])
    }
  }
})

test('what a client may send at any length is cut before it is kept', () => {
  const trail = new Trail(arrival({ method: 'm'.repeat(100_000), rpcId: 'i'.repeat(100_000) }), 1_000)
  trail.feature('tool', 'f'.repeat(100_000))
  const { method, rpcId, feature } = trail.close('proxy_response_error', 200, null)
  assert.equal([method?.length, rpcId?.length, feature?.length], [256, 256, 512])
})

test('what was said before the rules is sealed where it stands, and one that is too long is only counted', () => {
  const sealed: unknown[] = []
  const seal = (place: object, text: string) => (sealed.push({ ...place, text }), 'Ym94')
  const trail = new Trail(arrival({ at: 7 }), 20)
  trail.original('request', '{"a":"secret"}', seal)
  trail.original('response', '{"b":"a longer secret"}', seal)
  const record = trail.close('proxy_response_success', 200, null)
  assert.equal(record.originals, { request: { box: 'Ym94', bytes: 14 }, response: { box: null, bytes: 23 } })
  assert.equal(sealed, [{ at: 7, id: record.id, leg: 'request', text: '{"a":"secret"}' }])
  assert.not.match(JSON.stringify(record), 'secret')
})

test('what engines looked at besides is sealed, as much of it as a body may be, and the rest is counted', () => {
  const sealed: unknown[] = []
  const seal = (place: object, text: string) => (sealed.push({ ...place, text }), 'Ym94')
  const trail = new Trail(arrival({ at: 7 }), 20)
  trail.recorded('request', ['{"a":1}', '{"b":"a longer secret"}', '{"c":2}'], seal)
  trail.recorded('response', ['{"d":"a longer secret"}'], seal)
  const record = trail.close('proxy_response_success', 200, null)
  assert.equal(record.originals, {
    request_recorded: { box: 'Ym94', bytes: 41 },
    response_recorded: { box: null, bytes: 25 },
  })
  assert.equal(sealed, [{ at: 7, id: record.id, leg: 'request_recorded', text: '[{"a":1},{"c":2}]' }])
})

test('where the next receipt will stand is known before it does', () => {
  const trail = new Trail(arrival(), 1_000)
  const places = [trail.nextReceipt()]
  trail.ruled([receipt('a'), receipt('b')])
  places.push(trail.nextReceipt())
  trail.leg('mcp_request_success', {})
  places.push(trail.nextReceipt())
  trail.ruled([receipt('c')])
  trail.opened(null)
  trail.leg('proxy_response_success', {})
  assert.equal(places, [
    { leg: 2, receipt: 1 },
    { leg: 2, receipt: 3 },
    { leg: 3, receipt: 1 },
  ])
  const { legs } = trail.close('proxy_response_success', 200, null)
  assert.equal(names(legs[1]?.receipts ?? []), ['a', 'b'])
  assert.equal(names(legs[2]?.receipts ?? []), ['c'])
})

test('what cannot be sealed is not kept', () => {
  const trail = new Trail(arrival(), 1_000)
  trail.original('request', '{"a":"secret"}', () => null)
  trail.recorded('request', ['{"a":"secret"}'], () => null)
  assert.is(trail.close('proxy_response_success', 200, null).originals, null)
})

test.run()
