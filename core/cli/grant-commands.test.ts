import { RuleGrants, RuleManifest } from '@gatehouse/sdk/rule-abi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { EngineKind } from '../domain/engines.js'
import { apiBench } from '../test/api.js'
import { moduleOf, sha256 } from '../test/artifacts/blob-engine.js'
import { flagsOf, lackingGrants } from './grant-commands.js'
import { runCommand } from './program.js'

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
      grants: RuleGrants,
      mostBytes: 1_000,
    },
  },
}
const bench = await apiBench({ checks: { engines: () => [blob], checkRule: async () => [] } })
test.after(() => void bench.stop())
await bench.request('POST', '/artifacts', { body: { engine: 'blob', ...moduleOf('find', 'herring') } })

const command = async (token: string, ...argv: string[]): Promise<string> => {
  let [out, err] = ['', '']
  const code = await runCommand({
    ...{ argv, env: { GATEHOUSE_API: bench.url, GATEHOUSE_TOKEN: token }, cwd: '.', version: '0', nodeVersion: '' },
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    signal: new AbortController().signal,
    start: () => Promise.reject(new Error('not here')),
  })
  return code === 0 ? out : `${code}: ${err}`
}
const grant = (...argv: string[]) => command(bench.admin, 'rules', 'grant', 'find', ...argv)

test('what is granted is shown; what is not named stays; none takes all away but what is named beside it', async () => {
  assert.is(await grant(), 'find  none\n')
  assert.is(await grant('--fuel', '30000000'), 'find  fuel 30000000\n')
  assert.is(await grant('--wasi-stub'), 'find  fuel 30000000, wasiStub\n')
  assert.is(await grant('--memory-pages', '65', '--module-bytes', '2000000'), await grant())
  assert.match(
    await command(bench.admin, 'rules', 'modules'),
    / GRANTS\n.* fuel 30000000, memoryPages 65, moduleBytes 2000000, wasiStub\n/,
  )
  assert.is(await grant('--none', '--wasi-stub'), 'find  wasiStub\n')
  assert.is(await grant('--none'), 'find  none\n')
})

test('more than a grant can give, and what is no number, change nothing', async () => {
  assert.match(await grant('--fuel', '500000001'), /^1: grants\.fuel: must be at most 500000000/)
  for (const wrong of ['0', '-1', '1e6', '2MiB']) assert.match(await grant('--fuel', wrong), /^2: .*whole number/)
  assert.is(await grant(), 'find  none\n')
})

test('whoever may write rules sees grants; only who manages modules may change them', async () => {
  const writer = await bench.token(['basicGatewayManagement'])
  const settler = await bench.token(['manageIntegrations', 'manageWorkspaceSettings'])
  const modules = await bench.token(['manageRuleModules'])
  assert.is(await command(writer, 'rules', 'grant', 'find'), 'find  none\n')
  for (const token of [writer, settler])
    for (const change of ['--wasi-stub', '--none'])
      assert.match(await command(token, 'rules', 'grant', 'find', change), /^1: Capability '.*' is required/)
  const uploaded = { ...moduleOf('find', 'cod'), grants: { fuel: 5 } }
  assert.is((await bench.request('POST', '/artifacts/find/versions', { token: writer, body: uploaded })).status, 403)
  assert.is(await grant(), 'find  none\n')
  assert.is(await command(modules, 'rules', 'grant', 'find', '--wasi-stub'), 'find  wasiStub\n')
})

test('grants that come with a version are set with it, or not at all', async () => {
  const grants = async () => (await bench.request('GET', '/artifacts/find')).json.grants as unknown
  const wrong = { ...moduleOf('find', 'cod'), manifest: { name: 'find', version: '1', sha256: sha256('eel') } }
  for (const [body, status] of [
    [{ ...wrong, grants: { fuel: 7 } }, 400],
    [{ ...moduleOf('find', 'cod'), grants: { fuel: 7, speed: 1 } }, 400],
  ] as const)
    assert.is((await bench.request('POST', '/artifacts/find/versions', { body })).status, status)
  assert.equal(await grants(), { wasiStub: true })
  const body = { ...moduleOf('find', 'cod'), grants: { fuel: 7 } }
  assert.is((await bench.request('POST', '/artifacts/find/versions', { body })).status, 201)
  assert.equal(await grants(), { fuel: 7 })
})

test('what a module lacks is what it asks for and is not granted', () => {
  const manifest = (more: object) =>
    RuleManifest.parse({ name: 'one', version: '1', abi: 'gatehouse.rule/1', sha256: '0'.repeat(64), ...more })
  const small = new Uint8Array(10)
  const large = new Uint8Array(1_500_000)
  const asking = manifest({ wasiStub: true, limits: { fuel: 30_000_000, memoryPages: 64 } })
  assert.equal(lackingGrants(small, manifest({}), {}), {})
  assert.equal(lackingGrants(large, asking, {}), { wasiStub: true, fuel: 30_000_000, moduleBytes: 2_097_152 })
  assert.equal(lackingGrants(large, asking, { fuel: 29_999_999, moduleBytes: 1_500_000, wasiStub: true }), {
    fuel: 30_000_000,
  })
  assert.equal(lackingGrants(large, { name: 'of another engine' }, {}), {})
  assert.is(flagsOf(lackingGrants(large, asking, {})), '--fuel 30000000 --module-bytes 2097152 --wasi-stub')
})

test.run()
