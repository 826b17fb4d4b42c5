import { startPlugin } from '@gatehouse/sdk/testing'
import { evaluateOnce, tryOnce, valuesOf } from '@gatehouse/sdk/testing/engine'
import { startStandIn, unguardedFetch } from '@gatehouse/sdk/testing/service'
import type { Received, StandInAnswer } from '@gatehouse/sdk/testing/service'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Instance, urlOf } from './config.js'
import plugin from './index.js'

const KEY = { apiKey: 'key-of-a-test' }
const started = () => startPlugin(plugin, {}, { fetch: unguardedFetch })

/** A stand-in for Lakera Guard: the shapes are those of its API reference, the answers made up. */
async function withGuard<T>(answer: StandInAnswer, use: (url: string, received: readonly Received[]) => Promise<T>) {
  const service = await startStandIn(answer)
  try {
    return await use(service.url, service.received)
  } finally {
    await service.close()
  }
}
const verdictOn = (body: unknown, ...texts: readonly string[]) =>
  withGuard(
    () => ({ body }),
    async (url) => evaluateOnce(await started(), 'lakera', { ...KEY, url }, { leaves: valuesOf(...texts) }),
  )

const METADATA = { request_uuid: '00000000-0000-4000-8000-000000000000' }
const PASSED = { flagged: false, breakdown: [], payload: [], metadata: METADATA }
const detector = (type: string, detected = true) => ({
  project_id: 'p',
  policy_id: 'o',
  detector_id: 'd',
  detector_type: type,
  detected,
  message_id: 0,
})
const place = (text: string, start: number, end: number, type = 'pii/email') => ({
  start,
  end,
  text,
  detector_type: type,
  labels: [],
  message_id: 0,
})
const flagged = (types: readonly string[], payload: readonly object[] = []) => ({
  flagged: true,
  breakdown: [...types.map((type) => detector(type)), detector('unknown_links', false)],
  payload,
  metadata: METADATA,
})

test('asks about all texts in one message of the role of its leg', async () => {
  await withGuard(
    () => ({ body: PASSED }),
    async (url, received) => {
      const host = await started()
      const config = { ...KEY, url, project: 'project-1' }
      const leaves = valuesOf('one', 'two', 'one')
      assert.equal(await evaluateOnce(host, 'lakera', config, { leg: 'request', leaves }), { verdict: 'pass' })
      await evaluateOnce(host, 'lakera', config, { leg: 'response', leaves })
      assert.is(received[0]?.path, '/v2/guard')
      assert.is(received[0]?.headers.authorization, 'Bearer key-of-a-test')
      const bodies = received.map(({ text }) => JSON.parse(text))
      assert.equal(bodies[0], {
        messages: [{ role: 'user', content: 'one\n\ntwo' }],
        project_id: 'project-1',
        breakdown: true,
        payload: true,
      })
      assert.is(bodies[1].messages[0].role, 'tool')
    },
  )
})

test('each region has its host', () => {
  const url = (config: object) => urlOf(Instance.parse({ ...KEY, ...config }))
  assert.is(url({}), 'https://api.lakera.ai/v2/guard')
  assert.is(url({ region: 'eu-west-1' }), 'https://eu-west-1.api.lakera.ai/v2/guard')
  assert.is(url({ url: 'https://guard.example/' }), 'https://guard.example/v2/guard')
})

test('blocks what is flagged, says by what kind of detector, and never what was found', async () => {
  const verdict = await verdictOn(flagged(['prompt_attack', 'pii/email'], [place('ana@b.c', 0, 7)]), 'ana@b.c')
  assert.equal(verdict, { verdict: 'block', reason: 'Lakera Guard found an attack on the model, personal data.' })
  assert.equal(await verdictOn({ flagged: true, metadata: METADATA }, 'x'), {
    verdict: 'block',
    reason: 'Lakera Guard flagged this.',
  })
})

