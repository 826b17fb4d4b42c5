// time-limit: 240
import { randomBytes } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { testDatabase, type TestDatabase } from '../database.js'
import { call, legacy } from '../door.js'
import { answerJson, answering, fakeUpstream, yamlOf, type Seen } from '../fake-upstream.js'
import { refusedStart, startGateway } from '../gateway.js'
import { until } from '../until.js'

const SERVER = '  one: { url: "http://127.0.0.1:9/mcp" }\n'

/** A file that must not start a gateway, and where it says that it is wrong. */
const WRONG: readonly (readonly [what: string, yaml: string, says: RegExp])[] = [
  [
    'an unknown key',
    `version: 1\nservers:\n  one:\n    ulr: x\n`,
    /gatehouse\.yaml:4:5 servers\.one\.ulr: unknown key/,
  ],
  ['a doubled name', `version: 1\nservers:\n${SERVER}${SERVER}`, /gatehouse\.yaml:4:3 /],
  [
    'a reference to nothing',
    `version: 1\ngateways:\n  house:\n    servers:\n      - { server: nowhere }\n`,
    /gatehouse\.yaml:5:\d+ gateways\.house\.servers\[0\].*nowhere/,
  ],
  ['no YAML at all', 'version: 1\nservers: [\n', /gatehouse\.yaml:\d+:\d+ /],
  [
    'a pattern that is none',
    `version: 1\ngateways:\n  house:\n    rules:\n      - { name: r, engine: regex, hook: both, patterns: ['('], action: block }\n`,
    /gatehouse\.yaml:5:\d+ gateways\.house\.rules\[0\]/,
  ],
  [
    'an engine that is not there',
    `version: 1\ngateways: { house: { rules: [{ name: r, engine: oracle, hook: both }] } }\n`,
    /oracle/,
  ],
  [
    'a secret that is not there',
    `version: 1\nservers: { one: { url: "https://example.com/mcp", auth: { headers: { X-Key: "\${env:NOT_SET}" } } } }\n`,
    /NOT_SET/,
  ],
  [
    'a secret that stands in it',
    `version: 1\nservers: { one: { url: "https://example.com/mcp", auth: { headers: { X-Key: swordfish } } } }\n`,
    /servers\.one\.auth\.headers\.X-Key/,
  ],
]

// One for all of them, with the key to its secrets: what does not start leaves nothing behind.
const env = { GATEHOUSE_MASTER_KEY: randomBytes(32).toString('base64') }
let database: TestDatabase
test.before(async () => {
  database = await testDatabase()
})
test.after(() => database.drop())

for (const [what, yaml, says] of WRONG)
  test(`${what} refuses the start, with line and key`, async () => {
    const { said, code } = await refusedStart({ yaml, databaseUrl: database.url, env })
    assert.is(code, 1)
    assert.match(said, says)
    assert.not.match(said, /swordfish|\n\s+at /)
  })

test('a file that is not there refuses the start', async () => {
  const { said, code } = await refusedStart({
    databaseUrl: database.url,
    env: { ...env, GATEHOUSE_CONFIG: '/nowhere/gatehouse.yaml' },
  })
  assert.is(code, 1)
  assert.match(said, /\/nowhere\/gatehouse\.yaml/)
})

test('a bad file on change leaves everything as it is, and drops no call under way', async () => {
  let held: Seen | undefined
  const server = await fakeUpstream((seen) => void (held = seen))
  const quick = await fakeUpstream(answering({ content: [] }), { tools: ['quick'] })
  const yaml = yamlOf({ one: server, two: quick })
  const gateway = await startGateway({ yaml })
  const agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  const listed = () => legacy(agent, { method: 'tools/list' }).then(({ json }) => json.result.tools)
  const before = await listed()
  const underWay = legacy(agent, call('act'))
  const seen = await until('the call is under way', () => held)
  for (const [, bad, says] of WRONG)
    await gateway.configure(bad).then(
      () => assert.unreachable(`it took ${bad}`),
      (error: Error) => assert.match(JSON.parse(error.message).error, says),
    )
  assert.equal(await listed(), before)
  assert.ok((await legacy(agent, call('quick'))).json.result)
  await gateway.configure(yaml.replace('- { server: two }', '- { server: two, as: zwei }'))
  answerJson(seen, { result: { content: [], resultType: 'complete' } })
  assert.equal((await underWay).json.result.content, [])
  await gateway.stop()
  await server.stop()
  await quick.stop()
})

test.run()
