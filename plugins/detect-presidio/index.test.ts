import type { Evaluation } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { finding, instanceOf, prepared, serve, started } from './testing.js'
import type { Answer, Received } from './testing.js'

const MAIL = ['EMAIL_ADDRESS', 3, 18, 1] as const
const TEXT = 'to ana@example.com'
const told = (evaluation: Evaluation) => (evaluation.verdict === 'undecided' ? evaluation.message : evaluation.verdict)
const places = (evaluation: Evaluation) =>
  evaluation.verdict === 'findings'
    ? evaluation.findings.map(({ type, leaf, start, end }) => [type, leaf, start, end])
    : told(evaluation)

/** Evaluates texts against an analyzer that answers so. */
async function asked(
  answer: (received: Received, nth: number) => Answer,
  texts: readonly string[],
  { instance = {}, rule = {} }: { readonly instance?: object; readonly rule?: Record<string, unknown> } = {},
) {
  const analyzer = await serve(answer)
  const { evaluate } = await prepared({ url: analyzer.url, ...instance }, rule)
  const evaluation = await evaluate(...texts)
  await analyzer.stop()
  return { evaluation, received: analyzer.received }
}

test('one text is asked as every version of the analyzer expects', async () => {
  const instance = { headers: { 'X-Key': 'k' } }
  const { evaluation, received } = await asked(finding(MAIL), [TEXT], { instance })
  assert.equal(places(evaluation), [['EMAIL_ADDRESS', 0, 3, 18]])
  const [{ path, headers, body } = {} as Received] = received
  assert.is(path, '/analyze')
  assert.is(headers['x-key'], 'k')
  assert.equal(body, { text: TEXT, language: 'en', score_threshold: 0.2 })
})

test('a rule says entities, threshold and language; what was not asked for does not count', async () => {
  const rule = { entities: ['EMAIL_ADDRESS'], threshold: 0.5, language: 'es' }
  const answers = finding(MAIL, ['EMAIL_ADDRESS', 0, 2, 0.4], ['PERSON', 0, 2, 0.9])
  const { evaluation, received } = await asked(answers, [TEXT], { rule })
  assert.equal(places(evaluation), [['EMAIL_ADDRESS', 0, 3, 18]])
  assert.equal(received[0]?.body, { text: TEXT, language: 'es', score_threshold: 0.5, entities: ['EMAIL_ADDRESS'] })
})

test('several texts go in one request, the same text once, empty ones not at all', async () => {
  const { evaluation, received } = await asked(finding(MAIL), [TEXT, ' - ', TEXT, 'of bob@example.com'])
  assert.equal(
    received.map(({ body }) => body.text),
    [[TEXT, 'of bob@example.com']],
  )
  assert.equal(
    places(evaluation),
    [0, 2, 3].map((leaf) => ['EMAIL_ADDRESS', leaf, 3, 18]),
  )
  const nothing = await asked(finding(MAIL), ['', '...'])
  assert.is(nothing.evaluation.verdict, 'pass')
  assert.is(nothing.received.length, 0)
})

test('many texts are several requests', async () => {
  const texts = Array.from({ length: 250 }, (_, n) => `to ana@example.com ${n}`)
  const { evaluation, received } = await asked(finding(MAIL), texts)
  assert.equal(received.map(({ body }) => body.text.length).toSorted(), [100, 100, 50])
  assert.is(evaluation.verdict === 'findings' && evaluation.findings.length, 250)
})

test('an older analyzer that takes one text at a time is asked so, and remembered', async () => {
  const old = (received: Received) =>
    Array.isArray(received.body.text) ? { status: 500, json: { error: 'expected string' } } : finding(MAIL)(received)
  const analyzer = await serve(old)
  const { evaluate } = await prepared({ url: analyzer.url })
  const places1 = places(await evaluate(TEXT, 'of bob@example.com')) as readonly unknown[]
  assert.is(places1.length, 2)
  assert.is(analyzer.received.length, 3)
  await evaluate('to cat@example.com', 'of dog@example.com')
  assert.is(analyzer.received.length, 5)
  await analyzer.stop()
})

test('places are counted in code points by Python and in UTF-16 units here', async () => {
  const { evaluation } = await asked(finding(['PERSON', 3, 6, 0.85]), ['🎉👍 Ana 🙂'])
  assert.equal(places(evaluation), [['PERSON', 0, 5, 8]])
  const half = await asked(finding(['PERSON', 2, 5, 0.85]), ['\ud83d Ana'])
  assert.equal(places(half.evaluation), [['PERSON', 0, 2, 5]])
  assert.is(half.received[0]?.body.text, '\ufffd Ana')
})

test('a long text is cut at white space, and its findings are where they are', async () => {
  const long = `${'word '.repeat(20_010)}ana@example.com`
  const { evaluation, received } = await asked(
    ({ body }) => {
      const find = (text: string) => {
        const start = text.indexOf('ana@')
        return start === -1 ? [] : [{ entity_type: 'EMAIL_ADDRESS', start, end: start + 15, score: 1 }]
      }
      return { json: Array.isArray(body.text) ? body.text.map(find) : find(body.text) }
    },
    [long],
  )
  assert.equal(places(evaluation), [['EMAIL_ADDRESS', 0, 100_050, 100_065]])
  const sent = received.flatMap(({ body }) => body.text) as string[]
  assert.ok(sent.length > 1 && sent.every((text) => text.length <= 50_000))
})