test('masks personal data where that is all that was found, in the text that holds it', async () => {
  const verdict = await verdictOn(
    flagged(['pii/email', 'pii/credit_card'], [place('ana@b.c', 10, 17), place('4111', 23, 27, 'pii/credit_card')]),
    'hello',
    'to ana@b.c and 4111',
  )
  assert.is(verdict.verdict, 'block', 'places that hold something else are not believed')
  const right = await verdictOn(
    flagged(['pii/email', 'pii/credit_card'], [place('ana@b.c', 10, 17), place('4111', 22, 26, 'pii/credit_card')]),
    'hello',
    'to ana@b.c and 4111',
  )
  assert.equal(right, { verdict: 'modify', patch: { message: { 1: 'to <EMAIL> and <CREDIT_CARD>' } } })
})

test('places are counted in code points, and in UTF-16 units where only those fit', async () => {
  const text = '😀😀 ana@b.c'
  for (const [start, end] of [
    [3, 10],
    [5, 12],
  ] as const) {
    const verdict = await verdictOn(flagged(['pii/email'], [place('ana@b.c', start, end)]), text)
    assert.equal(verdict, { verdict: 'modify', patch: { message: { 0: '😀😀 <EMAIL>' } } })
  }
})

test('overlapping places become one, and one across two texts is masked in both', async () => {
  const overlapping = [place('ana@b', 0, 5), place('a@b.c', 2, 7)]
  const verdict = await verdictOn(flagged(['pii/email'], overlapping), 'ana@b.c!')
  assert.equal(verdict, { verdict: 'modify', patch: { message: { 0: '<EMAIL>!' } } })
  const across = await verdictOn(flagged(['pii/address'], [place('1\n\nB', 4, 8, 'pii/address')]), 'Road1', 'Bonn')
  assert.equal(across, { verdict: 'modify', patch: { message: { 0: 'Road<ADDRESS>', 1: '<ADDRESS>onn' } } })
})

test('blocks personal data without a place, or with one outside of the text', async () => {
  for (const payload of [[], [place('x', 90, 95)], [place('ana@b.c', 0, 7, 'pii/name')]]) {
    assert.is((await verdictOn(flagged(['pii/email'], payload), 'ana@b.c')).verdict, 'block')
  }
})

test('is undecided about other answers, and about errors without their bodies', async () => {
  for (const body of [{}, [], { flagged: 'no' }, 'not json', { flagged: true, payload: [{ start: -1 }] }]) {
    assert.is((await verdictOn(body, 'x')).verdict, 'undecided', JSON.stringify(body))
  }
  await withGuard(
    () => ({ status: 401, body: { error: 'ana@example.com' } }),
    async (url) => {
      const verdict = await evaluateOnce(await started(), 'lakera', { ...KEY, url }, { leaves: valuesOf('x') })
      assert.equal(verdict, {
        verdict: 'undecided',
        message: 'the service answered HTTP 401: the key is missing or wrong',
      })
    },
  )
})

test('asks again after what passes', async () => {
  await withGuard(
    (_, nth) => (nth < 3 ? { status: 429, headers: { 'retry-after': '0' }, body: {} } : { body: PASSED }),
    async (url, received) => {
      const verdict = await evaluateOnce(await started(), 'lakera', { ...KEY, url }, { leaves: valuesOf('x') })
      assert.equal([verdict.verdict, received.length], ['pass', 3])
    },
  )
})

test('can be tried on a text', async () => {
  await withGuard(
    () => ({ body: flagged(['pii/email'], [place('ana@b.c', 0, 7)]) }),
    async (url) => {
      const tried = await tryOnce(await started(), 'lakera', { ...KEY, url }, 'ana@b.c')
      const message = { content: [{ type: 'text', text: '<EMAIL>' }] }
      assert.equal(tried.ok && tried.evaluation, { verdict: 'modify', patch: { message } })
    },
  )
})

test('an instance is refused with the key that is wrong, and its key is a secret', async () => {
  const path = (config: object) => Instance.safeParse(config).error?.issues[0]?.path.join('.')
  assert.is(path({}), 'apiKey')
  assert.is(path({ ...KEY, region: 'mars' }), 'region')
  assert.is(path({ ...KEY, region: 'eu-west-1', url: 'https://guard.example' }), 'url')
  assert.equal((await started()).options.get('engine.prepare/lakera')?.secret, ['apiKey'])
})

test.run()
