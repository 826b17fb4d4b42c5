import type { Evaluation, EvaluateRequest, Leaf } from '@gatehouse/sdk'
import { fill, readHit, SAMPLES } from '@gatehouse/sdk/patterns/samples'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ASSIGNMENT, SECRETS } from './config.js'
import { createEngine, prepare } from './engine.js'
import { ordinaryTexts } from './ordinary.fixture.js'
import { createPool } from './pool.js'

/** Nothing is left to a worker here, however long it takes. */
const here = createEngine({ run: () => Promise.reject(new Error('asked')) }, Infinity)
const evaluate = (request: Pick<EvaluateRequest, 'state' | 'leaves'>) => here.evaluate(request) as Evaluation

function state(config: Record<string, unknown> = {}): unknown {
  const prepared = prepare({ config, action: 'detect' })
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.errors))
  return prepared.state
}
const all = state()
const leaf = (text: string, kind: Leaf['kind'] = 'value'): Leaf => ({ kind, text })
const found = (evaluation: Evaluation) =>
  evaluation.verdict === 'findings'
    ? evaluation.findings.map(({ type, leaf: index, start, end }) => [type, index, start, end])
    : []
const ask = (text: string, own: unknown = all) => found(evaluate({ state: own, leaves: [leaf(text)] }))
/** A text, and where `value` stands in it. */
const at = (text: string, value: string) => [[ASSIGNMENT, 0, text.indexOf(value), text.indexOf(value) + value.length]]

test('every sample of every vendor is found, under its id and exactly', () => {
  for (const { id } of SECRETS) {
    for (const sample of SAMPLES[id]?.hits ?? []) {
      const { text, start, end } = readHit(sample)
      assert.equal(ask(text, state({ only: [id] })), [[id, 0, start, end]], `${id}: ${sample}`)
      const among = found(evaluate({ state: all, leaves: [leaf('x'), leaf(`see ${text}, please`)] }))
      assert.ok(
        among.some(([type, index, from]) => type === id && index === 1 && from === start + 4),
        sample,
      )
    }
  }
})

test('no negative sample of a vendor is found as one', () => {
  for (const { id } of SECRETS) {
    for (const sample of SAMPLES[id]?.misses ?? []) assert.equal(ask(fill(sample), state({ only: [id] })), [], sample)
  }
})

test('several secrets in several texts are all found', () => {
  const first = fill('ghp_{a36}')
  const second = fill('xoxb-{d12}-{d13}-{a24}')
  const leaves = [leaf(`${first} ${second}`), leaf('nothing'), leaf(first, 'key')]
  assert.equal(found(evaluate({ state: all, leaves })), [
    ['github-token', 0, 0, 40],
    ['slack-token', 0, 41, 41 + second.length],
    ['github-token', 2, 0, 40],
  ])
})

test('a value behind the name of a secret is found when it looks like one', () => {
  const key = fill('{a32}')
  for (const text of [
    `api_key = "${key}"`,
    `API-KEY: ${key}`,
    `{"clientSecret":"${key}"}`,
    `export SERVICE_TOKEN=${key}`,
    `{\\"apiKey\\":\\"${key}\\"}`,
    `Authorization: Bearer ${key}`,
    `secret_key_base: '${key}'`,
    `<token>${key}</token>`,
  ]) {
    assert.equal(ask(text), at(text, key), text)
  }
  const digest = fill('{h40}')
  assert.equal(ask(`token: ${digest}`), at(`token: ${digest}`, digest))
})

test('a password is found without being random, as people have them', () => {
  for (const value of ['Sommer2026!', 'hunter2xyz', 'P@ssw0rd', 'correct-horse-7']) {
    const text = `password: ${value}`
    assert.equal(ask(text), at(text, value), value)
  }
})

test('what only looks like an assignment is left alone', () => {
  for (const text of [
    'password: required',
    'password = getpass(prompt)',
    'token: process.env.API_TOKEN',
    'token = "<your-token-here>"',
    'api_key: ${API_KEY}',
    'api_key: {{ api_key }}',
    'secret: xxxxxxxxxxxxxxxxxxxxxxxx',
    `nextPageToken: ${fill('{a40}')}`,
    `csrf_token=${fill('{a40}')}`,
    'max_tokens: 4096',
    'token: 5e8f1c1a-7d5b-4a3e-9a34-0f3f0a6f3a11',
    'secretName: registry-credentials-production-2',
    'password === other.password1',
    '"AWS::IAM::AccessKey": "72c2d9dd90025459"',
    'token: your-very-own-service-account-name-1',
  ]) {
    assert.equal(ask(text), [], text)
  }
})

test('a name apart from its value is found in the whole message, where nothing else is looked for', () => {
  const value = fill('{a32}')
  const text = `{"arguments":{"api_key":"${value}"}}`
  assert.equal(found(evaluate({ state: all, leaves: [leaf(text, 'whole')] })), at(text, value))
  assert.is(evaluate({ state: all, leaves: [leaf(fill('ghp_{a36}'), 'whole')] }).verdict, 'pass')
})

