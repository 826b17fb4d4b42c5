import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TestHost } from '@gatehouse/sdk/testing'
import { bench, hog, message, saying, seeing, verdicts } from './rule.fixture.js'

const rules = await bench()
test.after(() => rules.host.stop())

const pass = { verdict: 'pass' } as const
const block = { verdict: 'block', reason: 'no' } as const

test('a rule that takes too long is ended and undecided, those before it are answered', async () => {
  const [first, looking, hogging, last] = await Promise.all(
    [saying(pass), seeing('#', [block, pass]), hog(), saying(pass)].map((module) => rules.prepare(module)),
  )
  assert.ok(first && looking && hogging && last)
  const answers = await rules.ask([first, looking, hogging, last])
  assert.equal(verdicts(answers), ['pass', 'pass', 'undecided'], 'those behind it are asked for again')
  assert.match(String(answers[2]?.strike), /was ended: it took longer than 10 ms/)
  assert.is(
    answers[2]?.evidence?.['module_sha256'],
    hogging.rule.build.module.sha256,
    'its receipt tells what was ended',
  )
  assert.equal([answers[0]?.strike, answers[1]?.strike], [undefined, undefined])
  assert.equal(verdicts(await rules.ask([last])), ['pass'])
})

test('three ends in a row, and many at a time, leave rules that answer', async () => {
  const [hogging, looking] = await Promise.all([hog(), seeing('#', [block, pass])].map((one) => rules.prepare(one)))
  assert.ok(hogging && looking)
  for (let round = 0; round < 3; round += 1) assert.equal(verdicts(await rules.ask([hogging])), ['undecided'])
  const [ended, others] = await Promise.all([
    Promise.all([1, 2, 3, 4].map(() => rules.ask([hogging]))),
    Promise.all([1, 2, 3, 4, 5, 6].map(() => rules.ask([looking], { message: message('#') }))),
  ])
  for (const answers of ended) assert.equal(verdicts(answers), ['undecided'])
  for (const answers of others) assert.equal(verdicts(answers), ['block'])
})

test('a rule that has cost a thread costs no other one, while it is ended as soon', async () => {
  const hogging = await rules.prepare(hog())
  let begun = 0
  const count = () => void (begun += 1)
  process.on('worker', count)
  for (let round = 0; round < 4; round += 1) {
    const [ended] = await rules.ask([hogging])
    assert.match(String(ended?.strike), /^ended: was ended: it took longer than 10 ms$/)
    assert.is(ended?.evidence?.['module_sha256'], hogging.rule.build.module.sha256)
  }
  process.off('worker', count)
  // On a machine that has no time for the watch within, the one from outside comes first once more.
  assert.ok(begun === 1 || begun === 2, `${begun} threads were begun`)
})

test('an upload is built and held to its vectors', async () => {
  const vector = (verdict: string) => ({ name: 'sharp', input: { message: message('#') }, expect: { verdict } })
  const upload = (verdict: string) =>
    rules.host.askKeyed('engine.prepare', 'wasm', {
      config: {},
      action: null,
      instance: null,
      rule: null,
      isUpload: true,
      artifact: seeing('#', [block, pass], { vectors: [vector(verdict)] }),
    })
  const good = await upload('block')
  assert.ok(good.ok && good.state === null)
  const { vectors, limits, language } = (good.ok && good.facts) as Record<string, unknown>
  assert.is(language, 'wasm')
  assert.is((limits as { fuel: number }).fuel, 20_000_000)
  assert.is((vectors as { name: string }[])[0]?.name, 'sharp')
  const bad = await upload('pass')
  assert.match(JSON.stringify(bad), /its vector “sharp”/)
})

test('a configuration is tried on a text, with what it took', async () => {
  const tried = await tryOn(rules.host, 'a # b')
  assert.ok(tried.ok && tried.evaluation.verdict === 'block')
  assert.match(
    (tried.ok && tried.notes?.join('\n')) || '',
    /fuel \d+ of 20000000\n.* ms of 50\nmemory 1024 KiB of 4096/,
  )
})

const tryOn = (host: TestHost, text: string) =>
  host.askKeyed('engine.test', 'wasm', {
    config: { module: 'test' },
    action: null,
    instance: null,
    leg: 'request',
    text,
    artifact: seeing('#', [block, pass]),
  })

test('what a rule may not have is refused, with what to do', async () => {
  const errors = (...given: Parameters<typeof rules.errors>) => rules.errors(...given).then((all) => all.join('\n'))
  const module = saying(pass, { config: { words: { default: 'a' }, must: {} } })
  const config = (own: object) => ({ config: { module: 'test', ...own } })
  assert.match(await errors(undefined), /^module names no module that is here: upload one/)
  assert.match(await errors(module), /^config\.must must be given/)
  assert.match(await errors(module, config({ config: { must: 'x', odd: 'x' } })), /^config\.odd is no key of this rule/)
  const high = config({ limits: { killMs: 100 } })
  assert.match(await errors(saying(pass, { limits: { killMs: 50 } }), high), /^limits\.killMs must be at most 50/)
  assert.is(await errors(saying(pass), config({ limits: { fuel: 1_000, memoryPages: 32 } })), '')
  const broken = { ...saying(pass), bytes: new Uint8Array([0, 97, 115, 109]) }
  assert.match(await errors(broken), /^module sha256/)
  assert.match(await errors({ ...saying(pass), manifest: { name: 'x' } }), /^module its manifest: /)
})

test.run()
