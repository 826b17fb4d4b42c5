// time-limit: 180
import { createHash } from 'node:crypto'
import binaryen from 'binaryen'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import type { Access } from '../gateway.js'
import { startCluster, type Cluster } from '../replicas/cluster.js'

/** A module that answers the same to whatever it is shown. */
function moduleThat(answer: object): { module: string; sha256: string } {
  const json = JSON.stringify({ version: 1, ...answer })
  const parsed = binaryen.parseText(`(module
    (import "extism:host/user" "output_write" (func $output_write (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "${json.replaceAll('"', '\\"')}")
    (global (export "gatehouse_rule_abi_1") i32 (i32.const 1))
    (func (export "evaluate") (result i32)
      (call $output_write (i32.const 16) (i32.const ${json.length}))
      (i32.const 0)))`)
  const bytes = parsed.emitBinary()
  parsed.dispose()
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { module: Buffer.from(bytes).toString('base64'), sha256 }
}
const upload = (answer: { verdict: string; reason?: string }, expected = answer.verdict) => {
  const { module, sha256 } = moduleThat(answer)
  const vectors = [{ name: 'always', input: {}, expect: { verdict: expected } }]
  return { module, manifest: { name: 'gate', version: '1.0.0', abi: 'gatehouse.rule/1', sha256, vectors } }
}
const FIRST = upload({ verdict: 'block', reason: 'by the first' })
const SECOND = upload({ verdict: 'block', reason: 'by the second' })

let server: FakeServer
let cluster: Cluster
let agent: Access
test.before(async () => {
  server = await fakeUpstream(
    (seen) => answerJson(seen, { result: { content: [{ type: 'text', text: 'done' }], resultType: 'complete' } }),
    { tools: ['act'] },
  )
  cluster = await startCluster({ yaml: yamlOf({ one: server }, { rules: [] }) })
  const { api, mintToken } = gateway()
  await api('POST', '/artifacts', { engine: 'wasm', ...FIRST })
  await api('POST', '/gateways', { slug: 'guarded', servers: [{ server: 'one' }], rules: [] })
  await api('POST', '/gateways/guarded/rules', { name: 'gate', engine: 'wasm', hook: 'request', module: 'gate' })
  agent = await mintToken({ gateway: 'guarded', host: 'agent' })
})
test.after(async () => {
  await cluster.stop()
  await server.stop()
})

const gateway = (at = 0) => {
  const found = cluster.gateways[at]
  if (found === undefined) throw new Error('it is not there')
  return found
}
const said = async (at = 0): Promise<string> => {
  const { json } = await legacy(cluster.at(gateway(at), agent), call('act', { text: 'hello' }))
  return (json.result as { content: { text: string }[] }).content[0]?.text ?? ''
}

test('a module of WebAssembly is built, held to its vectors, and tells what it runs on', async () => {
  assert.match(await said(), /rule 'gate'\. by the first/)
  const { facts } = (await gateway().api('GET', '/artifacts/gate/versions/1')) as {
    facts: { vectors: { name: string }[] }
  }
  assert.is(facts.vectors[0]?.name, 'always')
  const wrong = upload({ verdict: 'block', reason: 'other' }, 'pass')
  const refused = await gateway()
    .api('POST', '/artifacts/gate/versions', wrong)
    .catch((error: Error) => error.message)
  assert.match(String(refused), /400.*module: its vector “always”/)
})

test('receipts name the version and its digest', async () => {
  await said()
  const legs = (await gateway().recorded(agent)).at(-1)?.legs ?? []
  const [receipt] = legs.flatMap(({ receipts }) => receipts)
  const { module, module_sha256: sha256 } = receipt?.evidence ?? {}
  assert.equal([module, sha256], ['gate@1', FIRST.manifest.sha256])
})

test('swaps under load at two replicas drop no call, and both serve the new version within a second', async () => {
  await gateway().api('POST', '/artifacts/gate/versions', SECOND)
  const answers: string[] = []
  let isOver = false
  const load = Array.from({ length: 8 }, async (_, n) => {
    while (!isOver) answers.push(await said(n % 2))
  })
  for (const version of [2, 1, 2, 1, 2]) {
    const before = answers.length
    await gateway().api('PATCH', '/artifacts/gate', { current: version })
    // The change holds here when it is answered.
    assert.match(await said(0), version === 2 ? /by the second/ : /by the first/)
    while (answers.length < before + 20) await said(1)
  }
  const until = Date.now() + 1_000
  while (!/by the second/.test(await said(1))) assert.ok(Date.now() < until, 'the other replica has not heard of it')
  isOver = true
  await Promise.all(load)
  assert.ok(answers.length > 100)
  assert.equal(
    answers.filter((text) => !/by the (first|second)/.test(text)),
    [],
  )
  assert.match(await said(0), /by the second/)
})

test('a digest that is revoked stops at both replicas', async () => {
  await gateway().api('PATCH', '/settings', { ruleModules: { revoked: [SECOND.manifest.sha256] } })
  assert.not.match(await said(0), /by the second|done/)
  const until = Date.now() + 1_000
  while (/by the second/.test(await said(1))) assert.ok(Date.now() < until)
  assert.not.match(await said(1), /by the|done/)
  await gateway().api('PATCH', '/settings', { ruleModules: { revoked: [] } })
  assert.match(await said(0), /by the second/)
})

test.run()
