// time-limit: 180
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, type FakeServer, params } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'

const examples = new URL('../../../../rules-wasm/examples/', import.meta.url)
const CUSTOMER = '{"name":"Ana","mail":"ana.example@customers.example","account":"DE89 3704 0044 0532 0130 00"}'

let home: string
let server: FakeServer
let gateway: RunningGateway

/** A server that answers `read` with a customer, and every other tool with the text it is given. */
test.before(async () => {
  server = await fakeUpstream(
    (seen) => {
      const { name, arguments: given } = params(seen)
      const text = name === 'read' ? CUSTOMER : String((given as { readonly text?: string }).text ?? 'done')
      answerJson(seen, { result: { content: [{ type: 'text', text }], resultType: 'complete' } })
    },
    { tools: ['read', 'send', 'query'] },
  )
  home = await mkdtemp(join(tmpdir(), 'wasm-examples-'))
  gateway = await startGateway({ home, yaml: `version: 1\nservers: { one: { url: ${JSON.stringify(server.url)} } }\n` })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

/** A gateway with this example as its one rule. */
async function gatewayWith(name: string, rule: object): Promise<Access> {
  const read = (file: string) => readFile(new URL(`${name}/${file}`, examples))
  const [module, manifest] = await Promise.all([read(`${name}.wasm`), read(`${name}.rule.json`)])
  await gateway.api('POST', '/artifacts', {
    engine: 'wasm',
    module: module.toString('base64'),
    manifest: JSON.parse(manifest.toString()),
  })
  const rules = [{ name, engine: 'wasm', module: name, ...rule }]
  await gateway.api('POST', '/gateways', { slug: name, servers: [{ server: 'one' }], rules })
  return gateway.mintToken({ gateway: name, host: name })
}

async function send(access: Access, tool: string, given: Readonly<Record<string, string>>): Promise<string> {
  const { json } = await legacy(access, call(tool, given))
  const { result, error } = json
  return result?.isError === true ? `blocked: ${result.content[0].text}` : (result?.content[0].text ?? error.message)
}

test('a secret is masked where it stands, on both legs', async () => {
  const access = await gatewayWith('secrets-entropy', { hook: 'both', action: 'mask', keepLast: 4 })
  const answer = await send(access, 'send', { text: 'é password: q7Zt2LmX9vRb4KsW8yNc3HdJ6fTg, so' })
  assert.is(answer, `é password: ${'*'.repeat(24)}6fTg, so`)
})

test('SQL that writes is blocked, and SQL that reads goes through', async () => {
  const access = await gatewayWith('sql-writes', { hook: 'request' })
  assert.is(await send(access, 'query', { sql: "SELECT 'DROP TABLE x'" }), 'done')
  assert.match(await send(access, 'query', { sql: 'WITH x AS (DELETE FROM t RETURNING *) SELECT 1' }), /^blocked: /)
})

test('fields of a JSON text are redacted by their path', async () => {
  const access = await gatewayWith('redact-json-path', { hook: 'response', config: { paths: '$.mail' } })
  assert.equal(JSON.parse(await send(access, 'read', {})), { ...JSON.parse(CUSTOMER), mail: '[redacted]' })
})

test('what was read from a sensitive tool does not leave through another one', async () => {
  const config = { sensitive: 'one/read', outside: 'one/send' }
  const access = await gatewayWith('cross-tool-exfiltration', { hook: 'both', config })
  const text = 'the account is DE89370400440532013000'
  assert.is(await send(access, 'send', { text }), text)
  assert.is(await send(access, 'read', {}), CUSTOMER)
  assert.match(await send(access, 'send', { text }), /^blocked: /)
  assert.is(await send(access, 'send', { text: 'hello' }), 'hello')
})

test.run()