test('a value that a vendor is known for is found once, as what it is', () => {
  const text = fill('token = ghp_{a36}')
  assert.equal(ask(text), [['github-token', 0, 8, 48]])
})

test('ids narrow what is looked for, and entropy can be switched off or turned', () => {
  const both = `${fill('ghp_{a36}')} ${fill('npm_{a36}')}`
  assert.equal(
    ask(both, state({ only: ['npm-token'] })).map(([type]) => type),
    ['npm-token'],
  )
  assert.equal(
    ask(both, state({ except: ['npm-token'] })).map(([type]) => type),
    ['github-token'],
  )
  const assigned = `api_key: ${fill('{a32}')}`
  for (const config of [{ entropy: false }, { except: [ASSIGNMENT] }, { minEntropy: 5.5 }]) {
    assert.equal(ask(assigned, state(config)), [], JSON.stringify(config))
  }
  assert.is(ask(assigned, state({ only: [ASSIGNMENT] })).length, 1)
})

test('a configuration is refused with the key that is wrong', () => {
  const path = (config: Record<string, unknown>) => {
    const prepared = prepare({ config, action: 'detect' })
    return prepared.ok ? null : prepared.errors[0]?.path
  }
  assert.is(path({ only: ['github'] }), 'only.0')
  assert.is(path({ only: ['npm-token'], except: ['jwt'] }), 'except')
  assert.is(path({ minEntropy: 9 }), 'minEntropy')
  assert.not.ok(prepare({ config: { entropie: true }, action: 'detect' }).ok)
  assert.not.ok(prepare({ config: {}, action: null }).ok)
})

test('it can be tried on a text', async () => {
  const tried = await here.test({ config: {}, action: 'mask', text: fill('npm_{a36}') })
  assert.ok(tried.ok && tried.evaluation.verdict === 'findings')
  assert.not.ok((await here.test({ config: { only: [] }, action: 'mask', text: '' })).ok)
})

test('more findings than core could bear are no answer', () => {
  const text = `${fill('AKIA{u16}')} `.repeat(100_001)
  assert.is(evaluate({ state: all, leaves: [leaf(text)] }).verdict, 'undecided')
})

test('ordinary answers of tools hold no secret', () => {
  const texts = ordinaryTexts()
  assert.ok(texts.length > 480)
  const alarms = texts.flatMap((text) =>
    ask(text).map(([type, , start]) => `${type}: ${text.slice(Number(start) - 20, Number(start) + 20)}`),
  )
  assert.equal(alarms, [])
})

/** User CPU in microseconds for each run: other work on the machine counts little. The least of several rounds. */
function cost(text: string, times: number): number {
  const leaves = [leaf(text)]
  const rounds = Array.from({ length: 8 }, () => {
    const started = process.cpuUsage()
    for (let run = 0; run < times; run += 1) evaluate({ state: all, leaves })
    return process.cpuUsage(started).user / times
  })
  return Math.min(...rounds)
}

test('2 KiB of ordinary JSON cost less than 40 µs, 256 KiB less than 5 ms', () => {
  const json = ordinaryTexts()
    .filter((text) => text.startsWith('{'))
    .join('\n')
  assert.ok(cost(json.slice(0, 2_048), 500) < 40)
  assert.ok(cost(json.slice(0, 262_144), 5) < 5_000)
})

test('a hostile MiB is decided in time that grows with its length alone', () => {
  const units = [
    'AKIA',
    '-----BEGIN PRIVATE KEY-----\nA: -----BEGIN PRIVATE KEY-----\n',
    'eyJ',
    '-eyJ',
    '-eyJabcdefghijkl.',
  ]
  units.push(
    '://a:b',
    '://',
    'token=',
    'password=aB1 ',
    'secret: "',
    'sk-',
    'glpat-',
    'dp.pt.',
    'pat ',
    ' sl.u.',
    'tskey-api-a-',
  )
  units.push('-----BEGIN ', 'SharedAccessKey=', 'ya29.', '1//0', 'ops_eyJ', '8Q~', 'AZDO', ':AA', '-us', '.atlasv1.')
  for (const unit of units) {
    const text = unit.repeat(Math.ceil(1_048_576 / unit.length))
    const started = process.cpuUsage()
    evaluate({ state: all, leaves: [leaf(text)] })
    const { user } = process.cpuUsage(started)
    assert.ok(user < 1_000_000, `${unit} cost ${user} µs`)
  }
})

test('what would hold up the calls is searched in a worker, which finds the same', async () => {
  const pool = createPool(1)
  const { evaluate: asked } = createEngine(pool)
  const leaves = [leaf('password= aB1!x '.repeat(200_000)), leaf(fill('ghp_{a36}'))]
  const whole = evaluate({ state: all, leaves })
  const started = process.cpuUsage()
  const pending = asked({ state: all, leaves })
  assert.ok(process.cpuUsage(started).user < 200_000)
  assert.instance(pending, Promise)
  assert.equal(await pending, whole)
  await pool.stop()
  const late = createEngine({ run: () => Promise.reject(new Error('no worker was free')) }, 0)
  assert.is((await late.evaluate({ state: all, leaves })).verdict, 'undecided')
})

test.run()
