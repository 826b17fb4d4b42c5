// time-limit: 180
import { generateKeyPairSync } from 'node:crypto'
import type { JsonObject } from '@gatehouse/sdk'
import { startStandIn, type StandIn } from '@gatehouse/sdk/testing/service'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, yamlOf, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type Recorded, type RunningGateway } from '../gateway.js'

const MAIL = 'ana@example.com'
const ARN = 'arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123'
const TEMPLATE = 'projects/acme/locations/europe-west4/templates/strict'

let server: FakeServer
let vendors: StandIn
let gateway: RunningGateway
let agent: Access
let isDown = false

/** All three vendors behind one address: each masks mail addresses and blocks attacks, in its own words. */
const answerFor = (path: string, body: Readonly<Record<string, unknown>>): unknown => {
  if (path === '/token') return { access_token: 'token-of-google', expires_in: 3_600 }
  if (path.startsWith('/guardrail/'))
    return guardrail((body['content'] as { text: { text: string } }[]).map(({ text }) => text.text))
  if (path === '/v2/guard') return lakera((body['messages'] as { content: string }[])[0]?.content ?? '')
  return armor(((body['userPromptData'] ?? body['modelResponseData']) as { text: string }).text)
}

const guardrail = (texts: readonly string[]) => {
  const isAttack = texts.some((text) => text.includes('attack'))
  const attack = { contentPolicy: { filters: [{ type: 'PROMPT_ATTACK', action: 'BLOCKED' }] } }
  const masks = { sensitiveInformationPolicy: { piiEntities: [{ type: 'EMAIL', action: 'ANONYMIZED' }] } }
  if (!isAttack && !texts.some((text) => text.includes(MAIL))) return { action: 'NONE', outputs: [], assessments: [] }
  const outputs = isAttack ? [{ text: 'Sorry.' }] : texts.map((text) => ({ text: text.replaceAll(MAIL, '{EMAIL}') }))
  return { action: 'GUARDRAIL_INTERVENED', outputs, assessments: [isAttack ? attack : masks] }
}

const lakera = (text: string) => {
  const found = text.includes('attack') ? 'prompt_attack' : text.includes(MAIL) ? 'pii/email' : null
  const start = text.indexOf(MAIL)
  const place = { start, end: start + MAIL.length, text: MAIL, detector_type: 'pii/email', labels: [], message_id: 0 }
  return {
    flagged: found !== null,
    breakdown: found === null ? [] : [{ detector_type: found, detected: true, message_id: 0 }],
    payload: found === 'pii/email' ? [place] : [],
    metadata: { request_uuid: 'r' },
  }
}

const armor = (text: string) => {
  const ran = { executionState: 'EXECUTION_SUCCESS', matchState: 'MATCH_FOUND' }
  const attack = { pi_and_jailbreak: { piAndJailbreakFilterResult: ran } }
  const data = { text: text.replaceAll(MAIL, '[EMAIL]') }
  const masks = { sdp: { sdpFilterResult: { deidentifyResult: { ...ran, data } } } }
  const filterResults = text.includes('attack') ? attack : text.includes(MAIL) ? masks : {}
  const filterMatchState = Object.keys(filterResults).length > 0 ? 'MATCH_FOUND' : 'NO_MATCH_FOUND'
  return { sanitizationResult: { filterMatchState, filterResults, invocationResult: 'SUCCESS' } }
}

const ENGINES = (url: string) => `engines:
  bedrock-1: { kind: bedrock, guardrail: "${ARN}", guardrailVersion: "1", url: "${url}", apiKey: "\${env:VENDOR_KEY}" }
  lakera-1: { kind: lakera, url: "${url}", apiKey: "\${env:VENDOR_KEY}" }
  armor-1: { kind: model-armor, template: ${TEMPLATE}, url: "${url}", serviceAccount: "\${env:SERVICE_ACCOUNT}" }
`
const NAMES = ['bedrock', 'lakera', 'armor']

