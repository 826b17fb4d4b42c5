// time-limit: 120
import type { JsonObject } from '@gatehouse/sdk'
import { fill } from '@gatehouse/sdk/patterns/samples'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, yamlOf, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type Recorded, type RunningGateway } from '../gateway.js'

const TOKEN = fill('ghp_{a36}')
const KEY = fill('{a32}')
const RULES = [
  '{ name: no key leaves, engine: secrets, hook: request, action: block, features: [send] }',
  '{ name: hide tokens, engine: secrets, hook: response, action: replace, features: [read], except: [secret-assignment] }',
  '{ name: tell, engine: secrets, hook: request, action: detect, alerts: true, features: [watch] }',
  '{ name: numbers, engine: regex, hook: response, library: [us-ssn, iban], action: mask, keepLast: 4, features: [read] }',
]

let server: FakeServer
let gateway: RunningGateway
let agent: Access
test.before(async () => {
  const text = `token ${TOKEN}, SSN 536-22-1234, not 000-12-3456, IBAN DE89 3704 0044 0532 0130 00`
  const result = { content: [{ type: 'text', text }], resultType: 'complete' }
  server = await fakeUpstream((seen) => answerJson(seen, { result }), { tools: ['send', 'read', 'watch'] })
  gateway = await startGateway({ yaml: yamlOf({ one: server }, { rules: RULES }) })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const ask = async (tool: string, given: JsonObject = {}): Promise<JsonObject> =>
  (await legacy(agent, call(tool, given))).json.result
const last = async (): Promise<Recorded> => (await gateway.recorded(agent)).at(-1) as Recorded
const findings = async () => (await last()).legs.flatMap(({ receipts }) => receipts.map((receipt) => receipt.findings))

test('a secret in an argument never leaves, nor does one that its field gives away', async () => {
  const before = callsOf(server).length
  for (const given of [{ body: `use ${TOKEN}` }, { api_key: KEY }, { text: `{"password":"Sommer2026!"}` }]) {
    const result = await ask('send', given)
    assert.is(result['isError'], true, JSON.stringify(given))
    assert.not.match(JSON.stringify([result, (await last()).legs]), /ghp_|Sommer2026/)
  }
  assert.equal(await findings(), [{ 'secret-assignment': 1 }])
  assert.is(callsOf(server).length, before)
  await ask('send', { body: 'nothing of the kind' })
  assert.is(callsOf(server).length, before + 1)
})

test('secrets and numbers of the library are changed in a result, and counted by their ids', async () => {
  const { content } = await ask('read')
  const text = 'SSN *******1234, not 000-12-3456, IBAN ***********************0 00'
  assert.match(JSON.stringify(content), text)
  assert.not.match(JSON.stringify([content, (await last()).legs]), /ghp_|536-22|DE89/)
  assert.equal(await findings(), [{ 'github-token': 1 }, { 'us-ssn': 1, iban: 1 }])
})

test('a rule that only tells lets the message pass', async () => {
  await ask('watch', { note: TOKEN })
  assert.equal(params(callsOf(server).at(-1) as Seen).arguments, { note: TOKEN })
  assert.equal(await findings(), [{ 'github-token': 1 }])
})

test('a name that the library does not know is refused with its place', async () => {
  const rule = '{ name: typo, engine: regex, hook: response, library: [us-snn], action: mask }'
  try {
    await gateway.configure(yamlOf({ one: server }, { rules: [rule] }))
    assert.unreachable()
  } catch (thrown) {
    assert.match(String(thrown), /library/)
  }
})

test.run()
