import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { LogType, Receipt } from '@gatehouse/sdk'
import { leg } from './record.fixture.js'
import { rowsOf } from './rows.js'
import type { StoredMessage } from './rows.js'

const stored = (facts: Partial<StoredMessage>): StoredMessage => ({
  seq: '1',
  at: new Date('2026-11-05T10:00:00.000Z'),
  id: '019a0000-0000-7000-8000-000000000001',
  root_id: null,
  method: 'tools/call',
  rpc_id: '7',
  session_id: null,
  version: '2025-11-25',
  feature_type: 'tool',
  feature: 'echo',
  user_id: null,
  user_email: 'ann@example.com',
  user_name: null,
  team_id: null,
  host_id: null,
  host_name: null,
  client_name: null,
  client_version: null,
  connection_id: null,
  gateway_id: null,
  gateway_name: 'engineering',
  ip: '::1',
  user_agent: null,
  outcome: 'proxy_response_success',
  http_status: 200,
  duration_ms: 3,
  legs: [leg()],
  ...facts,
})

const receipt = (facts: Partial<Receipt>): Receipt => ({
  rule_id: 'r',
  rule_version: 1,
  rule_name: 'rule',
  engine: 'regex',
  hook: 'request',
  verdict: 'pass',
  action: null,
  shadow: false,
  findings: {},
  fell: null,
  ms: 1,
  ...facts,
})

const only = (facts: Partial<StoredMessage>) => rowsOf(stored(facts))[0]

test('what a leg was stored without, it never had', () => {
  const { type, offset } = leg({ type: 'mcp_request_success' })
  const row = only({ legs: [{ type, offset } as ReturnType<typeof leg>] })
  assert.equal([row?.level, row?.receipts, row?.bytes, row?.inbound_server_id], ['info', [], null, null])
})

test('a receipt in a row has the id of the row and its own number, and the rest as it was stored', () => {
  const receipts = [receipt({ rule_id: 'a' }), receipt({ rule_id: 'b', evidence: { fuel: 7 } })]
  const [, row] = rowsOf(stored({ legs: [leg(), leg({ receipts })] }))
  assert.equal(row?.receipts, [
    { ...receipts[0], receipt_id: '019a0000-0000-7000-8000-000000000001-2.1' },
    { ...receipts[1], receipt_id: '019a0000-0000-7000-8000-000000000001-2.2' },
  ])
})

test('each leg is a row with its own time, number and server; what is known of the message stands on all', () => {
  const rows = rowsOf(
    stored({ legs: [leg(), leg({ type: 'mcp_response_error', offset: 1_500, serverName: 'crm', rpcError: -32603 })] }),
  )
  assert.equal(
    rows.map((row) => row.log_id),
    ['019a0000-0000-7000-8000-000000000001-1', '019a0000-0000-7000-8000-000000000001-2'],
  )
  assert.equal(
    rows.map((row) => row.created_at),
    ['2026-11-05T10:00:00.000Z', '2026-11-05T10:00:01.500Z'],
  )
  assert.equal(
    rows.map((row) => [row.inbound_server_name, row.rpc_error_code, row.user_email, row.client_ip]),
    [
      [null, null, 'ann@example.com', '::1'],
      ['crm', -32603, 'ann@example.com', '::1'],
    ],
  )
})

test('the level follows from the type', () => {
  const levels: [LogType, string][] = [
    ['proxy_request_success', 'info'],
    ['gateway_feature_filtered', 'warn'],
    ['mcp_response_error', 'error'],
    ['policy_enforced_abort', 'error'],
    ['policy_enforced_error', 'error'],
    ['gateway_feature_blocked', 'error'],
    ['auth_refused', 'error'],
  ]
  for (const [type, level] of levels) assert.is(only({ legs: [leg({ type })] })?.level, level, type)
})

test('a leg that a rule changed is a warning, but not when the rule only looked on', () => {
  const changed = receipt({ verdict: 'modify', action: 'mask' })
  assert.is(only({ legs: [leg({ receipts: [changed] })] })?.level, 'warn')
  assert.is(only({ legs: [leg({ receipts: [{ ...changed, shadow: true }] })] })?.level, 'info')
})

test('the policy fields name the rule that decided', () => {
  const receipts = [
    receipt({ rule_id: 'shadow', verdict: 'block', action: 'block', shadow: true }),
    receipt({ rule_id: 'passed' }),
    receipt({ rule_id: 'masked', verdict: 'modify', action: 'mask' }),
    receipt({ rule_id: 'stopped', rule_name: 'No cards', verdict: 'block', action: 'block' }),
  ]
  const row = only({ legs: [leg({ type: 'policy_enforced_abort', receipts })] })
  assert.equal([row?.policy_id, row?.policy_name, row?.policy_action], ['stopped', 'No cards', 'block'])
  assert.equal(
    row?.receipts,
    receipts.map((one, i) => ({ ...one, receipt_id: `${row?.log_id}.${i + 1}` })),
  )
})

test('a rule that could not tell and fell closed decided; one that fell open did not', () => {
  const closed = receipt({ rule_id: 'broken', verdict: 'undecided', fell: 'closed' })
  const row = only({ legs: [leg({ type: 'policy_enforced_error', receipts: [closed] })] })
  assert.equal([row?.policy_id, row?.policy_action], ['broken', 'undecided'])
  assert.is(only({ legs: [leg({ receipts: [{ ...closed, fell: 'open' }] })] })?.policy_id, null)
})

test('without a rule that did something the policy fields are null', () => {
  assert.is(only({ legs: [leg({ receipts: [receipt({})] })] })?.policy_id, null)
})

test.run()
