// time-limit: 420
import { createHash } from 'node:crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { apiAs, echoing, type Api } from '../backtest/house.js'
import type { FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { receiptsOf, type ShownReceipt } from './house.js'

/**
 * Passes the first time it is asked on a connection and blocks ever after:
 *
 *     (local.set $n (call $kv_get "n" …))
 *     (if (i32.lt_s (local.get $n) (i32.const 0))
 *       (then (drop (call $kv_set "n" "n" …)) (call $output_write <pass>))
 *       (else (call $output_write <block, "seen before">)))
 */
const ONCE = Buffer.from(
  'AGFzbQEAAAABGwRgAn9/AGAEf39/fwF/YAV/f39/fwF/YAABfwJVAxBleHRpc206aG9zdC91c2VyDG91dHB1dF93cml0ZQAAEGV4dGlzbTpob3N0L3VzZXIGa3ZfZ2V0AAEQZXh0aXNtOmhvc3QvdXNlcgZr' +
    'dl9zZXQAAgMCAQMFAwEAAgYGAX8AQQELBywDBm1lbW9yeQIAFGdhdGVob3VzZV9ydWxlX2FiaV8xAwAIZXZhbHVhdGUAAwwBAwo9ATsCAn8BfkHAAEEBQYACQQgQASEAIABBAEgEQEHAAEEBQcAAQQFB' +
    'ABACGkEQQR8QAAVB0ABBNhAAC0EACwtoAwBBEAsfeyJ2ZXJzaW9uIjoxLCJ2ZXJkaWN0IjoicGFzcyJ9IABBwAALAW4AQdAACzZ7InZlcnNpb24iOjEsInZlcmRpY3QiOiJibG9jayIsInJlYXNvbiI6' +
    'InNlZW4gYmVmb3JlIn0=',
  'base64',
)
/** Puts a word of its configuration, and how often it was asked, behind the text. */
const COUNT = (more = '') =>
  Buffer.from(`export function evaluate({ message, call }) {
  const n = Number(gatehouse.kv.get('n') ?? 0)
  gatehouse.kv.set('n', String(n + 1))
  gatehouse.counter('asked', n)
  const text = message.arguments.text + gatehouse.config('word') + n + ' ' + call.time + ${JSON.stringify(more)}
  return { version: 1, verdict: 'modify', message: { ...message, arguments: { ...message.arguments, text } }, findings: [{ type: 'text' }] }
}`)

const upload = (name: string, bytes: Buffer, more: object) => ({
  module: bytes.toString('base64'),
  manifest: {
    name,
    version: '1.0.0',
    abi: 'gatehouse.rule/1',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    stateful: true,
    ...more,
  },
})
const JAVASCRIPT = {
  language: 'javascript',
  capabilities: ['kv', 'config', 'counters'],
  counters: ['asked'],
  config: { word: {} },
}

let server: FakeServer
let gateway: RunningGateway
let access: Access
let api: Api
let calls: readonly (readonly ShownReceipt[])[] = []

const test = suite('receipts of WASM rules')

test.before(async () => {
  server = await echoing()
  gateway = await startGateway({
    yaml: `version: 1\nplugins: [{ use: detect-wasm }]\nservers: { crm: { url: ${JSON.stringify(server.url)} } }\n`,
  })
  api = apiAs(gateway, gateway.adminToken)
  await gateway.api('POST', '/gateways', { slug: 'house', capture: 'sealed', servers: [{ server: 'crm' }], rules: [] })
  await gateway.api('POST', '/artifacts', { engine: 'wasm', ...upload('once', ONCE, { capabilities: ['kv'] }) })
  await gateway.api('POST', '/artifacts', { engine: 'wasm', ...upload('count', COUNT(), JAVASCRIPT) })
  const rule = (more: object) =>
    gateway.api('POST', '/gateways/house/rules', { engine: 'wasm', hook: 'request', ...more })
  await rule({ name: 'Count', module: 'count', config: { word: ' no. ' } })
  await rule({ name: 'Once', module: 'once' })
  access = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  calls = [await receiptsOf(gateway, access, 'first'), await receiptsOf(gateway, access, 'second')]
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const idOf = (call: number, name: string): string =>
  calls[call]?.find(({ rule_name: one }) => one === name)?.receipt_id ?? ''
const replay = async (id: string) => (await api('POST', `/rules/receipts/${id}/replay`, {})).json
const ruleOf = async (name: string) => {
  const { json } = await api('GET', '/gateways/house')
  return (json.rules as { id: string; name: string }[]).find((one) => one.name === name)?.id ?? ''
}

async function mustBeSame(): Promise<void> {
  for (const call of [0, 1])
    for (const name of ['Count', 'Once']) {
      const answer = await replay(idOf(call, name))
      assert.equal([answer.kept, answer.differences], [true, []], JSON.stringify(answer))
      assert.ok(answer.was.evidence.fuel > 0)
    }
}

test('what they read is read again, and the verdict is the same to the unit of fuel', async () => {
  assert.equal(
    calls.map((receipts) => receipts.map(({ rule_name: name, verdict }) => [name, verdict])),
    [
      [
        ['Count', 'modify'],
        ['Once', 'pass'],
      ],
      [
        ['Count', 'modify'],
        ['Once', 'block'],
      ],
    ],
  )
  await mustBeSame()
  await mustBeSame()
  const again = await replay(idOf(1, 'Once'))
  assert.is(again.now.reason, 'seen before')
})

test('a replay leaves the state of the live rule alone', async () => {
  const third = await receiptsOf(gateway, access, 'third')
  assert.is(third.find(({ rule_name: name }) => name === 'Count')?.evidence?.['counter.asked'], 2)
})

test('after another module and another configuration, the verdict of then is still that of then', async () => {
  await gateway.api('POST', '/artifacts/count/versions', {
    ...upload('count', COUNT(' v2'), JAVASCRIPT),
    makeCurrent: true,
  })
  await gateway.api('PATCH', `/gateways/house/rules/${await ruleOf('Count')}`, { config: { word: ' number ' } })
  await mustBeSame()
  await gateway.api('DELETE', `/gateways/house/rules/${await ruleOf('Once')}`)
  await mustBeSame()
})

test('what must not run is not run, and what is gone is told as gone', async () => {
  const sha256 = createHash('sha256').update(COUNT()).digest('hex')
  await gateway.api('PATCH', '/settings', { ruleModules: { revoked: [sha256] } })
  assert.is((await replay(idOf(0, 'Count'))).why, 'module_refused')
  await gateway.api('PATCH', '/settings', { ruleModules: { revoked: [] } })
  await gateway.api('DELETE', '/artifacts/count/versions/1')
  const gone = await replay(idOf(0, 'Count'))
  assert.equal([gone.why, /SHA-256/.test(gone.message)], ['module_gone', true])
  await gateway.api('POST', '/artifacts', { slug: 'again', engine: 'wasm', ...upload('count', COUNT(), JAVASCRIPT) })
  const back = await replay(idOf(0, 'Count'))
  assert.equal([back.kept, back.identical], [true, true], JSON.stringify(back))
})

test.run()
