// time-limit: 180
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { moduleOf } from './modules.js'

let home: string
let server: FakeServer
let gateway: RunningGateway
let agent: Access

test.before(async () => {
  server = await fakeUpstream(
    (seen) => answerJson(seen, { result: { content: [{ type: 'text', text: 'done' }], resultType: 'complete' } }),
    { tools: ['act'] },
  )
  home = await mkdtemp(join(tmpdir(), 'wasm-'))
  gateway = await startGateway({ home, yaml: `version: 1\nservers: { one: { url: ${JSON.stringify(server.url)} } }\n` })
  for (const slug of ['house', 'calm']) {
    await gateway.api('POST', '/gateways', { slug, servers: [{ server: 'one' }], rules: [] })
  }
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const send = async (text: string, access = agent): Promise<string> => {
  const { json } = await legacy(access, call('act', { text }))
  const { result, error } = json
  return result?.isError === true ? `blocked: ${result.content[0].text}` : (result?.content[0].text ?? error.message)
}
const upload = (...given: Parameters<typeof moduleOf>) =>
  gateway.api('POST', '/artifacts', { engine: 'wasm', ...moduleOf(...given) })
const addRule = (rule: object) =>
  gateway.api('POST', '/gateways/house/rules', { engine: 'wasm', hook: 'request', ...rule })
const receipts = async () => ((await gateway.recorded(agent)).at(-1)?.legs ?? []).flatMap(({ receipts: all }) => all)

test('an uploaded rule blocks what it finds, and its receipt tells what ran', async () => {
  await upload('signs')
  await addRule({ name: 'no signs', module: 'signs' })
  assert.is(await send('a and b'), 'done')
  assert.match(await send('a # b'), /blocked: .*no signs/)
  const [receipt] = await receipts()
  assert.is(receipt?.verdict, 'block')
  const { module, module_sha256: sha256, fuel } = receipt?.evidence ?? {}
  assert.equal([module, sha256], ['signs@1', moduleOf('signs').manifest.sha256])
  assert.ok(Number(fuel) > 0)
})

test('a rule that runs away is ended, and other calls are answered meanwhile', async () => {
  const calm = await gateway.mintToken({ gateway: 'calm', host: 'calm' })
  await gateway.api('POST', '/artifacts', {
    engine: 'wasm',
    grants: { memoryPages: 512 },
    ...moduleOf('hog', { limits: { killMs: 10, deadlineMs: 5, memoryPages: 512 } }),
  })
  const { id } = await addRule({ name: 'hog', module: 'hog', onFailure: 'allow' })
  const [ended, others] = await Promise.all([send('a'), Promise.all([1, 2, 3].map(() => send('# is fine here', calm)))])
  assert.equal([ended, others], ['done', ['done', 'done', 'done']])
  const all = await receipts()
  assert.equal(
    all.map(({ rule_name: name, verdict, fell }) => [name, verdict, fell]),
    [
      ['no signs', 'pass', null],
      ['hog', 'undecided', 'open'],
    ],
  )
  await gateway.api('DELETE', `/gateways/house/rules/${String(id)}`)
  assert.is(await send('a and b'), 'done')
})

test('what a rule remembers is of one connection, and outlives its call', async () => {
  await upload('counting', { stateful: true, capabilities: ['kv'] })
  await addRule({ name: 'twice', module: 'counting' })
  const other = await gateway.mintToken({ gateway: 'house', host: 'other' })
  assert.equal([await send('a'), await send('a')], ['done', 'done'])
  assert.match(await send('a'), /blocked: .*twice/)
  assert.is(await send('a', other), 'done')
})

test.run()