const RUBBISH: readonly (readonly [what: string, answer: Answer])[] = [
  ['no JSON', { text: '<html>' }],
  ['no list', { json: { error: 'x' } }],
  ['a place behind the end', { json: [{ entity_type: 'PERSON', start: 0, end: 99, score: 1 }] }],
  ['an empty span', { json: [{ entity_type: 'PERSON', start: 2, end: 2, score: 1 }] }],
  ['half a place', { json: [{ entity_type: 'PERSON', start: 0.5, end: 2, score: 1 }] }],
  ['a score beyond one', { json: [{ entity_type: 'PERSON', start: 0, end: 2, score: 7 }] }],
  ['a type that is no name', { json: [{ entity_type: 'ana@example.com', start: 0, end: 2, score: 1 }] }],
  ['a list too many', { json: [[], []] }],
]
for (const [what, answer] of RUBBISH) {
  test(`an answer with ${what} leaves the rule undecided, and repeats nothing of it`, async () => {
    const { evaluation } = await asked(() => answer, [TEXT])
    assert.is(evaluation.verdict, 'undecided')
    assert.not.match(told(evaluation), 'ana@')
  })
}

test('what may pass by is asked again, twice at most', async () => {
  for (const status of [429, 502, 503, 504]) {
    const { evaluation, received } = await asked(
      (one, nth) => (nth === 1 ? { status, json: {} } : finding(MAIL)(one)),
      [TEXT],
    )
    assert.is(evaluation.verdict, 'findings')
    assert.is(received.length, 2)
  }
  const { evaluation, received } = await asked(() => ({ status: 503, json: {} }), [TEXT])
  assert.match(told(evaluation), /HTTP 503/)
  assert.is(received.length, 3)
})

test('any other failure is one at once', async () => {
  for (const status of [400, 401, 404, 500]) {
    const { evaluation, received } = await asked(() => ({ status, json: {} }), [TEXT])
    assert.match(told(evaluation), `HTTP ${status}`)
    assert.is(received.length, 1)
  }
  const { evaluate } = await prepared({ url: 'http://127.0.0.1:9', timeoutMs: 1_000 })
  assert.is((await evaluate(TEXT)).verdict, 'undecided')
})

test('a rule is tried with notes, without a second attempt', async () => {
  const answer = (received: Received): Answer =>
    received.path?.startsWith('/supported') ? { json: ['EMAIL_ADDRESS', 'PERSON'] } : finding(MAIL)(received)
  const analyzer = await serve(answer)
  const host = await started()
  const request = { action: 'mask', instance: instanceOf({ url: analyzer.url }), leg: 'response', text: TEXT } as const
  const config = { entities: ['EMAIL_ADDRESS', 'SHOE_SIZE'] }
  const tried = await host.askKeyed('engine.test', 'presidio', { ...request, config })
  assert.ok(tried.ok)
  assert.equal(places(tried.evaluation), [['EMAIL_ADDRESS', 0, 3, 18]])
  assert.match(
    (tried.notes ?? []).join('; '),
    /answered, after \d+ ms; it knows 2 entities .* en; it does not know SHOE_SIZE/,
  )
  await analyzer.stop()
  const gone = await host.askKeyed('engine.test', 'presidio', { ...request, config: {} })
  assert.is(gone.ok && gone.evaluation.verdict, 'undecided')
})

test('a configuration is refused with the place of its fault', async () => {
  const refused = (instance: object, rule: Record<string, unknown> = {}) =>
    prepared({ url: 'https://presidio.example.com', ...instance }, rule).then(
      () => '',
      ({ message }: Error) => message,
    )
  assert.is(await refused({}), '')
  assert.match(await refused({ url: 'ftp://x' }), /^url: /)
  assert.match(await refused({ url: 'https://ana:secret@x.example.com' }), /^url: /)
  assert.match(await refused({ headers: { Host: 'x' } }), /^headers/)
  assert.match(await refused({ headers: { 'X-Key': 'a\r\nb: c' } }), /^headers/)
  assert.match(await refused({ language: 'english!' }), /^language: /)
  assert.match(await refused({}, { entities: ['lower case'] }), /^entities\.0: /)
  assert.match(await refused({}, { threshold: -1 }), /^threshold: /)
  assert.match(await refused({}, { replacement: 'x', other: 1 }), /other/)
})

test('the plugin serves every hook of an engine; its headers are secrets', async () => {
  const host = await started()
  assert.equal(
    host.keys,
    ['prepare', 'evaluate', 'test', 'retire'].map((hook) => `engine.${hook}/presidio`),
  )
  const { secret, engine } = host.options.get('engine.prepare/presidio') ?? {}
  assert.equal(secret, ['headers'])
  assert.is(engine?.fails, true)
})

test.run()
