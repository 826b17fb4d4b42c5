import { startPlugin } from '@gatehouse/sdk/testing'
import { evaluateOnce, tryOnce, valuesOf } from '@gatehouse/sdk/testing/engine'
import { startStandIn, unguardedFetch } from '@gatehouse/sdk/testing/service'
import type { StandInAnswer } from '@gatehouse/sdk/testing/service'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Instance, urlOf } from './config.js'
import plugin from './index.js'
import { sign } from './sigv4.js'

const ARN = 'arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123'
const KEY = { guardrail: ARN, guardrailVersion: '3', apiKey: 'key-of-a-test' }

/** A stand-in for the Bedrock runtime: the shapes are those of its API reference, the answers made up. */
async function withGuardrail<T>(answer: StandInAnswer, use: (url: string, received: readonly Sent[]) => Promise<T>) {
  const service = await startStandIn(answer)
  try {
    return await use(service.url, service.received)
  } finally {
    await service.close()
  }
}
type Sent = Awaited<ReturnType<typeof startStandIn>>['received'][number]

const NOW = Date.parse('2026-03-01T10:00:00Z')
const started = () => startPlugin(plugin, {}, { fetch: unguardedFetch, now: () => NOW })
const verdictOn = (body: unknown, ...texts: readonly string[]) =>
  withGuardrail(
    () => ({ body }),
    async (url) => evaluateOnce(await started(), 'bedrock', { ...KEY, url }, { leaves: valuesOf(...texts) }),
  )

const PASSED = { action: 'NONE', outputs: [], assessments: [{}], usage: { contentPolicyUnits: 1 } }
const intervened = (assessment: object, ...texts: readonly string[]) => ({
  action: 'GUARDRAIL_INTERVENED',
  actionReason: 'Guardrail blocked.',
  outputs: texts.map((text) => ({ text })),
  assessments: [assessment],
})
const pii = (action: string) => ({
  sensitiveInformationPolicy: { piiEntities: [{ type: 'EMAIL', match: 'ana@example.com', action }], regexes: [] },
})
const attack = { contentPolicy: { filters: [{ type: 'PROMPT_ATTACK', confidence: 'HIGH', action: 'BLOCKED' }] } }

test('asks for one content block for each text, at the address of the guardrail, with the key as bearer', async () => {
  await withGuardrail(
    () => ({ body: PASSED }),
    async (url, received) => {
      const host = await started()
      const leaves = valuesOf('one', 'two', 'one')
      assert.equal(await evaluateOnce(host, 'bedrock', { ...KEY, url }, { leg: 'request', leaves }), {
        verdict: 'pass',
      })
      await evaluateOnce(host, 'bedrock', { ...KEY, url }, { leg: 'response', leaves })
      const [request, response] = received
      assert.is(request?.method, 'POST')
      assert.is(request?.path, `/guardrail/${encodeURIComponent(ARN)}/version/3/apply`)
      assert.is(request?.headers.authorization, 'Bearer key-of-a-test')
      assert.equal(JSON.parse(request?.text ?? ''), {
        source: 'INPUT',
        content: [{ text: { text: 'one' } }, { text: { text: 'two' } }],
      })
      assert.is(JSON.parse(response?.text ?? '').source, 'OUTPUT')
    },
  )
})

test('signs with keys of AWS in place of a key of Bedrock', async () => {
  const { apiKey: _, ...open } = KEY
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' }
  await withGuardrail(
    () => ({ body: PASSED }),
    async (url, received) => {
      await evaluateOnce(await started(), 'bedrock', { ...open, ...keys, url }, { leaves: valuesOf('one') })
      const sent = received[0] as Sent
      const headers = { 'content-type': 'application/json', accept: 'application/json' }
      const expected = sign({ method: 'POST', url: `${url}${sent.path}`, headers, body: sent.text }, keys, {
        region: 'eu-central-1',
        service: 'bedrock',
        now: NOW,
      })
      assert.is(sent.headers.authorization, expected['authorization'])
      assert.is(sent.headers['x-amz-security-token'], 'session')
    },
  )
})

test('the address follows from the ARN, also in China, and from id and region', () => {
  const url = (config: object) => urlOf(Instance.parse({ guardrailVersion: 'DRAFT', apiKey: 'x', ...config }))
  const path = (guardrail: string) => `/guardrail/${encodeURIComponent(guardrail)}/version/DRAFT/apply`
  assert.is(url({ guardrail: ARN }), `https://bedrock-runtime.eu-central-1.amazonaws.com${path(ARN)}`)
  const china = 'arn:aws-cn:bedrock:cn-north-1:123456789012:guardrail/abc'
  assert.is(url({ guardrail: china }), `https://bedrock-runtime.cn-north-1.amazonaws.com.cn${path(china)}`)
  assert.is(
    url({ guardrail: 'abc', region: 'us-east-1' }),
    `https://bedrock-runtime.us-east-1.amazonaws.com${path('abc')}`,
  )
  assert.is(
    url({ guardrail: 'abc', region: 'us-east-1', url: 'https://vpce.example/' }),
    `https://vpce.example${path('abc')}`,
  )
})

test('masks where all it did was to mask, each text with its own output', async () => {
  const verdict = await verdictOn(intervened(pii('ANONYMIZED'), 'mail {EMAIL}', 'two'), 'mail ana@example.com', 'two')
  assert.equal(verdict, { verdict: 'modify', patch: { message: { 0: 'mail {EMAIL}' } } })
})

test('blocks where the outputs do not fit the texts', async () => {
  const verdict = await verdictOn(intervened(pii('ANONYMIZED'), 'mail {EMAIL}'), 'mail ana@example.com', 'two')
  assert.equal(verdict, { verdict: 'block', reason: 'The guardrail found sensitive information.' })
})

