import { type Artifact, closest, type JsonObject } from '@gatehouse/sdk'
import { trustOf } from '../../domain/artifact-trust.js'
import {
  type ArtifactReference,
  type ArtifactVersion,
  isModulePath,
  readReference,
  resolveVersion,
  type StoredArtifact,
} from '../../domain/artifacts.js'
import type { EngineKind } from '../../domain/engines.js'
import type { Gateway, Rule } from '../../domain/nouns.js'
import type { ArtifactFacts } from '../../domain/snapshot.js'
import type { Store } from '../../domain/store.js'
import { invalid } from '../problems.js'

type Reads = Pick<Store, 'artifacts' | 'settings'>

/** The artifact that a rule of this kind names, with its bytes; null for kinds without, and where the key is missing. */
export async function artifactOfRule(
  store: Reads,
  kind: EngineKind,
  config: Readonly<Record<string, unknown>>,
): Promise<Artifact | null> {
  const key = kind.declaration.artifact?.key
  const text = key === undefined ? undefined : config[key]
  if (key === undefined || typeof text !== 'string') return null
  const reference = mustRead(key, text)
  const artifact = await store.artifacts.byKey(reference.slug)
  if (artifact === null) throw await unknown(store, key, reference)
  if (artifact.engine !== kind.kind)
    throw invalid(key, `'${artifact.slug}' is for the engine ${artifact.engine}, not for ${kind.kind}`)
  const version = resolveVersion(artifact, await store.artifacts.versions(artifact.id), reference.at)
  if (typeof version === 'string') throw invalid(key, version)
  const opened = await openVersion(store, artifact, version)
  if (typeof opened === 'string') throw invalid(key, opened)
  return opened
}

/** As its engine is told of it; a text when the settings forbid that it runs. */
export async function openVersion(
  store: Reads,
  artifact: StoredArtifact,
  version: ArtifactVersion,
): Promise<Artifact | string> {
  const { manifest } = await store.artifacts.content(artifact.id, version.version)
  const trust = trustOf(version, manifest, (await store.settings.get()).ruleModules)
  if (!trust.ok) return `${artifact.slug}@${version.version} must not run: ${trust.reason}`
  return {
    name: artifact.slug,
    version: version.version,
    sha256: version.sha256,
    bytes: await store.artifacts.bytes(artifact.id, version.version),
    manifest: JSON.parse(manifest) as JsonObject,
    grants: artifact.grants,
    signedBy: trust.signedBy,
  }
}

/**
 * The artifact that a verdict came from: that upload, or where it is gone, another one of the same bytes. Their manifests may differ,
 * which the verdict then shows.
 */
export async function ranArtifact(
  store: Reads,
  engine: string,
  { name, version, sha256 }: ArtifactFacts,
): Promise<Artifact | 'module_gone' | 'module_refused'> {
  const artifacts = (await store.artifacts.all()).filter((one) => one.engine === engine)
  const same = (await store.artifacts.versions()).filter((one) => one.sha256 === sha256)
  const named = artifacts.find(({ slug }) => slug === name)
  const found =
    same.find((one) => one.artifactId === named?.id && one.version === version) ??
    same.findLast((one) => one.artifactId === named?.id) ??
    same.findLast((one) => artifacts.some(({ id }) => id === one.artifactId))
  const artifact = artifacts.find(({ id }) => id === found?.artifactId)
  if (found === undefined || artifact === undefined) return 'module_gone'
  const opened = await openVersion(store, artifact, found)
  return typeof opened === 'string' ? 'module_refused' : opened
}

function mustRead(key: string, text: string): ArtifactReference {
  const reference = readReference(text)
  if (reference !== null) return reference
  if (isModulePath(text))
    throw invalid(key, `'${text}' is a file: only a YAML file that is applied names one; upload it, and say its name`)
  throw invalid(key, `'${text}' names no artifact: say <name>, <name>@<version> or <name>@sha256:<64 hex digits>`)
}

async function unknown({ artifacts }: Reads, key: string, { slug }: ArtifactReference) {
  const slugs = (await artifacts.all()).map((one) => one.slug)
  const meant = closest(slug, slugs)
  const hint =
    meant === undefined ? `there are ${slugs.slice(0, 20).join(', ') || 'none yet'}` : `did you mean ${meant}?`
  return invalid(key, `there is no artifact '${slug}'; ${hint}`)
}

/** A rule that names an artifact. */
export interface ArtifactUser {
  readonly gateway: Gateway
  readonly rule: Rule
  readonly reference: ArtifactReference
}

/** Whoever names it, enabled or not. Of a kind that is not loaded, any text that looks like its name is taken for it. */
export function artifactUsers(
  gateways: readonly Gateway[],
  kinds: readonly EngineKind[],
  { slug, engine }: Pick<StoredArtifact, 'slug' | 'engine'>,
): ArtifactUser[] {
  const key = kinds.find(({ kind }) => kind === engine)?.declaration.artifact?.key
  return gateways.flatMap((gateway) =>
    gateway.rules.flatMap((rule) => {
      if (rule.engine !== engine) return []
      const texts = key === undefined ? Object.values(rule.config) : [rule.config[key]]
      const references = texts.flatMap((text) => (typeof text === 'string' ? (readReference(text) ?? []) : []))
      const reference = references.find((one) => one.slug === slug)
      return reference === undefined ? [] : [{ gateway, rule, reference }]
    }),
  )
}

const MOST_NAMES = 20
export function namesOfUsers(users: readonly ArtifactUser[]): string {
  const names = users.slice(0, MOST_NAMES).map(({ gateway, rule }) => `'${rule.name}' of gateway ${gateway.slug}`)
  const more = users.length - names.length
  return `${users.length === 1 ? 'the rule' : 'the rules'} ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
