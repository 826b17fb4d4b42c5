import { createHash } from 'node:crypto'
import type { Artifact } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { createEpochs } from '../cluster/epochs.js'
import { createStore } from '../db/repositories/store.js'
import { fakeVault, gatewayDraft, migratedDatabase, ruleDraft } from '../db/testing.js'
import type { EngineKind } from '../domain/engines.js'
import { DEFAULT_RULE_MODULES } from '../domain/nouns.js'
import type { Snapshot } from '../domain/snapshot.js'
import { createSigner } from '../test/artifacts/blob-engine.js'
import { canonicalJson } from '../domain/canonical-json.js'
import { newWatch } from '../domain/rule-watch.js'
import { createSnapshots } from './snapshots.js'

const database = await migratedDatabase()
const store = createStore({ dataSource: database.dataSource, vault: fakeVault })
const kind: EngineKind = {
  kind: 'blob',
  plugin: 'detect-blob',
  instance: null,
  declaration: {
    rule: z.looseObject({}),
    answers: 'spans',
    fails: true,
    artifact: { key: 'module', manifest: z.any(), grants: z.any(), mostBytes: 1_000 },
  },
}
const signer = createSigner()
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

async function addVersion(artifactId: string, version: number, word: string): Promise<void> {
  const manifest = canonicalJson({ name: 'm', word })
  const digests = { sha256: sha256(word), manifestSha256: sha256(manifest) }
  const signature = signer.sign('key', { name: 'm', word })
  const bytes = Buffer.from(word)
  const plain = { size: bytes.length, bytes, manifest, signature, facts: {}, uploadedBy: null }
  await store.artifacts.addVersion({ artifactId, version, ...digests, ...plain })
}

/** Two rules on one gateway: one follows the module, the other says which version. */
async function scene(name: string) {
  const artifact = await store.artifacts.insert({
    ...{ slug: name, engine: 'blob', current: 1, previous: null, latest: 2, canary: null, grants: {} },
    managedBy: 'api',
  })
  await addVersion(artifact.id, 1, `${name} one`)
  await addVersion(artifact.id, 2, `${name} two`)
  const gateway = await store.gateways.insert(gatewayDraft(name))
  const rule = (module: string) => ({ ...ruleDraft(module), engine: 'blob', config: { module } })
  await store.gateways.setRules(gateway.id, [rule(name), rule(`${name}@1`)])
  const told: string[] = []
  const read: number[] = []
  const artifacts = {
    ...store.artifacts,
    bytes: (id: string, version: number) => (read.push(version), store.artifacts.bytes(id, version)),
  }
  const epochs = createEpochs({ store, intervalMs: 2 ** 30 })
  const snapshots = createSnapshots({
    store: { ...store, artifacts },
    epochs,
    log: { warn: () => undefined, error: () => undefined },
    openEngine: () => Promise.reject(new Error('none here')),
    engineKinds: () => [kind],
    prepareRule: async (of, _instance, given: Artifact | null) => {
      if (of.config['module'] === name || of.config['module'] === `${name}@1`)
        told.push(
          `${of.name} ${given === null ? 'nothing' : `${given.version} ${Buffer.from(given.bytes).toString()} ${given.signedBy}`}`,
        )
      const plain = {
        rule: of,
        kind: 'blob',
        instance: null,
        whole: true,
        looksOnly: false,
        change: null,
        chains: false,
        watch: newWatch(),
      }
      return { ...plain, artifact: null, share: null, covers: () => true, state: told.length, passes: 1, broken: null }
    },
    retireRule: () => undefined,
  })
  const rebuild = async () => {
    await store.bumpEpoch()
    await epochs.check()
    told.length = read.length = 0
    return rulesOf(await snapshots.rebuild())
  }
  const rulesOf = (snapshot: Snapshot) =>
    snapshot.gateways.get(name)?.rules.map(({ share, broken, rule: { shadow } }) => ({ share, broken, shadow })) ?? []
  const stop = async () => {
    epochs.stop()
    await snapshots.stop()
    await store.gateways.remove(gateway.id)
    await store.settings.set({ ...(await store.settings.get()), ruleModules: DEFAULT_RULE_MODULES })
  }
  return { artifact, told, read, rebuild, stop }
}
const trust = async (ruleModules: object) =>
  store.settings.set({ ...(await store.settings.get()), ruleModules: { ...DEFAULT_RULE_MODULES, ...ruleModules } })
