// time-limit: 120
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, callsOf, fakeUpstream, yamlOf, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type RunningGateway } from '../gateway.js'
import { applyText, gatehouse } from './command.js'

let server: FakeServer
let gateway: RunningGateway
const held: Seen[] = []
test.before(async () => {
  server = await fakeUpstream(
    (seen) => {
      const { name } = seen.body['params'] as { name: string }
      if (name === 'slow') held.push(seen)
      else answer(seen)
    },
    { era: 'legacy', tools: ['act', 'slow'] },
  )
  gateway = await startGateway()
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const answer = (seen: Seen) =>
  answerJson(seen, { result: { content: [{ type: 'text', text: `xyzzy ${seen.headers['x-key'] ?? 'no key'}` }] } })
const BLOCK = '{ name: No xyzzy, engine: regex, hook: response, patterns: [xyzzy], action: block }'
const houseWith = (rules: readonly string[] = [], title = 'One') =>
  yamlOf({ one: server }, { rules }).replace(/one: \{ url: (.*) \}/, (_, url: string) =>
    [`one: { url: ${url}, title: ${title}, auth: { headers: { X-Key: "`, '${env:ONE_KEY}', '" } } }'].join(''),
  )
const KEY = { ONE_KEY: 'swordfish' }
const slowArrived = (from: number) =>
  server.waitFor(
    (seen) => server.seen.indexOf(seen) >= from && (seen.body['params'] as { name?: string })?.name === 'slow',
  )
const textOf = (json: { result: { content: { text: string }[] } }) => json.result.content[0]?.text ?? ''
const exported = async () => (await gatehouse(gateway, ['export'])).out

test('plan shows what apply would do, and does nothing', async () => {
  await writeFile(join(gateway.home, 'house.yaml'), houseWith())
  const before = await exported()
  const planned = await gatehouse(gateway, ['plan', '-f', 'house.yaml'], KEY)
  assert.is(planned.code, 0, planned.err)
  assert.match(planned.out, /^\+ servers? one/m)
  assert.match(planned.out, /^\+ gateways? house/m)
  assert.is(await exported(), before)
})

test('apply does it, once', async () => {
  assert.match(await applyText(gateway, houseWith(), KEY), /^\+ gateways? house/m)
  assert.match(await applyText(gateway, houseWith(), KEY), /^Nothing to change/m)
  const access = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  assert.is(textOf((await legacy(access, call('act'))).json), 'xyzzy swordfish')
})

test('export writes references in the place of secrets, and what it writes changes nothing', async () => {
  const text = await exported()
  assert.not(text.includes('swordfish'))
  const [, name] = /X-Key: "?\$\{env:(\w+)\}/.exec(text) ?? []
  assert.ok(name, text)
  assert.match(await applyText(gateway, text, { [name]: 'swordfish' }), /^Nothing to change/m)
})

test('a secret that is not there refuses the file', async () => {
  const { code, err } = await gatehouse(gateway, ['apply', '-f', 'house.yaml'])
  assert.is(code, 1)
  assert.match(err, /ONE_KEY|is not set/)
})

test('a call under way ends as it began when a rule comes meanwhile; the next one meets the rule', async () => {
  const access = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  const slow = legacy(access, call('slow'))
  await slowArrived(0)
  assert.match(await applyText(gateway, houseWith([BLOCK]), KEY), /rule/)
  assert.match(textOf((await legacy(access, call('act'))).json), /^Blocked by policy: rule 'No xyzzy'/)
  for (const seen of held.splice(0)) answer(seen)
  assert.is(textOf((await slow).json), 'xyzzy swordfish')
  await applyText(gateway, houseWith(), KEY)
})

test('a call under way ends as it began when its server is changed meanwhile; the next one meets the change', async () => {
  const access = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  const before = server.seen.length
  const slow = legacy(access, call('slow'))
  await slowArrived(before)
  await applyText(gateway, houseWith([], 'Two'), { ONE_KEY: 'trout' })
  assert.is(textOf((await legacy(access, call('act'))).json), 'xyzzy trout')
  for (const seen of held.splice(0)) answer(seen)
  const { json, text } = await slow
  assert.ok(json.result, text)
  assert.is(textOf(json), 'xyzzy swordfish')
})

const BAD: readonly (readonly [string, string, RegExp])[] = [
  [
    'an unknown key',
    'version: 1\nservers:\n  two: { ulr: "http://127.0.0.1:1/mcp" }\n',
    /house\.yaml:3:\d+ servers\.two\.ulr/,
  ],
  [
    'a reference to nothing',
    'version: 1\ngateways:\n  two: { servers: [{ server: none }] }\n',
    /house\.yaml:3:\d+ .*none/,
  ],
  ['a name that stands twice', 'version: 1\nhosts:\n  a: {}\n  a: {}\n', /house\.yaml:4:/],
  ['text that is no YAML', 'version: 1\nservers: { two: [\n', /house\.yaml:\d+:\d+/],
  [
    'a pattern that is none',
    `version: 1
hosts: { newcomer: {} }
gateways:
  two: { rules: [{ name: X, engine: regex, hook: both, patterns: ['('], action: block }] }
`,
    /house\.yaml:4:\d+ .*patterns/,
  ],
]
for (const [what, text, says] of BAD)
  test(`${what} refuses the whole file, with line and key, and leaves everything`, async () => {
    const before = await exported()
    const refused = await applyText(gateway, text).then(
      () => 'it was applied',
      (error: Error) => error.message,
    )
    assert.match(refused, says)
    assert.is(await exported(), before)
  })

test('a file that is watched holds when it changes, and a bad one leaves everything', async () => {
  const other = await startGateway({ yaml: yamlOf({ one: server }) })
  const access = await other.mintToken({ gateway: 'house', host: 'agent' })
  assert.match(textOf((await legacy(access, call('act'))).json), /xyzzy/)
  const fault = await other.configure(yamlOf({ one: server }, { rules: [BLOCK, BLOCK] })).then(
    () => '',
    (error: Error) => error.message,
  )
  assert.match(fault, /two rules are called 'No xyzzy'/)
  assert.match(textOf((await legacy(access, call('act'))).json), /^xyzzy/)
  await other.configure(yamlOf({ one: server }, { rules: [BLOCK] }))
  assert.match(textOf((await legacy(access, call('act'))).json), /^Blocked/)
  await other.stop()
})

test('nothing of a secret is in the log, and every call that was made reached the server', () => {
  assert.not.match(gateway.logs(), /swordfish|trout/)
  assert.ok(callsOf(server).length > 5)
})

test.run()
