// time-limit: 180
import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import type { Access, RunningGateway } from '../gateway.js'
import { startCluster, type Cluster } from '../replicas/cluster.js'
import { until } from '../until.js'

const MOST = 40
const COUNTING = `export function evaluate() {
  const n = Number(gatehouse.kv.get('n') ?? 0)
  if (n >= ${MOST}) return { verdict: 'block', reason: 'too often' }
  gatehouse.kv.set('n', String(n + 1))
  return { verdict: 'pass' }
}`

let server: FakeServer
let cluster: Cluster
let one: RunningGateway

test.before(async () => {
  server = await fakeUpstream(
    (seen) => answerJson(seen, { result: { content: [{ type: 'text', text: 'done' }], resultType: 'complete' } }),
    { tools: ['act'] },
  )
  cluster = await startCluster()
  one = cluster.gateways[0] as RunningGateway
  await one.api('POST', '/servers', { slug: 'one', url: server.url })
  await one.api('POST', '/artifacts', { engine: 'wasm', ...counting() })
  const rules = [{ name: 'few', engine: 'wasm', hook: 'request', module: 'counting' }]
  await one.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'one' }], rules })
})
test.after(async () => {
  await cluster.stop()
  await server.stop()
})

function counting() {
  const bytes = Buffer.from(COUNTING)
  const what = { name: 'counting', version: '1.0.0', abi: 'gatehouse.rule/1', language: 'javascript' }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const manifest = { ...what, sha256, stateful: true, capabilities: ['kv'] }
  return { module: bytes.toString('base64'), manifest }
}

async function send(access: Access): Promise<string> {
  const { json } = await legacy(access, call('act', { text: 'a' }))
  const { result, error } = json
  const text = String(result?.content[0].text ?? error.message)
  return result?.isError === true ? (/too often/.exec(text)?.[0] ?? text) : text
}

test('a limit of a rule holds to the message, through however many replicas they come at once', async () => {
  const access = await one.mintToken({ gateway: 'house', host: 'agent' })
  const doors = cluster.gateways.map((gateway) => cluster.at(gateway, access))
  // Both know of the rule and of the token by then; it takes one of the forty from each.
  for (const door of doors)
    await until('the other knows it', async () => ((await send(door)) === 'done' ? true : undefined))
  const answers = await Promise.all(doors.flatMap((door) => Array.from({ length: MOST }, () => send(door))))
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1
  assert.equal(counts, { done: MOST - doors.length, 'too often': MOST + doors.length })
  const [row] = await cluster.sql(`select value from plugin_store where key like 'kv:%'`)
  assert.is(JSON.parse(String(row?.['value']))[0][1], String(MOST))
})

test.run()
