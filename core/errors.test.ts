import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { asGatehouseError, ERRORS, GatehouseError, type ErrorCode, type ErrorEntry } from './errors.js'
import { assertDocument, table } from './test/markdown.js'

const entries = Object.entries(ERRORS) as [ErrorCode, ErrorEntry][]

/** The reasons that clients may rely on. */
const REASONS = [
  'client_capability',
  'connect_required',
  'parked_call_lost',
  'input_rounds',
  'rate_limited',
  'state_too_large',
  'server_unreachable',
  'server_timeout',
  'server_disabled',
  'blocked_by_rule',
]

test('ERRORS.md says what the catalogue says', () => {
  const rows = entries.map(([code, { http, rpc, reason, summary }]) => [
    `\`${code}\``,
    String(http),
    String(rpc),
    reason === undefined ? '' : `\`${reason}\``,
    summary,
  ])
  assertDocument(
    new URL('../ERRORS.md', import.meta.url),
    `# Errors

Made from \`errors.ts\` and compared with it by a test. \`HTTP\` is the status at the MCP door and in the admin API; 200 means
that the error travels inside a JSON-RPC answer. \`RPC\` is the JSON-RPC code, \`reason\` stands in \`data.reason\`. The
message of an error is fit for a stranger; its detail and its cause go to the log alone.

${table(['code', 'HTTP', 'RPC', 'reason', 'meaning'], rows)}
`,
  )
})

test('a code is GH_, its place and its fact', () => {
  for (const [code] of entries) assert.match(code, /^GH_[A-Z]+(_[A-Z]+)*$/)
})

test('a summary is one plain sentence', () => {
  for (const [code, { summary }] of entries) assert.match(summary, /^[A-Z][^\n]{8,110}\.$/, code)
})

test('an HTTP status and a JSON-RPC code are ones that exist', () => {
  for (const [code, { http, rpc }] of entries) {
    assert.ok(http === 200 || (http >= 400 && http <= 599), code)
    assert.ok(rpc === -32700 || (rpc <= -32600 && rpc >= -32603) || (rpc <= -32000 && rpc >= -32099), code)
  }
})

test('a reason is one of those that clients know, and belongs to -32603 inside an answer', () => {
  for (const [code, { reason, rpc, http }] of entries) {
    if (reason === undefined) continue
    assert.ok(REASONS.includes(reason), `${code}: ${reason}`)
    // The modern era has a code and a status of its own for it; a legacy client reads the reason.
    const expected = reason === 'client_capability' ? [400, -32021] : [200, -32603]
    assert.equal([http, rpc], expected, code)
  }
})

test('the message is the given one, else the summary; the detail is apart', () => {
  const plain = new GatehouseError('GH_SESSION_UNKNOWN')
  assert.is(plain.message, ERRORS.GH_SESSION_UNKNOWN.summary)
  const told = new GatehouseError('GH_SESSION_UNKNOWN', { message: 'm', detail: 'secret', data: { a: 1 } })
  assert.equal([told.message, told.detail, told.data, told.entry.http], ['m', 'secret', { a: 1 }, 404])
  assert.not.match(String(told), 'secret')
})

test('what was foreseen stays as it is; the unforeseen becomes GH_INTERNAL and tells a stranger nothing', () => {
  const known = new GatehouseError('GH_DOOR_ACCEPT')
  assert.is(asGatehouseError(known), known)
  for (const thrown of [new Error('password is hunter2'), 'hunter2', undefined, null]) {
    const error = asGatehouseError(thrown)
    assert.is(error.code, 'GH_INTERNAL')
    assert.not.match(error.message, 'hunter2')
    assert.is(error.cause, thrown)
  }
})

test('a message that is nested beyond what can be written is the sender’s fault, not ours', () => {
  const deep = JSON.parse('['.repeat(200_000) + ']'.repeat(200_000)) as unknown
  try {
    JSON.stringify(deep)
    assert.unreachable()
  } catch (thrown) {
    assert.is(asGatehouseError(thrown).code, 'GH_INSPECT_DEPTH')
    assert.is(asGatehouseError(thrown).cause, thrown)
  }
  assert.is(asGatehouseError(new RangeError('Invalid array length')).code, 'GH_INTERNAL')
})

test.run()
