// time-limit: 180
import { rm } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answering, callsOf, fakeUpstream, params, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type Recorded, type RunningGateway } from '../gateway.js'
import { alertsOf, homeWith } from '../plugins/plugin-file.js'

/** Does what the rule says, whatever the message: engines of verdicts, and one of spans. */
const ROGUE = `setup(context) {
  const rule = z.object({ way: z.string() })
  const ways = {
    late: () => new Promise(() => {}),
    throws: () => { throw new Error('swordfish') },
    malformed: () => ({ verdict: 'modify', patch: { message: undefined } }),
    strange: () => ({ verdict: 'maybe' }),
    huge: ({ message }) => modify({ message: { ...message, arguments: { text: 'x'.repeat(17 * 1024 * 1024) } } }),
    renamed: ({ message }) => modify({ message: { ...message, name: 'drop' } }),
    listed: ({ message }) => modify({ message: { ...message, arguments: ['x'] } }),
    enveloped: ({ message }) => modify({ message: { jsonrpc: '2.0', id: 99, method: 'tools/call', params: message } }),
    blocks: () => block('because'),
  }
  context.serve('engine.prepare', 'rogue', ({ config }) => ({ ok: true, passes: 1, state: config.way }), {
    engine: { rule, answers: 'verdict', fails: true },
  })
  context.serve('engine.evaluate', 'rogue', (request) => ways[request.state](request))
  const spans = {
    outside: ({ leaves }) => [{ leaf: 0, start: 0, end: leaves[0].text.length + 1 }],
    many: () => Array.from({ length: 100_001 }, () => ({ leaf: 0, start: 0, end: 1 })),
    halves: ({ leaves }) => leaves.flatMap(({ text }, leaf) => {
      const at = text.search(/[\\ud800-\\udbff]/)
      return at < 0 ? [] : [{ leaf, start: at + 1, end: at + 2 }]
    }),
    first: ({ leaves }) => leaves.map((_, leaf) => ({ leaf, start: 0, end: 5 })),
    second: ({ leaves }) => leaves.map((_, leaf) => ({ leaf, start: 3, end: 8 })),
  }
  context.serve('engine.prepare', 'spans', ({ config }) => ({ ok: true, passes: 1, state: config.way }), {
    engine: { rule, answers: 'spans', fails: true, whole: false },
  })
  context.serve('engine.evaluate', 'spans', (request) => ({
    verdict: 'findings',
    findings: spans[request.state](request).map((one) => ({ type: 'X', score: 1, ...one })),
  }))
}`
const VERDICTS = ['late', 'throws', 'malformed', 'strange', 'huge', 'renamed', 'listed', 'enveloped']
const SPANS = ['outside', 'many']

const rogue = (way: string, more = '') =>
  `{ name: ${way}, engine: rogue, hook: request, way: ${way}, features: [${way}*]${more} }`
const spans = (way: string, action: string, features = way) =>
  `{ name: ${way}, engine: spans, hook: request, way: ${way}, action: ${action}, features: [${features}*] }`
const RULES = [
  ...VERDICTS.map((way) => rogue(way)),
  ...VERDICTS.map((way) =>
    rogue(way, ', onFailure: allow').replace(`[${way}*]`, `[open_${way}]`).replace('name: ', 'name: open_'),
  ),
  ...SPANS.map((way) => spans(way, 'mask')),
  spans('halves', 'redact'),
  spans('first', 'mask', 'overlap'),
  spans('second', 'mask', 'overlap'),
  rogue('blocks'),
  `{ name: keys, engine: regex, hook: request, patterns: ['k3y-\\d+'], action: block, features: [keys] }`,
  `{ name: base64, engine: regex, hook: response, patterns: ['c2VjcmV0'], action: block, features: [picture] }`,
  `{ name: evil, engine: regex, hook: request, patterns: ['(?=x)(x+x+)+y'], action: block, features: [evil] }`,
]
const TOOLS = [
  ...[...VERDICTS, ...SPANS, 'halves', 'overlap', 'blocks', 'keys', 'evil', 'picture', 'plain'],
  ...VERDICTS.map((way) => `open_${way}`),
]

