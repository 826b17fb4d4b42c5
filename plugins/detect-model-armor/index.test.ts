import { createVerify, generateKeyPairSync } from 'node:crypto'
import { callContext, startPlugin } from '@gatehouse/sdk/testing'
import { evaluateOnce, tryOnce, valuesOf } from '@gatehouse/sdk/testing/engine'
import { startStandIn, unguardedFetch } from '@gatehouse/sdk/testing/service'
import type { Received, StandInReply } from '@gatehouse/sdk/testing/service'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Instance, urlOf } from './config.js'
import plugin from './index.js'

const TEMPLATE = 'projects/acme/locations/europe-west4/templates/strict'
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

interface Google {
  readonly config: Readonly<Record<string, unknown>>
  /** Requests for a token, and requests to sanitize. */
  readonly tokens: () => readonly Received[]
  readonly asked: () => readonly Received[]
}
type Sanitize = (text: string, nth: number) => StandInReply

/** A stand-in for Google's token endpoint and Model Armor: the shapes are those of the references, the answers made up. */
async function withGoogle<T>(sanitize: Sanitize, use: (google: Google) => Promise<T>, expiresIn = 3_600): Promise<T> {
  let nth = 0
  let given = 0
  const service = await startStandIn(({ path, text }) => {
    if (path === '/token') return { body: { access_token: `token-${(given += 1)}`, expires_in: expiresIn } }
    const { userPromptData, modelResponseData } = JSON.parse(text)
    return sanitize((userPromptData ?? modelResponseData).text, (nth += 1))
  })
  const account = {
    type: 'service_account',
    client_email: 'gate@acme.example',
    private_key_id: 'key-1',
    private_key: privateKey,
    token_uri: `${service.url}/token`,
  }
  const of = (isToken: boolean) => () => service.received.filter(({ path }) => (path === '/token') === isToken)
  try {
    const config = { template: TEMPLATE, serviceAccount: JSON.stringify(account), url: service.url }
    return await use({ config, tokens: of(true), asked: of(false) })
  } finally {
    await service.close()
  }
}

const started = (now?: () => number) =>
  startPlugin(plugin, {}, { fetch: unguardedFetch, ...(now === undefined ? {} : { now }) })
const verdictOn = (sanitize: Sanitize, ...texts: readonly string[]) =>
  withGoogle(sanitize, async ({ config }) =>
    evaluateOnce(await started(), 'model-armor', config, { leaves: valuesOf(...texts) }),
  )

const RAN = { executionState: 'EXECUTION_SUCCESS' }
const NONE = { ...RAN, matchState: 'NO_MATCH_FOUND' }
const FOUND = { ...RAN, matchState: 'MATCH_FOUND' }
const result = (filters: object, facts: object = {}): StandInReply => ({
  body: {
    sanitizationResult: {
      filterMatchState: JSON.stringify(filters).includes('"MATCH_FOUND"') ? 'MATCH_FOUND' : 'NO_MATCH_FOUND',
      filterResults: { csam: { csamFilterFilterResult: NONE }, ...filters },
      invocationResult: 'SUCCESS',
      ...facts,
    },
  },
})
const attack = { pi_and_jailbreak: { piAndJailbreakFilterResult: { ...FOUND, confidenceLevel: 'HIGH' } } }
const masked = (text: string) => ({
  sdp: { sdpFilterResult: { deidentifyResult: { ...FOUND, data: { text }, infoTypes: ['EMAIL_ADDRESS'] } } },
})
const inspected = {
  sdp: { sdpFilterResult: { inspectResult: { ...FOUND, findings: [{ infoType: 'EMAIL_ADDRESS' }] } } },
}

