// time-limit: 180
import { rm } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type Recorded, type RunningGateway } from '../gateway.js'
import { homeWith } from '../plugins/plugin-file.js'

/** Finds the word of its rule; its instance has a key, which it finds as well. */
const FINDER = `setup(context) {
  const find = ({ word, key }, leaves) => ({
    verdict: 'findings',
    findings: leaves.flatMap(({ text }, leaf) => [word, key].filter(Boolean).flatMap((one) => {
      const start = text.indexOf(one)
      return start < 0 ? [] : [{ type: one === key ? 'KEY' : 'WORD', leaf, start, end: start + one.length, score: 0.9 }]
    })),
  })
  context.serve('engine.prepare', 'finder', ({ config, instance }) => instance.config.url.endsWith('/broken')
    ? { ok: false, errors: [{ message: 'no such place' }] }
    : { ok: true, passes: 1, state: { word: config.word, key: instance.config.key } }, {
    config: z.object({ url: z.url(), key: z.string(), headers: z.record(z.string(), z.string()).optional() }),
    secret: ['key', 'headers'],
    engine: { rule: z.object({ word: z.string().min(2) }), answers: 'spans', fails: true, whole: false },
  })
  context.serve('engine.evaluate', 'finder', ({ state, leaves }) => {
    if (leaves.some(({ kind }) => kind === 'whole')) throw new Error('the whole was shown')
    return find(state, leaves)
  })
  context.serve('engine.test', 'finder', ({ config, instance, text }) => ({
    ok: true,
    evaluation: find({ word: config.word, key: instance.config.key }, [{ text }]),
    notes: ['asked ' + instance.config.url, 'as ' + instance.name],
  }))
}`

const yaml = (server: FakeServer, finder: string, rules: readonly string[]) => `version: 1
plugins: [{ use: ./detect-finder.mjs }]
servers: { one: { url: ${JSON.stringify(server.url)} } }
engines:
  lens: { kind: finder, url: "http://127.0.0.1:9009/${finder}", key: "\${env:LENS_KEY}", headers: { X: "\${env:LENS_KEY}" } }
gateways:
  house:
    servers: [{ server: one }]
    rules: [${rules.join(', ')}]
`
const MASK = '{ name: lens mask, engine: lens, hook: request, action: mask, word: swordfish, alerts: true }'
const TAG = '{ name: lens tag, engine: lens, hook: response, action: replace, word: herring }'

