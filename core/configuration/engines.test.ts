import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configurationBench, refusalOf } from '../test/configuration.js'
import { exportFile } from './export.js'
import { createEngine, removeEngine, updateEngine } from './nouns/engines.js'
import { createGateway } from './nouns/gateways.js'
import { openEngine } from './nouns/open-engine.js'
import { removeRule } from './nouns/parts.js'
import type { Checks, Work } from './work.js'

const URL_ = 'https://dlp.example.com/inspect'
const DLP = { kind: 'webhook', url: URL_, headers: { 'X.Key': 'k1', Authorization: 'a1' }, token: 't1' }
const rule = (facts: object = {}) => ({ name: 'Dlp', engine: 'dlp', hook: 'both' as const, patterns: [], ...facts })

async function bench(checks: Partial<Checks> = {}) {
  const it = await configurationBench({ checks })
  const change = <T>(work: (work: Work) => Promise<T>) => it.mutations.change(it.admin, work)
  return { ...it, change, refused: (work: (work: Work) => Promise<unknown>) => refusalOf(change(work)) }
}

test('its secrets are sealed one by one, kept through other changes, and go with it', async () => {
  const { change, store } = await bench()
  const made = await change((work) => createEngine(work, 'dlp', DLP))
  assert.equal(made.secrets, ['headers.Authorization', 'headers.X.Key', 'token'])
  assert.equal(made.config, { url: URL_ })
  const changed = await change((work) => updateEngine(work, 'dlp', { method: 'PUT' }))
  assert.is(changed.version, 2)
  const { kind, ...keys } = DLP
  assert.equal((await openEngine(store, changed)).config, { ...keys, method: 'PUT' })
  assert.is((await openEngine(store, changed)).kind, kind)
  const less = await change((work) => updateEngine(work, 'dlp', { headers: { Authorization: 'a2' }, token: null }))
  assert.equal(less.secrets, ['headers.Authorization'])
  assert.equal(await store.secrets.fields({ kind: 'engine', id: made.id }), { 'config.headers.Authorization': 'a2' })
  await change((work) => removeEngine(work, 'dlp'))
  assert.equal(await store.secrets.fields({ kind: 'engine', id: made.id }), {})
})

test('what changes nothing raises no version', async () => {
  const { change } = await bench()
  await change((work) => createEngine(work, 'dlp', DLP))
  assert.is((await change((work) => updateEngine(work, 'dlp', { token: 't1' }))).version, 1)
})

test('stored secrets do not follow to another origin, not one of them', async () => {
  const { change, refused, store } = await bench()
  await change((work) => createEngine(work, 'dlp', DLP))
  const evil = 'https://evil.example/'
  assert.is((await refused((work) => updateEngine(work, 'dlp', { url: evil }))).data?.['field'], 'headers')
  const half = await refused((work) => updateEngine(work, 'dlp', { url: evil, headers: {} }))
  assert.is(half.data?.['field'], 'token')
  const { url } = (await openEngine(store, (await store.engines.byKey('dlp'))!)).config
  assert.is(url, URL_)
  await change((work) => updateEngine(work, 'dlp', { url: 'https://dlp.example.com/v2' }))
  await change((work) => updateEngine(work, 'dlp', { url: evil, headers: {}, token: 't2' }))
})

test('a kind, an address that may not be called, an odd key and our own keys are refused', async () => {
  const { change, refused } = await bench()
  const field = async (slug: string, input: object) =>
    (await refused((work) => createEngine(work, slug, { ...DLP, ...input }))).message
  assert.match(await field('regex', {}), /^slug: 'regex' is a kind of engine/)
  assert.match(await field('dlp', { url: 'https://refused.example.com/' }), /^url: /)
  assert.match(await field('dlp', { ulr: 'x' }), /^ulr: unknown key/)
  assert.match(await field('dlp', { headers: { A: 5 } }), /^headers\.A: /)
  assert.match(await field('dlp', { usedBy: [] }), /^usedBy: is set by the gateway/)
  assert.match(await field('dlp', { kind: 'regex' }), /^kind: regex needs no named engine/)
  assert.match(await field('dlp', { kind: 'webhok' }), /did you mean webhook/)
  await change((work) => createEngine(work, 'dlp', DLP))
  assert.match((await refused((work) => updateEngine(work, 'dlp', { kind: 'acme' }))).message, /stays of its kind/)
  assert.is((await refused((work) => createEngine(work, 'dlp', DLP))).code, 'GH_API_CONFLICT')
})