let home: string
let server: FakeServer
let gateway: RunningGateway
let agent: Access
test.before(async () => {
  const picture = { type: 'image', mimeType: 'image/png', data: 'c2VjcmV0' }
  server = await fakeUpstream(answering({ content: [picture] }), { tools: TOOLS })
  home = await homeWith({ 'detect-rogue': ROGUE })
  gateway = await startGateway({
    home,
    yaml: `version: 1
plugins: [{ use: ./detect-rogue.mjs }]
servers: { one: { url: ${JSON.stringify(server.url)} } }
settings: { limits: { engine: 500ms } }
gateways:
  house:
    servers: [{ server: one }]
    rules:
${RULES.map((rule) => `      - ${rule}`).join('\n')}
`,
  })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const last = async (): Promise<Recorded> => (await gateway.recorded(agent)).at(-1) as Recorded
const given = () => params(callsOf(server).at(-1) as Seen)
const receipts = ({ legs }: Recorded) => legs.flatMap((leg) => leg.receipts)

for (const way of [...VERDICTS, ...SPANS])
  test(`an engine that is ${way} blocks, names its rule and tells nothing else`, async () => {
    const before = callsOf(server).length
    const { json, text } = await legacy(agent, call(way, { text: 'abc' }))
    assert.is(json.result.isError, true)
    assert.is(json.result.content[0].text, `Blocked by policy: rule '${way}'. The message could not be checked.`)
    assert.not.match(text, /swordfish/)
    assert.is(callsOf(server).length, before)
    assert.equal(
      receipts(await last()).map(({ verdict, fell }) => [verdict, fell]),
      [['undecided', 'closed']],
    )
  })

for (const way of VERDICTS)
  test(`an engine that is ${way} lets the message pass as it came where the rule allows it, and says so`, async () => {
    await legacy(agent, call(`open_${way}`, { text: 'abc' }))
    assert.equal([given().name, given().arguments], [`open_${way}`, { text: 'abc' }])
    assert.equal(
      receipts(await last()).map(({ verdict, fell }) => [verdict, fell]),
      [['undecided', 'open']],
    )
  })

test('a late engine is given up at settings.limits.engine', async () => {
  const started = performance.now()
  await legacy(agent, call('late', { text: 'abc' }))
  assert.ok(performance.now() - started < 10_000)
  assert.match(gateway.logs(), /gave no answer before its deadline/)
})

test('every failure has raised an alert, and none holds what the engine said', async () => {
  const alerts = await alertsOf(gateway)
  const failed = alerts.filter(({ type }) => type === 'rule_engine_failed')
  assert.is(failed.length, VERDICTS.length * 2 + SPANS.length)
  assert.not.match(JSON.stringify(alerts), /swordfish/)
})

test('a verdict to block gives its reason', async () => {
  const { json } = await legacy(agent, call('blocks', { text: 'abc' }))
  assert.is(json.result.content[0].text, "Blocked by policy: rule 'blocks'. because")
})

test('half a character is taken whole', async () => {
  await legacy(agent, call('halves', { text: 'a😀b' }))
  assert.equal(given().arguments, { text: 'ab' })
})

test('what two engines find in one place is changed by both', async () => {
  await legacy(agent, call('overlap', { text: 'abcdefghij' }))
  assert.equal(given().arguments, { text: '********ij' })
})

test('a secret in the key of an object is found; base64 is no text', async () => {
  const before = callsOf(server).length
  const { json } = await legacy(agent, call('keys', { nested: [{ 'k3y-12': 1 }] }))
  assert.is(json.result.isError, true)
  assert.is(callsOf(server).length, before)
  const picture = await legacy(agent, call('picture'))
  assert.is(picture.json.result.content[0].data, 'c2VjcmV0')
})

test('a catastrophic pattern holds nobody up: the others pass meanwhile, and it is never called clean', async () => {
  const evil = legacy(agent, call('evil', { text: 'x'.repeat(40) }))
  const started = performance.now()
  await legacy(agent, call('plain', { text: 'x' }))
  assert.ok(performance.now() - started < 2_000)
  assert.is((await evil).json.result.isError, true)
})

test('bad patterns are refused at once, with their place', async () => {
  const add = (patterns: readonly string[]) =>
    gateway
      .api('POST', '/engines/test', { kind: 'regex', rule: { patterns, action: 'mask' }, text: 'x' })
      .then(({ errors }) => (errors as { path: string; message: string; position?: number }[])[0])
  assert.equal([(await add(['ok', 'ab[c']))?.path, (await add(['ab[c']))?.position], ['patterns.1', 4])
  assert.match((await add(['a*']))?.message ?? '', /without taking a character/)
})

test('a thousand rules on one gateway are saved, looked at and told apart; one more is refused', async () => {
  const { id } = await gateway.api('POST', '/gateways', { slug: 'thousand', servers: [{ server: 'one' }], rules: [] })
  const rules = Array.from({ length: 1_000 }, (_, n) => {
    return { name: `r${n}`, engine: 'regex', hook: 'request', action: 'mask', patterns: [`word${n}\\b`] }
  })
  await gateway.api('DELETE', '/gateways/thousand')
  const started = performance.now()
  await gateway.api('POST', '/gateways', { slug: 'thousand', servers: [{ server: 'one' }], rules })
  const saved = performance.now()
  const many = await gateway.mintToken({ gateway: 'thousand', host: 'agent' })
  await legacy(many, call('plain', { text: 'word999 word9 word1000' }))
  assert.equal(given().arguments, { text: '******* ***** word1000' })
  const over = await gateway.api('POST', '/gateways/thousand/rules', { ...rules[0], name: 'one more' }).then(
    () => 'taken',
    (error: Error) => error.message,
  )
  assert.match(over, /a gateway takes 1,000 rules at most/)
  assert.ok(saved - started < 20_000, `saved in ${Math.round(saved - started)} ms`)
  assert.type(id, 'string')
})

test.run()
