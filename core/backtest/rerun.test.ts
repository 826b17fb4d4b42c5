import type { Artifact, Receipt, RowReceipt } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { EngineKind } from '../domain/engines.js'
import type { Gateway } from '../domain/nouns.js'
import type { CompiledRule } from '../domain/snapshot.js'
import { leg } from '../record/record.fixture.js'
import { originalText } from '../rules/originals.js'
import { runTexts } from '../rules/recorded.js'
import type { RerunRequest } from '../rules/rerun.js'
import { engineKind, rule } from '../rules/testing.js'
import { rerunReceipt, type RerunOptions } from './rerun.js'
import type { ReceiptRow, StoredReceipt } from './stored-receipt.js'

const MESSAGE = { name: 'find', arguments: { q: 'hush' } }
const ABOUT = { prefix: 'crm', serverSlug: 'crm', kind: 'tool', feature: 'find' } as const
const FACTS = { name: 'a', version: 2, sha256: 'a'.repeat(64) }

const receipt = (facts: Partial<Receipt> = {}): Receipt => ({
  rule_id: 'rule-a',
  rule_version: 3,
  rule_name: 'A',
  engine: 'deep',
  hook: 'request',
  verdict: 'pass',
  action: null,
  shadow: false,
  findings: {},
  fell: null,
  ms: 1,
  ...facts,
})
const recordedRun = (facts: object = {}): string =>
  `[${runTexts([{ receipt: '2.1', ruleId: 'rule-a', ruleVersion: 3, action: null, config: { kept: 1 }, artifact: FACTS, message: null, recorded: { n: 1 }, ...facts }]).join()}]`

interface Asked {
  readonly receipts?: readonly Receipt[]
  readonly of?: number
  readonly row?: Partial<ReceiptRow>
  readonly run?: string | null
}

function stored({ receipts = [receipt()], of = 1, row = {}, run = recordedRun() }: Asked = {}): StoredReceipt {
  const found = receipts[of - 1] as Receipt
  return {
    id: { message: 'm', leg: 2, receipt: of },
    receipt: { ...found, receipt_id: `m-2.${of}` } satisfies RowReceipt,
    row: {
      at: new Date(0),
      id: 'm',
      root_id: null,
      method: 'tools/call',
      rpc_id: '1',
      version: '2025-11-25',
      user_id: 'u',
      user_email: 'u@example.com',
      host_id: 'h',
      host_name: 'agent',
      connection_id: 'c',
      gateway_id: 'g',
      gateway_name: 'then',
      legs: [leg(), leg({ receipts })],
      request: Buffer.from(originalText(ABOUT, 'server-1', MESSAGE)),
      request_bytes: '90',
      response: null,
      response_bytes: null,
      request_recorded: run === null ? null : Buffer.from(run),
      request_recorded_bytes: run === null ? null : String(Buffer.byteLength(run)),
      response_recorded: null,
      response_recorded_bytes: null,
      ...row,
    },
  }
}

const DEEP = engineKind('deep', {
  declaration: { ...engineKind('deep').declaration, answers: 'either', artifact: {} as never },
})
const PLAIN = engineKind('deep')

function bench(facts: Partial<RerunOptions> & { readonly kind?: EngineKind; readonly broken?: string } = {}) {
  const { kind = DEEP, broken = null, ...more } = facts
  const prepared: unknown[] = []
  const asked: RerunRequest[] = []
  let retired = 0
  const options: RerunOptions = {
    rules: {
      prepareRule: async (...args) => (prepared.push(args), { rule: args[0], broken } as unknown as CompiledRule),
      rerunRule: async (request) => (asked.push(request), { receipt: receipt(), reason: null }),
      retireRule: () => void (retired += 1),
    },
    kinds: () => [kind],
    open: async (_place, box) => box.toString(),
    instanceOf: async () => null,
    artifactOf: async (_kind, facts) => facts as Artifact,
    ...more,
  }
  const gateway = {
    id: 'g',
    slug: 'now',
    rules: [rule({ id: 'rule-a', version: 3, engine: 'deep' })],
  } as unknown as Gateway
  return { options, prepared, asked, gateway, retired: () => retired }
}

async function whyNot(asked: Asked, facts: Parameters<typeof bench>[0] = {}) {
  const { options, gateway } = bench(facts)
  const answer = await rerunReceipt(options, stored(asked), gateway)
  return answer.kept ? 'kept' : answer.why
}

test('the rule is prepared as it was, on the module of that day, and let go again', async () => {
  const { options, prepared, asked, gateway, retired } = bench()
  const answer = await rerunReceipt(options, stored(), gateway)
  assert.equal(answer.kept && [answer.config, answer.identical, answer.was.verdict], ['recorded', true, 'pass'])
  const [[made, instance, artifact]] = prepared as [[CompiledRule['rule'], null, Artifact]]
  assert.equal([made.id, made.version, made.config, instance, artifact], ['rule-a', 3, { kept: 1 }, null, FACTS])
  assert.equal([asked[0]?.message, asked[0]?.recorded, asked[0]?.leg, retired()], [MESSAGE, { n: 1 }, 'request', 1])
  const context = asked[0]?.subject.context()
  assert.equal(context?.gateway, { id: 'g', slug: 'then' })
  assert.equal([context?.connection, context?.correlationId], [{ id: 'c' }, 'm'])
})