const NOTHING_ODD = { share: null, broken: null, shadow: false }

test('a swap prepares anew the rules that follow it and no others, and reads the bytes that are new', async () => {
  const { artifact, told, read, rebuild, stop } = await scene('swap')
  assert.equal(await rebuild(), [NOTHING_ODD, NOTHING_ODD])
  assert.equal([told, read], [['swap 1 swap one null', 'swap@1 1 swap one null'], [1]])
  await rebuild()
  assert.equal([told, read], [[], []])
  await store.artifacts.update(artifact.id, { current: 2, previous: 1 })
  await rebuild()
  assert.equal([told, read], [['swap 2 swap two null'], [2]])
  // Back again: what was read lately is not read twice.
  await store.artifacts.update(artifact.id, { current: 1 })
  await rebuild()
  assert.equal([told, read], [['swap 1 swap one null'], []])
  await store.artifacts.update(artifact.id, { grants: { room: 1 } })
  await rebuild()
  assert.is(told.length, 2)
  await stop()
})

test('who vouches for a version is what the settings say now', async () => {
  const { told, rebuild, stop } = await scene('trust')
  await trust({ trustedKeys: { key: { publicKey: signer.publicKey } }, requireSignature: true })
  assert.equal(await rebuild(), [NOTHING_ODD, NOTHING_ODD])
  assert.is(told[0], 'trust 1 trust one key')
  // The same name, and another key behind it.
  await trust({ trustedKeys: { key: { publicKey: createSigner().publicKey } }, requireSignature: true })
  const [first] = await rebuild()
  assert.match(first?.broken ?? '', /trust@1 must not run: its signature is not by the trusted key 'key'/)
  await stop()
})

test('what must not run is never shown to its engine', async () => {
  const { told, read, rebuild, stop } = await scene('revoked')
  await trust({ revoked: [sha256('revoked one')] })
  for (const { broken } of await rebuild()) assert.match(broken ?? '', /revoked@1 must not run: sha256:.* is revoked/)
  // What is broken is tried anew with every change.
  assert.equal([[...new Set(told)], read], [['revoked nothing', 'revoked@1 nothing'], []])
  await stop()
})

test('a canary shares the messages, in shadow it has none, and one that must not run is left out', async () => {
  const { artifact, told, rebuild, stop } = await scene('canary')
  await rebuild()
  await store.artifacts.update(artifact.id, { canary: { version: 2, percent: 10, shadow: false } })
  const shares = [{ from: 0, to: 10 }, { from: 10, to: 100 }, null]
  assert.equal(
    await rebuild(),
    shares.map((share) => ({ ...NOTHING_ODD, share })),
  )
  assert.equal(told, ['canary 2 canary two null'])
  // Another share is no other rule.
  await store.artifacts.update(artifact.id, { canary: { version: 2, percent: 20, shadow: false } })
  assert.equal((await rebuild())[0]?.share, { from: 0, to: 20 })
  assert.equal(told, [])
  await store.artifacts.update(artifact.id, { canary: { version: 2, percent: 20, shadow: true } })
  const [shadow, serving] = await rebuild()
  assert.equal([shadow, serving], [{ share: { from: 0, to: 20 }, broken: null, shadow: true }, NOTHING_ODD])
  await trust({ revoked: [sha256('canary two')] })
  assert.equal(await rebuild(), [NOTHING_ODD, NOTHING_ODD])
  await stop()
})

test.after(() => database.drop())
test.run()
