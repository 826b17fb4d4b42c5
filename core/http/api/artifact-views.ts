import type { JsonObject } from '@gatehouse/sdk'
import { artifactUsers } from '../../configuration/nouns/artifact-references.js'
import { trustOf } from '../../domain/artifact-trust.js'
import { type ArtifactVersion, findVersion, type StoredArtifact } from '../../domain/artifacts.js'
import type { Gateway, RuleModules } from '../../domain/nouns.js'
import { holds } from '../../domain/capabilities.js'
import { absent } from '../../configuration/work.js'
import { isReachable } from './gateways.js'
import type { ApiCall, ApiOptions } from './operation.js'

type Reads = Pick<ApiOptions, 'store' | 'engineKinds'>
type Caller = ApiCall['caller']

interface Seen {
  readonly gateways: readonly Gateway[]
  readonly ruleModules: RuleModules
}

/** How a list shows each: what all have in common is read once. */
export async function seeArtifacts(
  options: Reads,
  caller: Caller,
): Promise<(artifact: StoredArtifact) => Promise<unknown>> {
  const { store } = options
  const [gateways, { ruleModules }] = await Promise.all([gatewaysFor(store, caller), store.settings.get()])
  return async (artifact) => {
    const versions = await store.artifacts.versions(artifact.id)
    const row = await rowOf(options, artifact, versions, { gateways, ruleModules })
    return { ...row, versions: versions.length }
  }
}

export async function seeArtifact(options: Reads, artifact: StoredArtifact, caller: Caller): Promise<unknown> {
  const { store } = options
  const [gateways, { ruleModules }] = await Promise.all([gatewaysFor(store, caller), store.settings.get()])
  const versions = await store.artifacts.versions(artifact.id)
  const row = await rowOf(options, artifact, versions, { gateways, ruleModules })
  return { ...row, versions: await seeVersions(options, artifact, versions) }
}

/** Whoever manages modules sees all that a change would reach; others see the gateways of their teams. */
async function gatewaysFor(store: Reads['store'], caller: Caller): Promise<readonly Gateway[]> {
  const all = await store.gateways.all()
  return holds(caller.capabilities, 'manageRuleModules') ? all : all.filter((one) => isReachable(caller, one))
}

/** Newest first. */
export async function seeVersions(
  { store }: Reads,
  artifact: StoredArtifact,
  versions: readonly ArtifactVersion[],
): Promise<readonly unknown[]> {
  const { ruleModules } = await store.settings.get()
  const shown = versions.map(async (one) => show(artifact, one, await vouch(store, one, ruleModules)))
  return (await Promise.all(shown)).toReversed()
}

export async function seeVersion({ store }: Reads, artifact: StoredArtifact, version: number): Promise<unknown> {
  const found = findVersion(await store.artifacts.versions(artifact.id), { version })
  if (found === undefined) throw absent('version', `${artifact.slug}@${version}`)
  const { manifest, facts } = await store.artifacts.content(artifact.id, version)
  const vouched = await vouch(store, found, (await store.settings.get()).ruleModules)
  return { ...show(artifact, found, vouched), manifest: JSON.parse(manifest) as JsonObject, facts }
}

async function rowOf(
  { store, engineKinds }: Reads,
  artifact: StoredArtifact,
  versions: readonly ArtifactVersion[],
  { gateways, ruleModules }: Seen,
) {
  const current = findVersion(versions, { version: artifact.current })
  const users = artifactUsers(gateways, engineKinds(), artifact)
  return {
    ...artifact,
    sha256: current?.sha256 ?? null,
    ...(current === undefined ? { signedBy: null, refused: null } : await vouch(store, current, ruleModules)),
    usedBy: users.map(({ gateway, rule, reference }) => ({
      gateway: gateway.slug,
      rule: rule.name,
      version: reference.at === null ? null : (findVersion(versions, reference.at)?.version ?? null),
    })),
  }
}

function show({ current, previous, canary }: StoredArtifact, one: ArtifactVersion, vouched: Vouched) {
  const { version, sha256, size, signature, uploadedBy, at } = one
  const others = version === canary?.version ? 'canary' : version === previous ? 'previous' : 'kept'
  const state = version === current ? 'current' : others
  return { version, sha256, size, state, keyId: signature?.keyId ?? null, ...vouched, uploadedBy, at }
}

interface Vouched {
  readonly signedBy: string | null
  readonly refused: string | null
}

async function vouch(
  { artifacts }: ApiOptions['store'],
  one: ArtifactVersion,
  settings: RuleModules,
): Promise<Vouched> {
  const manifest = one.signature === null ? '' : (await artifacts.content(one.artifactId, one.version)).manifest
  const trust = trustOf(one, manifest, settings)
  return trust.ok ? { signedBy: trust.signedBy, refused: null } : { signedBy: null, refused: trust.reason }
}
