import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { EngineKind } from '../../domain/engines.js'
import { apiBench } from '../../test/api.js'
import { createSigner, moduleOf, sha256 } from '../../test/artifacts/blob-engine.js'

const blob: EngineKind = {
  kind: 'blob',
  plugin: 'detect-blob',
  instance: null,
  declaration: {
    rule: z.object({ module: z.string() }),
    answers: 'spans',
    fails: true,
    artifact: {
      key: 'module',
      manifest: z.strictObject({ name: z.string(), version: z.string(), sha256: z.string() }),
      grants: z.strictObject({}),
      mostBytes: 1_000,
    },
  },
}
const bench = await apiBench({ checks: { engines: () => [blob], checkRule: async () => [] } })
test.after(() => void bench.stop())
const upload = { engine: 'blob', ...moduleOf('find', 'herring') }

test('only who manages rule modules may change them; who writes rules sees what there is', async () => {
  const modules = await bench.token(['manageRuleModules'])
  const writer = await bench.token(['basicGatewayManagement'])
  const settler = await bench.token(['manageWorkspaceSettings', 'manageIntegrations'])
  for (const token of [writer, settler])
    assert.is((await bench.request('POST', '/artifacts', { token, body: upload })).status, 403)
  assert.is((await bench.request('POST', '/artifacts', { token: modules, body: upload })).status, 201)
  const asked: [string, string, object | undefined, number, number, number][] = [
    ['GET', '/artifacts', undefined, 200, 200, 403],
    ['GET', '/artifacts/find', undefined, 200, 200, 403],
    ['GET', '/artifacts/find/versions', undefined, 200, 200, 403],
    ['GET', '/artifacts/find/versions/1', undefined, 200, 200, 403],
    ['GET', '/artifacts/find/versions/1/module', undefined, 200, 403, 403],
    ['POST', '/artifacts/find/versions', moduleOf('find', 'cod'), 201, 403, 403],
    ['PATCH', '/artifacts/find', { current: 2 }, 200, 403, 403],
    ['DELETE', '/artifacts/find/versions/1', undefined, 204, 403, 403],
    ['POST', '/artifacts/find/prune', {}, 200, 403, 403],
    ['PATCH', '/settings', { ruleModules: { requireSignature: false } }, 200, 403, 403],
    ['PATCH', '/settings', { audit: 'fast' }, 403, 403, 200],
    ['GET', '/settings', undefined, 200, 403, 200],
  ]
  for (const [method, path, body, ...statuses] of asked) {
    // Whoever may comes last: what they do is then not there any more.
    for (const [index, token] of [settler, writer, modules].entries())
      assert.is(
        (await bench.request(method, path, { token, body })).status,
        statuses[2 - index],
        `${method} ${path} ${index}`,
      )
  }
})

test('a file that brings modules, or says whom to trust, needs that capability too', async () => {
  const setter = await bench.token(['manageWorkspaceSettings'])
  const both = await bench.token(['manageWorkspaceSettings', 'manageRuleModules'])
  const base64 = (value: unknown) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')
  const { manifest } = moduleOf('filed', 'eel')
  const modules = { 'm/filed.wasm': base64('eel'), 'm/filed.rule.json': base64(manifest) }
  const key = createSigner().publicKey
  for (const more of [
    'artifacts: { filed: { engine: blob, file: m/filed.wasm } }',
    `settings: { ruleModules: { trustedKeys: { mine: { publicKey: "${key}" } } } }`,
  ]) {
    const body = { text: `version: 1\n${more}\n`, modules }
    const refused = await bench.request('POST', '/apply', { token: setter, body })
    assert.equal([refused.status, refused.json.error.message], [403, "Capability 'manageRuleModules' is required."])
    const done = await bench.request('POST', '/apply', { token: both, body })
    assert.is(done.status, 200, done.text)
  }
  assert.is((await bench.request('GET', '/artifacts/filed')).json.sha256, sha256('eel'))
})

test('a path leads nowhere but to what was sent along', async () => {
  const text = 'version: 1\nartifacts: { stray: { engine: blob, file: ../../etc/stray.wasm } }\n'
  const { status, json } = await bench.request('POST', '/plan', { body: { text } })
  assert.equal([status, json.error.message.includes('stray.wasm is not there')], [400, true])
})