test('sanitizes a prompt on the way there and a response on the way back, at the address of its location', async () => {
  await withGoogle(
    () => result({}),
    async ({ config, asked, tokens }) => {
      const host = await started()
      const leaves = valuesOf('one', 'two')
      assert.equal(await evaluateOnce(host, 'model-armor', config, { leg: 'request', leaves }), { verdict: 'pass' })
      await evaluateOnce(host, 'model-armor', config, { leg: 'response', leaves })
      const [prompt, response] = asked()
      assert.is(prompt?.path, `/v1/${TEMPLATE}:sanitizeUserPrompt`)
      assert.equal(JSON.parse(prompt?.text ?? ''), { userPromptData: { text: 'one\n\ntwo' } })
      assert.is(prompt?.headers.authorization, 'Bearer token-1')
      assert.is(response?.path, `/v1/${TEMPLATE}:sanitizeModelResponse`)
      assert.equal(JSON.parse(response?.text ?? ''), { modelResponseData: { text: 'one\n\ntwo' } })
      assert.is(tokens().length, 2, 'each rule has a token of its own')
    },
  )
  const { url: _, ...own } = Instance.parse({ template: TEMPLATE, serviceAccount: account(), url: 'https://x.example' })
  assert.is(
    urlOf(own, 'request'),
    `https://modelarmor.europe-west4.rep.googleapis.com/v1/${TEMPLATE}:sanitizeUserPrompt`,
  )
})

const account = () => JSON.stringify({ type: 'service_account', client_email: 'a', private_key: privateKey })