test.before(async () => {
  vendors = await startStandIn(({ path, text }) => {
    if (isDown) return { status: 400, body: { message: text } }
    return { body: answerFor(path, path === '/token' ? {} : JSON.parse(text)) }
  })
  const mailing = { structuredContent: { to: MAIL }, content: [{ type: 'text', text: JSON.stringify({ to: MAIL }) }] }
  const plain = { content: [{ type: 'text', text: 'done' }] }
  const answer = (seen: Seen) => (String(params(seen)['name']).endsWith('-back') ? mailing : plain)
  server = await fakeUpstream((seen) => answerJson(seen, { result: { ...answer(seen), resultType: 'complete' } }), {
    tools: [...NAMES, ...NAMES.map((name) => `${name}-back`)],
  })
  const rules = NAMES.flatMap((name) => [
    `{ name: ${name} there, engine: ${name}-1, hook: request, features: [${name}] }`,
    `{ name: ${name} back, engine: ${name}-1, hook: response, features: [${name}-back] }`,
  ])
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const account = { type: 'service_account', client_email: 'gate@acme.example', private_key: privateKey }
  const env = {
    VENDOR_KEY: 'key-of-the-vendor',
    SERVICE_ACCOUNT: JSON.stringify({ ...account, token_uri: `${vendors.url}/token` }),
  }
  gateway = await startGateway({ yaml: yamlOf({ one: server }, { rules }) + ENGINES(vendors.url), env })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await vendors.close()
})

const ask = async (tool: string, given: JsonObject): Promise<JsonObject> =>
  (await legacy(agent, call(tool, given))).json.result
const last = async (): Promise<Recorded> => (await gateway.recorded(agent)).at(-1) as Recorded
const verdicts = async () => (await last()).legs.flatMap(({ receipts }) => receipts.map(({ verdict }) => verdict))

const TAGS = { bedrock: '{EMAIL}', lakera: '<EMAIL>', armor: '[EMAIL]' }

for (const [name, tag] of Object.entries(TAGS)) {
  test(`${name}: what the service masks is masked on the way there, with what it is beside`, async () => {
    await ask(name, { note: `to ${MAIL}`, count: 3 })
    assert.equal(params(callsOf(server).at(-1) as Seen).arguments, { note: `to ${tag}`, count: 3 })
    assert.equal(await verdicts(), ['modify'])
    assert.not.match(JSON.stringify((await last()).legs), MAIL)
  })

  test(`${name}: what it masks on the way back is masked in structured content and its copy`, async () => {
    const { structuredContent, content } = await ask(`${name}-back`, {})
    assert.equal(structuredContent, { to: tag })
    assert.equal(content, [{ type: 'text', text: JSON.stringify({ to: tag }) }])
  })

  test(`${name}: what it blocks never reaches the server, and what it passes does`, async () => {
    const before = callsOf(server).length
    const blocked = await ask(name, { note: 'an attack' })
    assert.equal([blocked['isError'], callsOf(server).length], [true, before])
    assert.match(JSON.stringify(blocked), `rule '${name} there'`)
    assert.equal(await verdicts(), ['block'])
    await ask(name, { note: 'harmless' })
    assert.is(callsOf(server).length, before + 1)
    assert.equal(await verdicts(), ['pass'])
  })

  test(`${name}: a service that does not answer blocks, and nothing of the message is logged`, async () => {
    isDown = true
    const blocked = await ask(name, { note: `hidden ${MAIL}` })
    isDown = false
    assert.is(blocked['isError'], true)
    assert.equal(await verdicts(), ['undecided'])
    assert.not.match(gateway.logs(), MAIL)
    assert.not.match(gateway.logs(), 'key-of-the-vendor')
  })
}

test('a text outside of the arguments that would have to be masked blocks', async () => {
  const { json } = await legacy(agent, {
    method: 'tools/call',
    params: { name: 'lakera', arguments: {}, _meta: { note: MAIL } },
  })
  assert.is(json.result['isError'], true)
  assert.equal(await verdicts(), ['undecided'])
})

test('keys of the vendors are never shown again', async () => {
  const { items } = (await gateway.api('GET', '/engines')) as { items: readonly unknown[] }
  assert.is(items.length, 3)
  assert.not.match(JSON.stringify(items), /key-of-the-vendor|PRIVATE KEY/)
})

test.run()