test('a long body is read only of whoever may send one, and no other operation takes it', async () => {
  const body = { ...upload, slug: 'long', module: Buffer.alloc(2 * 1024 * 1024).toString('base64') }
  const writer = await bench.token(['basicGatewayManagement'])
  assert.is((await bench.request('POST', '/artifacts', { token: writer, body })).status, 403)
  const { status, json } = await bench.request('POST', '/artifacts', { body })
  assert.equal([status, json.error.field], [400, 'module'])
  assert.is((await bench.request('POST', '/teams', { body })).status, 413)
})

test('keys and digests that are none are refused', async () => {
  const faults: [object, string][] = [
    [{ trustedKeys: { k: { publicKey: 'AAAA' } } }, 'ruleModules.trustedKeys.k.publicKey'],
    [
      { trustedKeys: { k: { publicKey: createSigner().pem.replace('MCow', 'MCox') } } },
      'ruleModules.trustedKeys.k.publicKey',
    ],
    [{ revoked: ['xyz'] }, 'ruleModules.revoked[0]'],
  ]
  for (const [ruleModules, field] of faults) {
    const { status, json } = await bench.request('PATCH', '/settings', { body: { ruleModules } })
    assert.equal([status, json.error.field], [400, field])
  }
})

test('a manifest that is nested without end is refused', async () => {
  const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`
  const body = JSON.stringify({ ...upload, slug: 'deep', manifest: 0 }).replace('"manifest":0', `"manifest":${deep}`)
  const { status, json } = await bench.request('POST', '/artifacts', { body })
  assert.equal([status, json.error.field], [400, 'manifest'])
})

test('a version that a trusted key vouches for does not lose that to a signature by a stranger', async () => {
  const [ours, theirs] = [createSigner(), createSigner()]
  const body = moduleOf('kept', 'plaice')
  await bench.request('PATCH', '/settings', {
    body: { ruleModules: { trustedKeys: { ours: { publicKey: ours.publicKey } } } },
  })
  const signed = { ...body, signature: ours.sign('ours', body.manifest) }
  assert.is((await bench.request('POST', '/artifacts', { body: { engine: 'blob', ...signed } })).status, 201)
  const again = { ...body, signature: theirs.sign('theirs', body.manifest) }
  const { status, json } = await bench.request('POST', '/artifacts/kept/versions', { body: again })
  assert.equal([status, json.error?.field], [409, 'signature'])
  assert.is((await bench.request('GET', '/artifacts/kept')).json.signedBy, 'ours')
})

test('a module does not become a version of another one', async () => {
  await bench.request('POST', '/artifacts', { body: { engine: 'blob', ...moduleOf('strict', 'pike') } })
  const { status, json } = await bench.request('POST', '/artifacts/strict/versions', { body: moduleOf('lax', 'eel') })
  assert.equal([status, json.error?.field], [400, 'manifest.name'])
})

test('who writes rules sees who uses a module on the gateways of their teams alone', async () => {
  await bench.request('POST', '/artifacts', { body: { engine: 'blob', ...moduleOf('used', 'trout') } })
  const rules = [{ name: 'Secret rule', engine: 'blob', hook: 'request', module: 'used', action: 'redact' }]
  const made = await bench.request('POST', '/gateways', { body: { slug: 'far', rules } })
  assert.is(made.status, 201, made.text)
  const usedBy = async (capabilities: readonly string[]) => {
    const token = await bench.token(capabilities)
    const one = (await bench.request('GET', '/artifacts/used', { token })).json.usedBy
    const all = (await bench.request('GET', '/artifacts?limit=100', { token })).json.items
    assert.equal(all.find(({ slug }: { slug: string }) => slug === 'used').usedBy, one)
    return one.length
  }
  assert.is(await usedBy(['basicGatewayManagement']), 0)
  assert.is(await usedBy(['basicGatewayManagement', 'viewAndUseAllGateways']), 1)
  assert.is(await usedBy(['manageRuleModules']), 1)
})

test.run()
