// time-limit: 180
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, modern } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'

/** What the docs page on personal data promises, through the door. */
const TEXT =
  'Write to ana.silva@example.com or call (212) 555-0142; my SSN is 536-22-8726, my card 4111 1111 1111 1111.'
const RULES = [
  `{ name: mails, engine: pii, hook: response, entities: [EMAIL_ADDRESS], action: replace, features: [mails] }`,
  `{ name: all, engine: pii, hook: response, action: replace, features: [all] }`,
  `{ name: redacted, engine: pii, hook: response, action: redact, features: [redacted] }`,
  `{ name: masked, engine: pii, hook: response, action: mask, features: [masked] }`,
  `{ name: hashed, engine: pii, hook: response, action: hash, features: [hashed] }`,
  `{ name: cards, engine: pii, hook: request, entities: [CREDIT_CARD], action: block, features: [cards] }`,
  `{ name: people, engine: pii, hook: response, entities: [PERSON], action: mask, features: [people] }`,
  `{ name: watch, engine: pii, hook: response, entities: [PHONE_NUMBER], action: detect, alerts: true, features: [watch] }`,
]
const TOOLS = ['redacted', 'masked', 'hashed', 'mails', 'all', 'cards', 'people', 'watch']
let server: FakeServer
let gateway: RunningGateway
let access: Access
let text = TEXT

test.before(async () => {
  server = await fakeUpstream(
    (seen) =>
      answerJson(seen, { result: { resultType: 'complete', content: [{ type: 'text', text }], echo: params(seen) } }),
    { tools: TOOLS },
  )
  gateway = await startGateway({ yaml: yamlOf({ one: server }, { rules: RULES }) })
  access = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
})

const said = async (tool: string, answer = TEXT): Promise<string> => {
  text = answer
  const { json } = await modern(access, call(tool))
  return json.result.content[0].text as string
}
const lastLegs = async () => (await gateway.recorded(access)).at(-1)?.legs ?? []

test('an e-mail address in a result reaches neither the client nor the log: both have its tag', async () => {
  assert.is(await said('mails'), TEXT.replace('ana.silva@example.com', '<EMAIL_ADDRESS>'))
  const legs = await lastLegs()
  const { body, receipts } = legs.at(-1)!
  assert.match(JSON.stringify(body), '<EMAIL_ADDRESS>')
  assert.not.match(JSON.stringify(legs.at(-1)), 'ana.silva@')
  assert.equal(
    receipts.map(({ verdict, findings }) => [verdict, findings]),
    [['modify', { EMAIL_ADDRESS: 1 }]],
  )
})

test('a rule that names no entity looks for all of them, each with a tag of its own', async () => {
  assert.is(
    await said('all'),
    'Write to <EMAIL_ADDRESS> or call <PHONE_NUMBER>; my SSN is <US_SSN>, my card <CREDIT_CARD>.',
  )
})

test('every other action does to what was found what it says', async () => {
  assert.is(await said('redacted'), 'Write to  or call ; my SSN is , my card .')
  const [mail, phone, ssn, card] = [21, 14, 11, 19].map((length) => '*'.repeat(length))
  assert.is(await said('masked'), `Write to ${mail} or call ${phone}; my SSN is ${ssn}, my card ${card}.`)
  assert.match(await said('hashed'), /^Write to [0-9a-f]{64} or call [0-9a-f]{64}; my SSN is [0-9a-f]{64}, /)
})

test('a blocked request never reaches the server', async () => {
  const before = callsOf(server).length
  const { json } = await modern(access, call('cards', { note: 'pay with 4111-1111-1111-1111' }))
  assert.is(json.result.isError, true)
  assert.match(json.result.content[0].text, "rule 'cards'")
  assert.is(callsOf(server).length, before)
  const passed = await modern(access, call('cards', { note: 'order 4111-1111-1111-1112' }))
  assert.not(passed.json.result.isError)
})

test('a name is found by the worker', async () => {
  assert.is(await said('people', 'My name is Ana Silva, and I am late.'), 'My name is *********, and I am late.')
})

test('a rule that only watches changes nothing and raises an alert', async () => {
  assert.is(await said('watch'), TEXT)
  const receipts = (await lastLegs()).flatMap((leg) => leg.receipts)
  assert.equal(
    receipts.map(({ verdict, findings }) => [verdict, findings]),
    [['detect', { PHONE_NUMBER: 1 }]],
  )
})

test('a rule whose entity does not exist is refused, with the place of the fault', async () => {
  const rules = ['{ name: x, engine: pii, hook: both, entities: [SHOE_SIZE], action: mask }']
  const refused = await gateway.configure(yamlOf({ one: server }, { rules })).then(
    () => '',
    (error: Error) => error.message,
  )
  assert.match(refused, /entities/)
})

test.run()