test('a rule that met a changed message meets the same once more', async () => {
  const { options, asked, gateway } = bench()
  const message = { name: 'find', arguments: { q: '***' } }
  await rerunReceipt(options, stored({ run: recordedRun({ message }) }), gateway)
  assert.equal(asked[0]?.message, message)
})

test('it is let go when its engine throws', async () => {
  const { options, gateway, retired } = bench()
  const failing = { ...options.rules, rerunRule: () => Promise.reject(new Error('gone')) }
  await rerunReceipt({ ...options, rules: failing }, stored(), gateway).then(
    () => assert.unreachable(),
    () => undefined,
  )
  assert.is(retired(), 1)
})

test('what was not kept of the message is told apart', async () => {
  assert.is(await whyNot({ row: { request: null, request_bytes: null } }), 'not_captured')
  assert.is(await whyNot({ row: { request: null } }), 'too_long')
  assert.is(await whyNot({}, { open: async () => null }), 'unreadable')
  assert.is(await whyNot({ row: { request: Buffer.from('rubbish') } }), 'unreadable')
})

test('what was not kept beside it is told apart', async () => {
  assert.is(await whyNot({ run: null }), 'no_record')
  assert.is(await whyNot({ run: '[]' }), 'no_record')
  assert.is(await whyNot({ run: '[]', row: { request_recorded_bytes: '900' } }), 'too_long')
  assert.is(await whyNot({ run: null, row: { request_recorded_bytes: '900' } }), 'too_long')
  assert.is(await whyNot({ run: 'rubbish' }), 'unreadable')
  assert.is(await whyNot({ run: recordedRun({ ruleId: 'rule-b' }) }), 'unreadable', 'of another rule')
  assert.is(await whyNot({ run: recordedRun({ ruleVersion: 2 }) }), 'unreadable', 'of another version')
  assert.is(await whyNot({ run: recordedRun({ receipt: '4.1' }) }), 'no_record', 'of another place')
})

test('an engine that tells what its verdicts rest on, or has artifacts, is never asked without its record', async () => {
  const told = { receipts: [receipt({ evidence: { fuel: 7 } })], run: null }
  assert.is(await whyNot(told, { kind: PLAIN }), 'no_record')
  assert.is(await whyNot({ run: null }, { kind: DEEP }), 'no_record')
  assert.is(await whyNot({ run: null }, { kind: PLAIN }), 'kept')
})

test('without a record, the rule of today is asked while it is that of then, on the message alone', async () => {
  const without = { run: null }
  const { options, gateway, asked } = bench({ kind: PLAIN })
  const answer = await rerunReceipt(options, stored(without), gateway)
  assert.equal([answer.kept && answer.config, asked[0]?.recorded], ['current', {}])
  const changed = { ...gateway, rules: [rule({ id: 'rule-a', version: 4 })] }
  const none = await rerunReceipt(options, stored(without), changed)
  assert.is(!none.kept && none.why, 'rule_changed')
})

test('without a record, it must be the first receipt of its rule, with nothing changed before', async () => {
  const kind = PLAIN
  const before = (facts: Partial<Receipt>) => [receipt({ rule_id: 'b', verdict: 'modify', ...facts }), receipt()]
  assert.is(await whyNot({ receipts: before({}), of: 2, run: null }, { kind }), 'changed_before')
  assert.is(await whyNot({ receipts: before({ shadow: true }), of: 2, run: null }, { kind }), 'kept')
  assert.is(await whyNot({ receipts: before({ hook: 'response' }), of: 2, run: null }, { kind }), 'kept')
  assert.is(await whyNot({ receipts: [receipt(), receipt()], of: 2, run: null }, { kind }), 'no_record')
})

test('what was given up has no verdict; one that fell, or failed in shadow, has', async () => {
  const undecided = { verdict: 'undecided' } as const
  assert.is(await whyNot({ receipts: [receipt(undecided)] }), 'not_decided')
  assert.is(await whyNot({ receipts: [receipt({ ...undecided, fell: 'open' })] }), 'kept')
  assert.is(await whyNot({ receipts: [receipt({ ...undecided, shadow: true })] }), 'kept')
  const given = { ...undecided, shadow: true }
  const blocked = [receipt({ rule_id: 'b', verdict: 'block' }), receipt(given)]
  assert.is(await whyNot({ receipts: blocked, of: 2 }), 'not_decided')
  const shadowed = [receipt({ rule_id: 'b', verdict: 'block', shadow: true }), receipt(given)]
  assert.is(await whyNot({ receipts: shadowed, of: 2, run: recordedRun({ receipt: '2.2' }) }), 'kept')
})

test('a module, an engine or a form of configuration that is gone is told', async () => {
  assert.is(await whyNot({}, { artifactOf: async () => 'module_gone' }), 'module_gone')
  assert.is(await whyNot({ run: recordedRun({ artifact: null }) }), 'module_gone')
  assert.is(await whyNot({}, { artifactOf: async () => 'module_refused' }), 'module_refused')
  assert.is(await whyNot({}, { kinds: () => [] }), 'engine_gone')
  assert.is(await whyNot({ receipts: [receipt({ instance: 'far' })] }), 'engine_gone')
  assert.is(await whyNot({}, { broken: 'no such key' }), 'not_prepared')
})

test.run()
