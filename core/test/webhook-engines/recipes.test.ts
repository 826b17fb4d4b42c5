// time-limit: 300
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, params, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { startRecipe, type Recipe } from './recipe.js'

const SECRET = 'sw0rdfish-of-the-engines'
const RECIPES = [
  'redact-emails',
  'slim-responses',
  'shorten-fields',
  'strip-fields',
  'block-policy',
  'scope-rows',
] as const
type Name = (typeof RECIPES)[number]

/** As servers answer data: in both copies. */
const data = (structuredContent: JsonObject, ...more: readonly JsonObject[]): JsonObject => ({
  content: [{ type: 'text', text: JSON.stringify(structuredContent) }, ...more],
  structuredContent,
})
const text = (...texts: readonly string[]): JsonObject => ({
  content: texts.map((one) => ({ type: 'text', text: one })),
})

const ORDER = { id: 7, customer: 'Ana', total: 12.5, notes: 'long and boring', audit: { by: 'x' } }
const PERSON = { name: 'Ana', salary: 90_000, phone: '+49 555 123456', home: { HOME_ADDRESS: 'Elm 1', city: 'Kiel' } }
const ROWS = { customers: [{ id: 1, region: 'emea' }, { id: 2, region: 'apac' }, { id: 3 }], next: 'p2' }
const LONG = `The first sentence says it. ${'And then it goes on. '.repeat(40)}`

/** What the server answers, by tool. */
const RESULTS: Readonly<Record<string, JsonObject>> = {
  mail: { ...data({ from: 'ana@example.com' }, { type: 'text', text: 'by bob@example.com' }) },
  list_orders: data({ orders: [ORDER, ORDER], next: null }),
  list_other: data({ orders: [ORDER] }),
  read_long: text(LONG, 'short'),
  person: data(PERSON),
  person_as_text: text(JSON.stringify(PERSON)),
  person_in_prose: data(PERSON, { type: 'text', text: 'Ana earns 90000' }),
  marked: text('STRICTLY CONFIDENTIAL: the plan'),
  many: data({ rows: Array.from({ length: 101 }, (_, id) => ({ id })) }),
  few: data({ rows: [{ id: 1 }] }),
  customers: data(ROWS),
  customer: data({ id: 2, region: 'apac', name: 'secret' }),
}
const RULES: Readonly<Record<Name, readonly string[]>> = {
  'redact-emails': ['mail'],
  'slim-responses': ['list_orders', 'list_other'],
  'shorten-fields': ['read_long'],
  'strip-fields': ['person', 'person_*'],
  'block-policy': ['marked', 'many', 'few'],
  'scope-rows': ['customers', 'customer'],
}

let server: FakeServer
let gateway: RunningGateway
let agent: Access
const recipes: Recipe[] = []
test.before(async () => {
  const names = Object.keys(RESULTS)
  server = await fakeUpstream(
    (seen) => answerJson(seen, { result: RESULTS[String(params(seen).name)] as JsonObject }),
    {
      era: 'legacy',
      tools: names,
    },
  )
  gateway = await startGateway({ yaml: yamlOf({ one: server }), env: { ENGINE_SECRET: SECRET } })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  const { items } = (await gateway.api('GET', '/users')) as { items: { id: string }[] }
  const env = { RULE_ENGINE_SECRET: SECRET, REGIONS: JSON.stringify({ [items[0]?.id ?? '']: ['emea'] }) }
  recipes.push(...(await Promise.all(RECIPES.map((name) => startRecipe(name, env)))))
  const engines = RECIPES.map((name, at) => `  ${name}: ${engine(recipes[at]?.url ?? '')}\n`)
  const rules = RECIPES.map(
    (name) => `{ name: ${name}, engine: ${name}, hook: response, features: [${RULES[name].join(', ')}] }`,
  )
  await gateway.configure(`${yamlOf({ one: server }, { rules })}engines:\n${engines.join('')}`)
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await Promise.all(recipes.map((recipe) => recipe.stop()))
})

const engine = (url: string) => `{ kind: webhook, url: ${JSON.stringify(url)}, secret: "\${env:ENGINE_SECRET}" }`
const asked = async (tool: string): Promise<JsonObject> => (await legacy(agent, call(tool))).json.result
const textsOf = ({ content }: JsonObject) => (content as { text: string }[]).map((block) => block.text)

test('no e-mail address reaches the client, in neither copy, and the log shows what was left', async () => {
  assert.equal(await asked('mail'), data({ from: '<EMAIL>' }, { type: 'text', text: 'by <EMAIL>' }))
  const { legs } = (await gateway.recorded(agent)).at(-1) ?? { legs: [] }
  assert.not.match(JSON.stringify(legs), 'example.com')
  const [receipt] = legs.flatMap(({ receipts }) => receipts)
  assert.equal([receipt?.instance, receipt?.engine, receipt?.verdict], ['redact-emails', 'webhook', 'modify'])
})

test('a verbose response is slimmed to the fields that are needed, and another tool’s is left alone', async () => {
  const slim = { id: 7, customer: 'Ana', total: 12.5 }
  assert.equal(await asked('list_orders'), data({ orders: [slim, slim], next: null }))
  assert.equal(await asked('list_other'), RESULTS['list_other'])
})

test('a long text becomes its first sentences', async () => {
  const [long = '', short] = textsOf(await asked('read_long'))
  assert.ok(long.length < 350)
  assert.match(long, /^The first sentence says it\. .*\. \[…\d+ more characters\]$/)
  assert.is(short, 'short')
})

test('fields are taken out or masked by name, whichever way the data came', async () => {
  const stripped = { name: 'Ana', phone: '***3456', home: { city: 'Kiel' } }
  assert.equal(await asked('person'), data(stripped))
  assert.equal(await asked('person_as_text'), text(JSON.stringify(stripped)))
})

test('what may hold a field in prose is not decided, and so blocked', async () => {
  const result = await asked('person_in_prose')
  assert.is(result['isError'], true)
  assert.not.match(JSON.stringify(result), /90000|90_000/)
})

test('what breaks the policy is blocked with a reason, and the rest passes', async () => {
  for (const tool of ['marked', 'many']) assert.is((await asked(tool))['isError'], true)
  assert.match(textsOf(await asked('many'))[0] ?? '', "rule 'block-policy'. Ask for at most 100 rows at a time.")
  assert.not.match(JSON.stringify(await asked('marked')), 'plan')
  assert.equal(await asked('few'), RESULTS['few'])
})

test('people see the rows of their own region', async () => {
  assert.equal(await asked('customers'), data({ customers: [{ id: 1, region: 'emea' }], next: 'p2' }))
  assert.equal(await asked('customer'), data({}))
})

test('an example answers nobody who does not know the secret, and starts for nobody without one', async () => {
  const [recipe] = recipes
  for (const headers of [{}, { 'gatehouse-signature': `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}` }]) {
    const answer = await fetch(recipe?.url ?? '', { method: 'POST', body: '{}', headers })
    assert.equal([answer.status, await answer.text()], [401, '{}'])
  }
  const error = await startRecipe('redact-emails', {}).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  assert.match(error?.message ?? '', 'ended with 2: Set RULE_ENGINE_SECRET')
})

test('the test of an engine shows the message before and after', async () => {
  const answer = await gateway.api('POST', '/engines/redact-emails/test', { text: 'mail ana@example.com' })
  assert.match(JSON.stringify(answer), 'mail <EMAIL>')
  assert.not.match(JSON.stringify(gateway.logs()), SECRET)
})

test.run()
