// time-limit: 180
import { rm } from 'node:fs/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, callsOf, fakeUpstream, params, type FakeServer, type Seen } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { alertsOf, homeWith } from '../plugins/plugin-file.js'
import { until } from '../until.js'
import { BLOB, createSigner, moduleOf, sha256 } from './blob-engine.js'

let home: string
let server: FakeServer
let gateway: RunningGateway
let agent: Access
const yaml = (url: string) => `version: 1
plugins: [{ use: ./detect-blob.mjs }]
servers: { one: { url: ${JSON.stringify(url)} } }
`
test.before(async () => {
  server = await fakeUpstream(
    (seen) => answerJson(seen, { result: { content: [{ type: 'text', text: 'done' }], resultType: 'complete' } }),
    { tools: ['act'] },
  )
  home = await homeWith({ 'detect-blob': BLOB })
  gateway = await startGateway({ home, yaml: yaml(server.url) })
  await gateway.api('POST', '/gateways', { slug: 'house', servers: [{ server: 'one' }], rules: [] })
  agent = await gateway.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const given = () => (params(callsOf(server).at(-1) as Seen).arguments as { text: string }).text
const send = async (text: string) => {
  const { json } = await legacy(agent, call('act', { text }))
  return json.result?.isError === true ? `blocked: ${JSON.stringify(json.result.content)}` : given()
}
const refused = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'it was taken',
    (error: Error) => error.message,
  )
const upload = (name: string, word: string, more: object = {}) =>
  gateway.api('POST', '/artifacts', { engine: 'blob', ...moduleOf(name, word), ...more })
const add = (name: string, word: string, more: object = {}) =>
  gateway.api('POST', `/artifacts/${name}/versions`, { ...moduleOf(name, word), ...more })
const addRule = (rule: object) =>
  gateway.api('POST', '/gateways/house/rules', { engine: 'blob', hook: 'request', action: 'redact', ...rule })
const findingsOf = async () =>
  ((await gateway.recorded(agent)).at(-1)?.legs ?? []).flatMap((leg) =>
    leg.receipts.flatMap(({ findings }) => Object.keys(findings ?? {})),
  )
const trust = (ruleModules: object) => gateway.api('PATCH', '/settings', { ruleModules })

test('a module is uploaded, named by a rule, swapped and rolled back', async () => {
  const made = await upload('find', 'herring')
  assert.equal([made['slug'], made['current'], made['sha256']], ['find', 1, sha256('herring')])
  await addRule({ name: 'find it', module: 'find' })
  assert.is(await send('a herring and a cod'), 'a  and a cod')
  assert.equal(await findingsOf(), ['find@1 nobody'])
  const second = await add('find', 'cod')
  assert.equal([second['version'], second['state'], second['facts']], [2, 'kept', { letters: 3 }])
  assert.is(await send('a herring and a cod'), 'a  and a cod')
  await gateway.api('PATCH', '/artifacts/find', { current: 2 })
  assert.is(await send('a herring and a cod'), 'a herring and a ')
  await gateway.api('PATCH', '/artifacts/find', { current: 'previous' })
  assert.is(await send('a herring and a cod'), 'a  and a cod')
  const row = (await gateway.api('GET', '/artifacts/find')) as { usedBy: unknown; versions: { state: string }[] }
  assert.equal(row.usedBy, [{ gateway: 'house', rule: 'find it', version: null }])
  assert.equal(
    row.versions.map(({ state }) => state),
    ['previous', 'current'],
  )
})

test('the same bytes with the same manifest are the version that is there, and bytes are given back', async () => {
  assert.is((await add('find', 'cod'))['version'], 2)
  const { module, manifest } = await gateway.api('GET', '/artifacts/find/versions/2/module')
  assert.equal({ module, manifest }, moduleOf('find', 'cod'))
  const list = JSON.stringify(await gateway.api('GET', '/artifacts'))
  assert.not.match(list, moduleOf('find', 'cod').module)
})

test('what does not fit is refused with its field, and leaves nothing', async () => {
  const faults: [object, RegExp][] = [
    [{ engine: 'regex' }, /"field":"engine".*|no engine 'regex' that runs modules/],
    [{ engine: 'blub' }, /did you mean blob/],
    [moduleOf('x', 'bad word'), /"field":"module"/],
    [{ manifest: { ...moduleOf('x', 'word').manifest, sha256: 'f'.repeat(64) } }, /manifest.sha256: is f+, but that/],
    [{ manifest: { ...moduleOf('x', 'word').manifest, more: 1 } }, /manifest.more: unknown key/],
    [{ module: 'not base64!' }, /module: must be base64/],
    [{ grants: { rom: 1 } }, /grants.rom: unknown key/],
    [{ signature: { keyId: 'k', signature: 'x' } }, /signature.signature: must be 64 bytes/],
    [{ makeCurrent: false }, /makeCurrent/],
  ]
  for (const [more, words] of faults) assert.match(await refused(upload('x', 'word', more)), words)
  assert.match(await refused(gateway.api('GET', '/artifacts/x')), /404/)
  assert.match(await refused(upload('find', 'word')), /409.*exists already/)
  const large = 'x'.repeat(2_000_001)
  assert.match(await refused(upload('x', large)), /2000001 bytes; the engine blob takes 2000000/)
})

test('a rule that names what is not there is told what there is', async () => {
  const said = (module: string) => refused(addRule({ name: 'other', module }))
  assert.match(await said('fnd'), /module: there is no artifact 'fnd'; did you mean find\?/)
  assert.match(await said('find@9'), /module: find has no version 9; there are 1, 2/)
  assert.match(await said('rules/find.wasm'), /is a file: only a YAML file that is applied names one/)
  assert.match(await said('find@latest'), /names no artifact/)
})

test('a rule may say which version, by number or digest, and then a swap does not reach it', async () => {
  const { id } = await addRule({ name: 'pinned', module: `find@sha256:${sha256('cod')}` })
  assert.is(await send('a herring and a cod'), 'a  and a ')
  assert.match(
    await refused(gateway.api('DELETE', '/artifacts/find/versions/2')),
    /409.*find@2 is still named by the rule 'pinned' of gateway house/,
  )
  assert.match(await refused(gateway.api('DELETE', '/artifacts/find')), /still named by the rules 'find it' of/)
  assert.match(await refused(gateway.api('DELETE', '/artifacts/find/versions/1')), /is the current version/)
  await gateway.api('DELETE', `/gateways/house/rules/${String(id)}`)
})

test('a version that a rule would not fit does not become current', async () => {
  const version = (await add('find', 'cod', moduleOf('find', 'cod', { least: 3 })))['version']
  const said = await refused(gateway.api('PATCH', '/artifacts/find', { current: version }))
  assert.match(said, /409.*rule 'find it' of gateway house would not fit: must be at least 3/)
  assert.is(await send('a herring'), 'a ')
  await gateway.api('DELETE', `/artifacts/find/versions/${String(version)}`)
  // A number is never given twice.
  assert.is((await add('find', 'eel'))['version'], 4)
})

test('the same bytes with another manifest must fit the rules that name them by their digest', async () => {
  const { id } = await addRule({ name: 'by bytes', module: `find@sha256:${sha256('cod')}` })
  const message = await refused(add('find', 'cod', moduleOf('find', 'cod', { least: 9 })))
  assert.match(message, "rule 'by bytes' of gateway house would not fit: must be at least 9")
  await gateway.api('DELETE', `/gateways/house/rules/${String(id)}`)
})

test('uploads at once get a number each', async () => {
  await upload('many', 'one')
  const added = await Promise.all(['two', 'three', 'four', 'five'].map((word) => add('many', word)))
  assert.equal(added.map(({ version }) => version).toSorted(), [2, 3, 4, 5])
})

test('a canary takes its share, in shadow it takes nothing, and it ends', async () => {
  await gateway.api('PATCH', '/artifacts/find', { canary: { version: 2, percent: 50 } })
  const seen = new Set<string>()
  await until('both versions have served', async () => {
    seen.add(await send('herring cod'))
    return seen.size === 2 || undefined
  })
  assert.equal([...seen].toSorted(), [' cod', 'herring '])
  await gateway.api('PATCH', '/artifacts/find', { canary: { version: 2, shadow: true } })
  assert.is(await send('herring cod'), ' cod')
  assert.equal((await findingsOf()).toSorted(), ['find@1 nobody', 'find@2 nobody'])
  assert.match(await refused(gateway.api('DELETE', '/artifacts/find/versions/2')), /is the canary/)
  const said = await refused(gateway.api('PATCH', '/artifacts/find', { canary: { version: 1, percent: 5 } }))
  assert.match(said, /canary.version: find@1 is the current version/)
  await gateway.api('PATCH', '/artifacts/find', { canary: null })
  assert.is(await send('herring cod'), ' cod')
  assert.equal(await findingsOf(), ['find@1 nobody'])
})

test('a signature is checked against the keys that are trusted now', async () => {
  const [ours, theirs] = [createSigner(), createSigner()]
  await trust({ trustedKeys: { release: { publicKey: ours.publicKey }, old: { publicKey: theirs.pem } } })
  const { manifest } = moduleOf('find', 'pike')
  const forged = await refused(add('find', 'pike', { signature: theirs.sign('release', manifest) }))
  assert.match(forged, /signature: is not that of the key 'release' over this manifest/)
  const other = ours.sign('release', { ...manifest, version: '2' })
  assert.match(await refused(add('find', 'pike', { signature: other })), /is not that of the key 'release'/)
  const made = await add('find', 'pike', { signature: ours.sign('release', manifest), makeCurrent: true })
  assert.equal([made['signedBy'], made['refused']], ['release', null])
  await send('a pike')
  assert.equal(await findingsOf(), ['find@5 release'])
  await trust({ requireSignature: true })
  assert.match(await refused(add('find', 'perch')), /signature: it is not signed/)
  const stranger = { signature: theirs.sign('nobody', moduleOf('find', 'perch').manifest) }
  assert.match(await refused(add('find', 'perch', stranger)), /is not by the trusted key 'nobody'/)
  assert.match(await refused(gateway.api('PATCH', '/artifacts/find', { current: 1 })), /current: find@1 must not run/)
  assert.is(await send('a pike'), 'a ')
})

test('a key that is taken away, and a digest that is revoked, stop what they stand for at once', async () => {
  await trust({ trustedKeys: {} })
  assert.match(await send('a pike'), /^blocked: /)
  const alert = await until('an alert tells', async () =>
    (await alertsOf(gateway)).find(
      ({ type, message }) => type === 'rule_engine_failed' && /must not run/.test(message),
    ),
  )
  assert.match(alert.message, /find@5 must not run: its signature is not by the trusted key 'release'/)
  await trust({ requireSignature: false })
  assert.is(await send('a pike'), 'a ')
  assert.equal(await findingsOf(), ['find@5 nobody'])
  await gateway.api('PATCH', '/artifacts/find', { canary: { version: 1, shadow: true } })
  await trust({ revoked: [sha256('pike')] })
  assert.match(await send('a pike'), /^blocked: /)
  // What stays as it was is not asked: a canary can still be ended.
  await gateway.api('PATCH', '/artifacts/find', { canary: null })
  assert.match(
    await refused(add('find', 'pike', moduleOf('find', 'pike', { version: '9' }))),
    /module: sha256:.* is revoked/,
  )
  await trust({ revoked: [] })
  assert.is(await send('a pike'), 'a ')
})

test('a canary that must not run is left out, and the version that serves sees all', async () => {
  await gateway.api('PATCH', '/artifacts/find', { canary: { version: 4, percent: 99 } })
  await trust({ revoked: [sha256('eel')] })
  for (let sent = 0; sent < 5; sent += 1) assert.is(await send('pike eel'), ' eel')
  await trust({ revoked: [] })
  await gateway.api('PATCH', '/artifacts/find', { canary: null })
})

test('a swap drops no call that is under way', async () => {
  await add('find', 'slow one', { makeCurrent: true })
  const calls = Array.from({ length: 10 }, () => legacy(agent, call('act', { text: 'a slow one' })))
  await gateway.api('PATCH', '/artifacts/find', { current: 1 })
  for (const { json } of await Promise.all(calls)) assert.is(json.result.isError, undefined)
  assert.is(await send('a herring'), 'a ')
})

test('what is tried and what is run over the past name modules as well', async () => {
  const tried = (rule: object) => gateway.api('POST', '/engines/test', { kind: 'blob', rule, text: 'one cod' })
  const answer = await tried({ module: 'find@2', action: 'mask' })
  assert.equal([answer['after'], answer['findings']], ['one ***', [{ type: 'find@2', start: 4, end: 7, score: 1 }]])
  assert.match(await refused(tried({ module: 'fnd' })), /did you mean find/)
  const rule = { name: 'then', engine: 'blob', hook: 'request', action: 'redact', module: 'find@2' }
  const since = new Date(Date.now() - 3_600_000).toISOString()
  const { id } = await gateway.api('POST', '/rules/replay', { gateway: 'house', rules: [rule], since })
  const ended = await until('it ends', async () => {
    const replay = await gateway.api('GET', `/rules/replays/${String(id)}`)
    return ['done', 'failed'].includes(String(replay['state'])) ? replay : undefined
  })
  assert.is(ended['state'], 'done')
  const { findings } = (ended['report'] as { rules: { findings: Record<string, number> }[] }).rules[0] ?? {}
  assert.ok((findings?.['find@2 nobody'] ?? 0) > 0)
})

test('old versions that nothing names are pruned when somebody says so', async () => {
  const before = (await gateway.api('GET', '/artifacts/find')) as { versions: { version: number }[] }
  assert.ok(before.versions.length > 4)
  const { removed } = (await gateway.api('POST', '/artifacts/find/prune', { keep: 0 })) as { removed: number[] }
  const after = (await gateway.api('GET', '/artifacts/find')) as { versions: { version: number; state: string }[] }
  assert.equal(
    after.versions.map(({ state }) => state),
    ['previous', 'current'],
  )
  assert.is(removed.length + 2, before.versions.length)
})

test.run()
