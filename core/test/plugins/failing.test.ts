// time-limit: 180
import { rm } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy, modern, type Answer } from '../door.js'
import { answering, callsOf, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import { refusedStart, startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'
import { alertsOf, homeWith } from './plugin-file.js'

/** Fails at the hook and in the way that the host's name says, e.g. `request-throws`. */
const SABOTEUR = `setup(context) {
  const ways = {
    throws() { throw new Error('swordfish') },
    rejects: () => Promise.reject(new Error('swordfish')),
    hangs: () => new Promise(() => {}),
    rubbish: () => ({ verdict: 'perhaps' }),
    nothing: () => undefined,
    meddles: () => modify({ principal: null, context: null }),
    wonders: () => undecided('swordfish'),
  }
  const failing = (name, answer) => (payload) => {
    const host = payload.principal?.host.name ?? payload.context?.host.name
    const [hook, way] = host.split('-')
    return hook === name ? ways[way]() : answer
  }
  context.on('identity.enrich', failing('enrich', pass()))
  context.on('feature.list', failing('list', pass()))
  context.on('feature.request', failing('request', pass()))
  context.on('feature.response', failing('response', pass()))
  context.on('upstream.credentials', failing('credentials', { kind: 'headers', headers: {}, expiresAt: null }))
  context.on('auth.identify', ({ header }) => ways[header('x-identify')]?.() ?? notMine(), { order: 'pre' })
  context.on('alert.raised', () => { throw new Error('swordfish') })
}`
const WAYS = ['throws', 'rejects', 'hangs', 'rubbish', 'nothing', 'meddles', 'wonders']

let home: string
let open: FakeServer
let gateway: RunningGateway
test.before(async () => {
  open = await fakeUpstream(answering({ content: [], word: 'xyzzy' }), { tools: ['act'] })
  home = await homeWith({ 'test-saboteur': SABOTEUR })
  const url = JSON.stringify(open.url)
  gateway = await startGateway({
    home,
    yaml: `version: 1
plugins: [{ use: ./test-saboteur.mjs }]
servers: { open: { url: ${url} }, vault: { url: ${url} } }
settings: { limits: { call: 2s } }
users: { ${WAYS.map((way) => `${way}@example.com: { role: administrator }`).join(', ')} }
gateways: { house: { servers: [{ server: open }, { server: vault, identity: per-user }] } }
`,
  })
})
test.after(async () => {
  await gateway.stop()
  await open.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const hostOf = (host: string): Promise<Access> => gateway.mintToken({ gateway: 'house', host })
const UNTOLD = 'A check could not be completed.'

/** The plugin's own words stay in the log, and an alert names plugin and hook. */
async function assertAlerted(hook: string, answer: Answer): Promise<void> {
  assert.not.match(answer.text, /swordfish|xyzzy/)
  const key = `plugin_failed/test-saboteur/${hook}`
  const alert = await until(`${hook} is alerted`, async () => (await alertsOf(gateway)).find((one) => one.key === key))
  assert.equal([alert.type, alert.severity], ['plugin_failed', 'error'])
  assert.match(alert.message, new RegExp(`'test-saboteur' failed at '${hook}'`))
  assert.is((await legacy(await hostOf('sound'), call('act'))).json.result.word, 'xyzzy', 'the gateway lives')
}

for (const way of WAYS)
  test(`a feature.request that ${way} lets nothing through`, async () => {
    const access = await hostOf(`request-${way}`)
    const before = callsOf(open).length
    const answer = await legacy(access, call('act'))
    assert.equal([answer.status, answer.json.result.isError], [200, true])
    assert.is(answer.json.result.content[0].text, UNTOLD)
    assert.is(callsOf(open).length, before, 'the server heard nothing')
    const [message] = await gateway.recorded(access)
    assert.equal(
      message?.legs.map((leg) => leg.log_type),
      ['proxy_request_success', 'policy_enforced_error'],
    )
    await assertAlerted('feature.request', answer)
  })

for (const way of WAYS)
  test(`a feature.response that ${way} lets nothing out`, async () => {
    const answer = await modern(await hostOf(`response-${way}`), call('act'))
    assert.equal([answer.status, answer.json.result.isError], [200, true])
    assert.is(answer.json.result.content[0].text, UNTOLD)
    await assertAlerted('feature.response', answer)
  })

for (const way of WAYS)
  test(`an identity.enrich that ${way} lets nobody in, and tells nobody to sign in anew`, async () => {
    const answer = await legacy(await hostOf(`enrich-${way}`), call('act'))
    assert.equal([answer.status, answer.json.error.message], [500, UNTOLD])
    assert.is(answer.headers.get('www-authenticate'), null)
    await assertAlerted('identity.enrich', answer)
  })

for (const way of WAYS)
  test(`a feature.list that ${way} shows nothing and says of which server`, async () => {
    const answer = await modern(await hostOf(`list-${way}`), { method: 'tools/list' })
    const { tools, _meta, ttlMs } = answer.json.result
    assert.equal([tools, ttlMs], [[], 0])
    const mark = { server: 'open', state: 'missing', reason: UNTOLD, since: null }
    assert.equal(
      _meta['gatehouse/servers'].filter(({ server }: { server: string }) => server === 'open'),
      [mark],
    )
    await assertAlerted('feature.list', answer)
  })

for (const way of ['throws', 'rejects', 'rubbish', 'nothing', 'hangs'])
  test(`an upstream.credentials that ${way} calls nobody`, async () => {
    // A person's connection to a server is made once: each way needs a person of its own.
    const access = await gateway.mintToken({ gateway: 'house', host: `credentials-${way}`, user: `${way}@example.com` })
    const before = callsOf(open).length
    const answer = await legacy(access, call('vault__act'))
    assert.is(answer.status, 200)
    // A hanging one takes the whole of the call's time: what comes after it is late, too.
    const refused = answer.json.error?.data.reason ?? answer.json.result.content[0].text
    assert.match(refused, /^(connect_required|server_timeout|A check could not be completed\.)$/, answer.text)
    assert.is(callsOf(open).length, before, 'the server heard nothing')
    await assertAlerted('upstream.credentials', answer)
  })

for (const way of ['throws', 'rejects', 'rubbish'])
  test(`an auth.identify that ${way} lets nobody in`, async () => {
    const answer = await legacy(await hostOf('sound'), call('act'), { headers: { 'x-identify': way } })
    assert.not(answer.status < 400, answer.text)
    await assertAlerted('auth.identify', answer)
  })

test('an alert.raised that throws is alerted once for each telling, not for ever', async () => {
  const failures = async () => (await alertsOf(gateway)).find(({ key }) => key.endsWith('/alert.raised'))?.count ?? 0
  const others = async () =>
    (await alertsOf(gateway)).filter(({ key }) => !key.endsWith('/alert.raised')).reduce((n, one) => n + one.count, 0)
  await until('it was told, and threw', async () => ((await failures()) > 0 ? true : undefined))
  const first = { failures: await failures(), others: await others() }
  for (let round = 1; round <= 3; round += 1) {
    await legacy(await hostOf('request-throws'), call('act'))
    await until('the next one too', async () => ((await failures()) >= first.failures + round ? true : undefined))
  }
  // What is raised while it waits to be stored is told together, and a failure to be told is told to nobody.
  assert.ok((await failures()) - first.failures <= (await others()) - first.others + 1)
})

const BROKEN = {
  'throws in setup': ["setup() { throw new Error('no luck') }", /'test-broken' could not be set up: no luck/],
  'hooks what is not there': [
    "setup(context) { context.on('feature.rquest', () => pass()) }",
    /no hook 'feature.rquest'/,
  ],
  'takes a key that is taken': [
    "setup(context) { context.serve('engine.evaluate', 'regex', () => ({ verdict: 'pass' })) }",
    /already served by detect-regex/,
  ],
  'sets up nothing that can be stopped': ['setup() { return 7 }', /must return nothing or an object/],
} as const
for (const [fault, [setup, says]] of Object.entries(BROKEN))
  test(`a plugin that ${fault} refuses the start, and is named`, async () => {
    const place = await homeWith({ 'test-broken': setup })
    const { said, code } = await refusedStart({
      home: place,
      yaml: 'version: 1\nplugins: [{ use: ./test-broken.mjs }]\n',
    })
    assert.match(said, says)
    assert.is(code, 1)
    await rm(place, { recursive: true, force: true, maxRetries: 5 })
  })

test.run()