test('while rules name it, it stays, and the refusal names gateway and rule', async () => {
  const { change, refused, store } = await bench()
  await change((work) => createEngine(work, 'dlp', DLP))
  const gateway = await change((work) => createGateway(work, 'g', { rules: [rule(), rule({ name: 'Other' })] }))
  const still = await refused((work) => removeEngine(work, 'dlp'))
  assert.is(still.code, 'GH_API_CONFLICT')
  assert.is(still.message, "engine 'dlp' is still used by the rules 'Dlp' of gateway g, 'Other' of gateway g")
  for (const { id } of gateway.rules) await change((work) => removeRule(work, 'g', id))
  await change((work) => removeEngine(work, 'dlp'))
  assert.is(await store.engines.byKey('dlp'), null)
})

test('a change under which a rule would not fit is refused with its name', async () => {
  const { change, refused } = await bench({
    checkRule: async (_, instance) => (instance?.config['method'] === 'GET' ? [{ message: 'no GET' }] : []),
  })
  await change((work) => createEngine(work, 'dlp', DLP))
  await change((work) => createGateway(work, 'g', { rules: [rule()] }))
  const odd = await refused((work) => updateEngine(work, 'dlp', { method: 'GET' }))
  assert.is(odd.message, "rule 'Dlp' of gateway g would not fit any more: no GET")
})

test('a rule names an engine or a kind that has none; what it must say follows from how the engine works', async () => {
  const { change, refused } = await bench({ checkRule: async () => [] })
  await change((work) => createEngine(work, 'dlp', DLP))
  const said = async (facts: object) =>
    (await refused((work) => createGateway(work, 'g', { rules: [rule(facts)] }))).message
  assert.is(
    await said({ engine: 'webhook' }),
    'rules[0].engine: webhook is a kind of engine: name one of that kind (dlp)',
  )
  assert.is(await said({ engine: 'dpl' }), "rules[0].engine: there is no engine 'dpl'; did you mean dlp?")
  assert.is(
    await said({ engine: 'regex', action: 'mask', onFailure: 'allow' }),
    'rules[0].onFailure: the engine regex cannot fail; leave it out',
  )
  await change((work) => createGateway(work, 'g', { rules: [rule({ onFailure: 'allow' })] }))
})

test('the file says it, its secrets by reference alone, and export gives them back as such', async () => {
  const { files, fromFile, store } = await bench()
  const file = (headers: string) =>
    `version: 1\nengines:\n  acme-dlp: { kind: webhook, url: ${URL_}, headers: ${headers}, token: "\${env:T}" }\n`
  const inline = await refusalOf(files.apply(fromFile(file('{ Authorization: plain }'), { secrets: { 'env:T': 't' } })))
  assert.is(inline.code, 'GH_CONFIG_SECRET')
  assert.match(inline.message, /^file\.yaml:3:\d+ engines\.acme-dlp\.headers\.Authorization: /)
  const secrets = { 'env:T': 't', 'env:A': 'a' }
  const request = fromFile(file('{ Authorization: "Bearer ${env:A}" }'), { secrets })
  assert.is((await files.apply(request)).length, 1)
  assert.is((await files.apply(request)).length, 0)
  const text = await exportFile(store)
  assert.match(text, /Authorization: \$\{env:ACME_DLP_AUTHORIZATION\}/)
  assert.match(text, /token: \$\{env:ACME_DLP_TOKEN\}/)
  assert.not.match(text, /Bearer/)
  const again = { 'env:ACME_DLP_AUTHORIZATION': 'Bearer a', 'env:ACME_DLP_TOKEN': 't' }
  assert.is((await files.apply(fromFile(text, { secrets: again, prune: true }))).length, 0)
  const moved = file('{ Authorization: "Bearer ${env:A}" }').replace(URL_, 'https://elsewhere.example.com/')
  const [step] = await files.apply(fromFile(moved, { secrets }))
  assert.equal(step?.fields, ['url'])
})

test.run()