let home: string
let server: FakeServer
let gateway: RunningGateway
let agent: Access
test.before(async () => {
  server = await fakeUpstream(
    (seen) => answerJson(seen, { result: { content: [{ type: 'text', text: 'a herring' }], resultType: 'complete' } }),
    { tools: ['act'] },
  )
  home = await homeWith({ 'detect-finder': FINDER })
  gateway = await startGateway({ home, yaml: yaml(server, 'a', [MASK, TAG]), env: { LENS_KEY: 'k3y' } })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const last = async (): Promise<Recorded> => (await gateway.recorded(agent)).at(-1) as Recorded
const given = () => (params(callsOf(server).at(-1) as Seen).arguments as { text: string }).text
const send = (text: string) => legacy(agent, call('act', { text }))

test('an instance is prepared with its secrets, core applies the action, and the receipt names both', async () => {
  const { json } = await send('a swordfish and k3y')
  assert.is(given(), 'a ********* and ***')
  assert.is(json.result.content[0].text, 'a <WORD>')
  const receipts = (await last()).legs.flatMap((leg) => leg.receipts)
  assert.equal(
    receipts.map(({ engine, instance, verdict, findings }) => ({ engine, instance, verdict, findings })),
    [
      { engine: 'finder', instance: 'lens', verdict: 'modify', findings: { WORD: 1, KEY: 1 } },
      { engine: 'finder', instance: 'lens', verdict: 'modify', findings: { WORD: 1 } },
    ],
  )
})

test('the API lists kinds with schemas, and engines without their secrets', async () => {
  const { items } = (await gateway.api('GET', '/engines/kinds')) as {
    items: { kind: string; [key: string]: unknown }[]
  }
  const finder = items.find(({ kind }) => kind === 'finder')
  assert.equal((finder?.['rule'] as { required?: string[] } | undefined)?.required, ['word'])
  assert.equal((finder?.['instance'] as { secret?: string[] } | undefined)?.secret, ['key', 'headers'])
  assert.equal(finder?.['engines'], ['lens'])
  assert.equal(items.find(({ kind }) => kind === 'regex')?.['instance'], null)
  const lens = await gateway.api('GET', '/engines/lens')
  assert.equal(lens['secrets'], ['headers.X', 'key'])
  assert.equal(lens['usedBy'], [
    { gateway: 'house', rule: 'lens mask' },
    { gateway: 'house', rule: 'lens tag' },
  ])
  assert.not.match(JSON.stringify(lens), /k3y/)
})

test('a changed engine takes effect on the next call', async () => {
  await gateway.api('POST', '/engines', { slug: 'mine', kind: 'finder', url: 'http://127.0.0.1:9009/', key: 'first' })
  const { id } = await gateway.api('POST', '/gateways', { slug: 'second', servers: [{ server: 'one' }], rules: [] })
  const rule = { name: 'r', engine: 'mine', hook: 'request', action: 'redact', word: 'nothing' }
  await gateway.api('POST', `/gateways/${String(id)}/rules`, rule)
  const other = await gateway.mintToken({ gateway: 'second', host: 'agent' })
  await legacy(other, call('act', { text: 'first then' }))
  assert.is(given(), ' then')
  await gateway.api('PATCH', '/engines/mine', { key: 'then' })
  await legacy(other, call('act', { text: 'first then' }))
  assert.is(given(), 'first ')
})

test('an engine that rules name is not removed, and what it says of the rules is told', async () => {
  const refused = (await gateway.api('DELETE', '/engines/mine').catch((error: Error) => error)) as Error
  assert.match(refused.message, /still used by the rule 'r' of gateway second/)
  const moved = (await gateway
    .api('PATCH', '/engines/mine', { url: 'http://127.0.0.1:9009/broken' })
    .catch((error: Error) => error)) as Error
  assert.match(moved.message, /rule 'r' of gateway second would not fit any more: no such place/)
})

test('a test shows before and after, and what the engine says of it', async () => {
  const answer = await gateway.api('POST', '/engines/lens/test', {
    rule: { word: 'herring', action: 'replace' },
    text: 'one herring',
  })
  assert.equal([answer['verdict'], answer['before'], answer['after']], ['modify', 'one herring', 'one <WORD>'])
  assert.equal(answer['findings'], [{ type: 'WORD', start: 4, end: 11, score: 0.9 }])
  assert.equal(answer['notes'], ['asked http://127.0.0.1:9009/a', 'as lens'])
  const lens = (await gateway.api('GET', '/engines/lens')) as {
    lastTest: { ok: boolean; outcome: string }
    version: number
  }
  assert.equal([lens.lastTest.ok, lens.lastTest.outcome, lens.version], [true, 'modify', 1])
})

test('a form that is not saved is tried with the stored secret at its own origin alone', async () => {
  const body = (url: string) => ({ engine: 'lens', instance: { url }, rule: { word: 'zz' }, text: 'has k3y' })
  const same = await gateway.api('POST', '/engines/test', body('http://127.0.0.1:9009/other'))
  assert.equal([same['verdict'], (same['notes'] as string[])[0]], ['detect', 'asked http://127.0.0.1:9009/other'])
  const else_ = (await gateway
    .api('POST', '/engines/test', body('http://127.0.0.1:9010/'))
    .catch((error: Error) => error)) as Error
  assert.match(else_.message, /another origin: give the secret anew/)
})

test('a kind without engines is tried by its name, and faults of the rule are answered with their place', async () => {
  const tried = (rule: object, text = 'ana@example.com') =>
    gateway.api('POST', '/engines/test', { kind: 'regex', rule, text })
  assert.is((await tried({ patterns: ['\\w+@'], action: 'mask' }))['after'], '****example.com')
  assert.is((await tried({ patterns: ['ana'], action: 'block' }))['after'], null)
  const [wrong] = (await tried({ patterns: ['(a'], action: 'mask' }))['errors'] as { path: string; position: number }[]
  assert.equal([wrong?.path, typeof wrong?.position], ['patterns.0', 'number'])
  const [needs] = (await tried({ patterns: ['a'], action: 'replace' }))['errors'] as { path: string }[]
  assert.is(needs?.path, 'replacement')
  const unknown = await gateway.api('POST', '/engines/test', { kind: 'regx', text: 'x' }).catch((error: Error) => error)
  assert.match((unknown as Error).message, /no kind of engine 'regx' is loaded; did you mean regex\?/)
})

test('a rule that does not fit its engine is refused with the key', async () => {
  const add = (rule: object) =>
    gateway.api('POST', '/gateways/second/rules', { name: 'x', hook: 'both', engine: 'mine', ...rule }).then(
      () => 'taken',
      (error: Error) => error.message,
    )
  assert.match(await add({ word: 'ok' }), /action: the engine finder needs an action/)
  assert.match(await add({ word: 'o', action: 'mask' }), /word: /)
  assert.match(await add({ wrod: 'ok', word: 'ok', action: 'mask' }), /wrod: unknown key/)
})

test.run()
