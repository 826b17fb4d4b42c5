import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Leg, MessageRecord } from '../domain/record.js'
import { lineOf } from './line.js'

const TEXTS = [
  null,
  '',
  'plain',
  'with "quotes" and \\',
  'line\nbreak',
  '\u0000',
  '\ud800',
  '😀 é',
  'x'.repeat(300),
  '${a}',
  "',",
]
const NUMBERS = [null, 0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER]

/** Mulberry32: the same records every time. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const random = randomOf(7)
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
const some = (): string => pick(TEXTS) ?? 'some'

function randomLeg(): Leg {
  return {
    type: 'mcp_request_success',
    offset: Math.floor(random() * 1_000),
    durationMs: pick(NUMBERS),
    bytes: pick(NUMBERS),
    httpStatus: pick(NUMBERS),
    rpcError: pick(NUMBERS),
    error: pick(TEXTS),
    serverId: pick(['s1', 's2', '"s3"']),
    serverName: pick(TEXTS),
    serverUrl: pick(TEXTS),
    identityId: pick(TEXTS),
    scheme: pick([null, 'open', 'shared', 'per_user']),
    receipts: [],
  }
}

function randomRecord(): MessageRecord {
  return {
    id: '01a20572-8e94-71c0-9575-e2e50448baa7',
    rootId: pick([null, '01a20572-8e94-71c0-9575-e2e50448baa8']),
    at: 1_795_000_000_000,
    method: pick(TEXTS),
    rpcId: pick(TEXTS),
    sessionId: pick(TEXTS),
    version: pick(TEXTS),
    featureType: pick([null, 'tool', 'prompt', 'resource']),
    feature: pick(TEXTS),
    userId: pick(TEXTS),
    userEmail: pick(TEXTS),
    userName: pick(TEXTS),
    teamId: pick(TEXTS),
    hostId: pick(TEXTS),
    hostName: pick(TEXTS),
    clientName: pick(TEXTS),
    clientVersion: pick(TEXTS),
    connectionId: pick(TEXTS),
    gatewayId: pick(TEXTS),
    gatewayName: pick(TEXTS),
    ip: pick(TEXTS),
    userAgent: pick(TEXTS),
    outcome: 'proxy_response_success',
    httpStatus: pick(NUMBERS),
    durationMs: 12,
    legs: [randomLeg(), randomLeg()],
    request: pick([null, { text: some(), bytes: 3, sha256: pick([null, 'ab12']) }]),
    response: pick([null, { text: some(), bytes: 3, sha256: pick([null, 'ab12']) }]),
    originals: pick([null, { request: sealed(), response: null, request_recorded: sealed(), response_recorded: null }]),
  }
}

const sealed = () => pick([null, { box: pick([null, 'AQ==']), bytes: 3 }])

/** What JSON.stringify would give, without nulls and without empty receipts. */
const plain = (record: MessageRecord): unknown =>
  JSON.parse(
    JSON.stringify(record, (key, value: unknown) =>
      value === null || (key === 'receipts' && (value as unknown[]).length === 0) ? undefined : value,
    ),
  )

test('a line is what JSON.stringify gives, without what is null', () => {
  for (let n = 0; n < 2_000; n += 1) {
    const record = randomRecord()
    assert.equal(plain(JSON.parse(lineOf(record)) as MessageRecord), plain(record))
  }
})

test('a leg that leads nowhere names no server', () => {
  const leg = { ...randomLeg(), serverId: null, serverName: null, serverUrl: null, identityId: null, scheme: null }
  const [kept] = (JSON.parse(lineOf({ ...randomRecord(), legs: [leg] })) as MessageRecord).legs
  assert.is(kept?.serverId, undefined)
})

test('receipts are kept whole', () => {
  const receipt = {
    rule_id: 'r',
    rule_version: 2,
    rule_name: 'Mask "it"',
    engine: 'regex',
    hook: 'response' as const,
    verdict: 'modify' as const,
    action: 'mask',
    shadow: false,
    findings: { 'pattern:1': 2 },
    fell: null,
    ms: 0.5,
  }
  const record = { ...randomRecord(), legs: [{ ...randomLeg(), receipts: [receipt] }] }
  assert.equal((JSON.parse(lineOf(record)) as MessageRecord).legs[0]?.receipts, [receipt])
})

test('more names than are remembered change nothing', () => {
  for (let n = 0; n < 10_000; n += 1)
    assert.is(
      (JSON.parse(lineOf({ ...randomRecord(), hostName: `host "${n}"` })) as MessageRecord).hostName,
      `host "${n}"`,
    )
})

test('a line keeps nothing of its record but the facts that come again', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const bodyOfOne = () => {
    const request = { text: 'body', bytes: 4, sha256: null }
    lineOf({ ...randomRecord(), sessionId: 'one of its own', feature: 'one of its own', request })
    return new WeakRef(request)
  }
  const body = bodyOfOne()
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  assert.is(body.deref(), undefined)
})

test.run()