test('asks for a token with an assertion that the account signed', async () => {
  const now = Date.parse('2026-03-01T10:00:00Z')
  await withGoogle(
    () => result({}),
    async ({ config, tokens }) => {
      await evaluateOnce(await started(() => now), 'model-armor', config, { leaves: valuesOf('x') })
      const form = new URLSearchParams(tokens()[0]?.text)
      assert.is(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
      const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
      assert.ok(createVerify('RSA-SHA256').update(`${header}.${claims}`).verify(publicKey, signature, 'base64url'))
      const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
      assert.equal(read(header), { alg: 'RS256', typ: 'JWT', kid: 'key-1' })
      const { aud, ...others } = read(claims)
      assert.match(aud, /\/token$/)
      assert.equal(others, {
        iss: 'gate@acme.example',
        scope: 'https://www.googleapis.com/auth/cloud-platform',
        iat: now / 1_000,
        exp: now / 1_000 + 3_600,
      })
    },
  )
})

/** Prepares one rule and evaluates it as often as told. */
async function evaluateOften(config: Google['config'], clock: { now: number }, times: readonly number[]) {
  const host = await started(() => clock.now)
  const instance = { id: 'e', name: 'e', config }
  const prepared = await host.askKeyed('engine.prepare', 'model-armor', {
    config: {},
    action: null,
    instance,
    rule: null,
  })
  const state = prepared.ok ? prepared.state : null
  for (const now of times) {
    clock.now = now
    const message = {}
    const [leaves, context] = [valuesOf('x'), callContext()]
    const request = { state, pass: 0, leg: 'request' as const, leaves, message, context, header: () => undefined }
    await host.askKeyed('engine.evaluate', 'model-armor', { ...request, rewrite: () => message })
  }
}

test('a token is used until a minute before it ends, and forgotten when it is not taken', async () => {
  await withGoogle(
    () => result({}),
    async ({ config, tokens }) => {
      await evaluateOften(config, { now: 0 }, [0, 1_000, 3_539_000])
      assert.is(tokens().length, 1)
      await evaluateOften(config, { now: 0 }, [0, 3_541_000])
      assert.is(tokens().length, 3)
    },
  )
  await withGoogle(
    (_, nth) => (nth === 1 ? { status: 401, body: {} } : result({})),
    async ({ config, tokens }) => {
      await evaluateOften(config, { now: 0 }, [0, 1, 2])
      assert.is(tokens().length, 2)
    },
  )
})

test('blocks what any filter but masking found, and names the filter alone', async () => {
  assert.equal(await verdictOn(() => result(attack), 'x'), {
    verdict: 'block',
    reason: 'Model Armor found an attack on the model.',
  })
  assert.is((await verdictOn(() => result(inspected), 'ana@b.c')).verdict, 'block')
  const both = await verdictOn(() => result({ ...masked('[EMAIL]'), ...attack }), 'ana@b.c')
  assert.equal(both, { verdict: 'block', reason: 'Model Armor found sensitive data, an attack on the model.' })
})

const mask: Sanitize = (text) => result(text.includes('ana@b.c') ? masked(text.replaceAll('ana@b.c', '[EMAIL]')) : {})

test('masks where the template masks and nothing else was found, each text by itself', async () => {
  assert.equal(await verdictOn(mask, 'to ana@b.c'), { verdict: 'modify', patch: { message: { 0: 'to [EMAIL]' } } })
  await withGoogle(mask, async ({ config, asked }) => {
    const shown = { leaves: valuesOf('one', 'to ana@b.c', 'ana@b.c') }
    assert.equal(await evaluateOnce(await started(), 'model-armor', config, shown), {
      verdict: 'modify',
      patch: { message: { 1: 'to [EMAIL]', 2: '[EMAIL]' } },
    })
    assert.is(asked().length, 4)
  })
})

test('blocks what was found across texts alone, and what would be too many questions', async () => {
  const across: Sanitize = (text) => result(text.includes('\n\n') ? masked('x') : {})
  assert.is((await verdictOn(across, 'one', 'two')).verdict, 'block')
  const many = Array.from({ length: 21 }, (_, index) => `${index} ana@b.c`)
  assert.is((await verdictOn(mask, ...many)).verdict, 'block')
})

test('is undecided when a filter did not run, unless another one found something', async () => {
  const skipped = { pi_and_jailbreak: { piAndJailbreakFilterResult: { ...NONE, executionState: 'EXECUTION_SKIPPED' } } }
  assert.is((await verdictOn(() => result(skipped), 'x')).verdict, 'undecided')
  assert.is((await verdictOn(() => result({}, { invocationResult: 'PARTIAL' }), 'x')).verdict, 'undecided')
  assert.is((await verdictOn(() => result({ ...skipped, ...inspected }), 'x')).verdict, 'block')
  assert.is((await verdictOn(() => result({ ...skipped, ...masked('y') }), 'x')).verdict, 'block')
})

test('is undecided about other answers, about errors, and without a token', async () => {
  for (const body of [{}, [], 'not json', { sanitizationResult: { filterMatchState: 'PERHAPS' } }]) {
    assert.is((await verdictOn(() => ({ body }), 'x')).verdict, 'undecided', JSON.stringify(body))
  }
  const verdict = await verdictOn(() => ({ status: 403, body: { error: { message: 'ana@b.c' } } }), 'ana@b.c')
  assert.equal(verdict, {
    verdict: 'undecided',
    message: 'the service answered HTTP 403: the service account may not use Model Armor (roles/modelarmor.user)',
  })
  const service = await startStandIn(() => ({ status: 400, body: { error: 'invalid_grant' } }))
  const key = { ...JSON.parse(account()), token_uri: service.url }
  const config = { template: TEMPLATE, serviceAccount: JSON.stringify(key), url: service.url }
  const refused = await evaluateOnce(await started(), 'model-armor', config, { leaves: valuesOf('x') })
  await service.close()
  assert.match(JSON.stringify(refused), 'no token for the service account')
  assert.is(refused.verdict, 'undecided')
})

test('can be tried on a text', async () => {
  await withGoogle(mask, async ({ config }) => {
    const tried = await tryOnce(await started(), 'model-armor', config, 'to ana@b.c')
    const message = { content: [{ type: 'text', text: 'to [EMAIL]' }] }
    assert.equal(tried.ok && tried.evaluation, { verdict: 'modify', patch: { message } })
    assert.is(tried.ok && tried.notes?.length, 2)
  })
})

test('an instance is refused with the key that is wrong, and the account is a secret', async () => {
  const path = (config: object) => Instance.safeParse(config).error?.issues[0]?.path.join('.')
  assert.is(path({ template: 'strict', serviceAccount: account() }), 'template')
  assert.is(path({ template: TEMPLATE, serviceAccount: '{}' }), 'serviceAccount')
  assert.is(path({ template: TEMPLATE, serviceAccount: 'x' }), 'serviceAccount')
  assert.equal((await started()).options.get('engine.prepare/model-armor')?.secret, ['serviceAccount'])
})

test.run()