test('blocks what any policy blocked, and never tells what was found', async () => {
  for (const assessment of [attack, pii('BLOCKED'), { ...attack, ...pii('ANONYMIZED') }]) {
    const verdict = await verdictOn(intervened(assessment, 'Sorry.'), 'mail ana@example.com')
    assert.is(verdict.verdict, 'block')
    assert.not.match(JSON.stringify(verdict), 'ana@')
  }
  const topic = { topicPolicy: { topics: [{ name: 'x', type: 'DENY', action: 'BLOCKED' }] } }
  const verdict = await verdictOn(intervened({ ...attack, ...topic }, 'Sorry.'), 'x')
  assert.equal(verdict, {
    verdict: 'block',
    reason: 'The guardrail found harmful content or an attack on the model, a denied topic.',
  })
})

test('what it only detected passes', async () => {
  assert.equal(await verdictOn({ ...PASSED, assessments: [pii('NONE')] }, 'ana@example.com'), { verdict: 'pass' })
})

test('is undecided about whatever else is answered', async () => {
  for (const body of [intervened({}), { action: 'PERHAPS' }, {}, [], 'not json', { action: 'NONE', outputs: 5 }]) {
    assert.is((await verdictOn(body, 'x')).verdict, 'undecided', JSON.stringify(body))
  }
})

test('is undecided about errors, asks again after some, and tells nothing of their bodies', async () => {
  await withGuardrail(
    (_, nth) => (nth === 1 ? { status: 503, body: {} } : { body: PASSED }),
    async (url, received) => {
      const verdict = await evaluateOnce(await started(), 'bedrock', { ...KEY, url }, { leaves: valuesOf('x') })
      assert.equal([verdict.verdict, received.length], ['pass', 2])
    },
  )
  await withGuardrail(
    () => ({ status: 403, body: { message: 'ana@example.com may not' } }),
    async (url, received) => {
      const host = await started()
      const verdict = await evaluateOnce(host, 'bedrock', { ...KEY, url }, { leaves: valuesOf('ana@example.com') })
      assert.equal(verdict, {
        verdict: 'undecided',
        message: 'the service answered HTTP 403: the key is wrong, or may not apply the guardrail',
      })
      assert.equal([received.length, host.log], [1, []])
    },
  )
})

test('a late service is undecided before its deadline', async () => {
  await withGuardrail(
    () => () => {},
    async (url) => {
      const shown = { leaves: valuesOf('x'), deadline: Date.now() + 400 }
      assert.is((await evaluateOnce(await started(), 'bedrock', { ...KEY, url }, shown)).verdict, 'undecided')
    },
  )
})

test('long texts are asked about in parts of 25,000 characters, and too long ones not at all', async () => {
  await withGuardrail(
    () => ({ body: PASSED }),
    async (url, received) => {
      const host = await started()
      const ask = (text: string) => evaluateOnce(host, 'bedrock', { ...KEY, url }, { leaves: valuesOf(text) })
      assert.is((await ask('word '.repeat(12_000))).verdict, 'pass')
      assert.is(received.length, 3)
      assert.is((await ask('word '.repeat(200_000))).verdict, 'undecided')
      assert.is(received.length, 3)
    },
  )
})

test('can be tried on a text, without a second attempt', async () => {
  await withGuardrail(
    () => ({ body: intervened(pii('ANONYMIZED'), 'mail {EMAIL}') }),
    async (url) => {
      const tried = await tryOnce(await started(), 'bedrock', { ...KEY, url }, 'mail ana@example.com')
      assert.ok(tried.ok)
      const message = { content: [{ type: 'text', text: 'mail {EMAIL}' }] }
      assert.equal(tried.ok && tried.evaluation, { verdict: 'modify', patch: { message } })
      assert.match(tried.ok ? (tried.notes?.[0] ?? '') : '', /^HTTP 200 in \d+ ms$/)
    },
  )
  await withGuardrail(
    () => ({ status: 503, body: {} }),
    async (url, received) => {
      await tryOnce(await started(), 'bedrock', { ...KEY, url }, 'x')
      assert.is(received.length, 1)
    },
  )
})

test('an instance is refused with the key that is wrong', async () => {
  const path = (config: object) => Instance.safeParse(config).error?.issues[0]?.path.join('.')
  assert.is(path({ ...KEY, guardrail: 'ABC' }), 'guardrail')
  assert.is(path({ ...KEY, guardrailVersion: '0' }), 'guardrailVersion')
  assert.is(path({ ...KEY, guardrail: 'abc' }), 'region')
  assert.is(path({ ...KEY, region: 'us-east-1' }), 'region')
  for (const keys of [
    { apiKey: undefined },
    { accessKeyId: 'a', secretAccessKey: 'b' },
    { apiKey: undefined, accessKeyId: 'a' },
  ]) {
    assert.not.ok(Instance.safeParse({ ...KEY, ...keys }).success)
  }
  const host = await started()
  const ask = (facts: object) =>
    host.askKeyed('engine.prepare', 'bedrock', { config: {}, action: null, instance: null, rule: null, ...facts })
  assert.not.ok((await ask({})).ok)
  const instance = { id: 'e', name: 'e', config: KEY }
  assert.ok((await ask({ instance, action: 'detect' })).ok)
  assert.not.ok((await ask({ instance, action: 'mask' })).ok)
  assert.not.ok((await ask({ instance, config: { patterns: ['x'] } })).ok)
})

test('its secrets are declared as such', async () => {
  const declared = (await started()).options.get('engine.prepare/bedrock')
  assert.equal(declared?.secret, ['apiKey', 'secretAccessKey', 'sessionToken'])
  assert.equal([declared?.engine?.answers, declared?.engine?.fails], ['verdict', true])
})

test.run()
