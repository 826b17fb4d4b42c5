import { createHash } from 'node:crypto'
import type { Artifact, JsonObject } from '@gatehouse/sdk'
import { type Trust, trustOf } from '../domain/artifact-trust.js'
import { type ArtifactVersion, readReference, resolveVersion, type StoredArtifact } from '../domain/artifacts.js'
import { canonicalJson } from '../domain/canonical-json.js'
import type { EngineKind } from '../domain/engines.js'
import type { Rule } from '../domain/nouns.js'
import type { Share } from '../domain/snapshot.js'
import type { Store } from '../domain/store.js'
import type { EnginesBySlug, Loaded } from './snapshot-loaded.js'

/** One way in which a rule runs: as it stands, or with the canary of the artifact that it names. */
export interface RuleUse {
  readonly rule: Rule
  /** Of what is prepared: a use of the same key is the same. */
  readonly key: string
  /** The messages that it sees; null: all. */
  readonly share: Share | null
  /** Null for rules without, and where there is a problem. */
  readonly artifact: ChosenVersion | null
  /** Why it cannot run; null: nothing stands in the way. */
  readonly problem: string | null
}

export interface ChosenVersion {
  readonly artifact: StoredArtifact
  readonly version: ArtifactVersion
  readonly signedBy: string | null
}

/** The version rises with every change of a rule's content, and so does that of the engine it names. */
export function keyOf(rule: Pick<Rule, 'id' | 'version' | 'engine'>, engines: EnginesBySlug): string {
  const engine = engines.get(rule.engine)
  const own = `${rule.id}@${rule.version}`
  return engine === undefined ? own : `${own} ${engine.id}@${engine.version}`
}

export interface UseParts {
  readonly loaded: Loaded
  readonly engines: EnginesBySlug
  readonly kinds: readonly EngineKind[]
  readonly contents: ArtifactContents
}

/** The uses of each rule by its id, the canary before the version that serves. */
export async function usesOf(
  rules: readonly Rule[],
  parts: UseParts,
): Promise<ReadonlyMap<string, readonly RuleUse[]>> {
  const bySlug = new Map(parts.loaded.artifacts.map((artifact) => [artifact.slug, artifact]))
  const versions = byArtifact(parts.loaded.versions)
  const uses = rules.map(async (rule) => {
    const key = keyOf(rule, parts.engines)
    const named = nameIn(rule, parts)
    if (named === null) return [rule.id, [{ rule, key, share: null, artifact: null, problem: null }]] as const
    const reference = readReference(named)
    const artifact = reference === null ? undefined : bySlug.get(reference.slug)
    if (reference === null || artifact === undefined)
      return [rule.id, [broken(rule, key, `there is no artifact '${named}'`)]] as const
    const own = versions.get(artifact.id) ?? []
    const stable = resolveVersion(artifact, own, reference.at)
    const uses = [await useOf({ rule, key, artifact, version: stable }, parts)]
    // A rule that says which version gets that, and no other.
    if (reference.at === null) uses.unshift(...(await canaryOf({ rule, key, artifact, version: stable }, own, parts)))
    return [rule.id, split(uses, artifact)] as const
  })
  return new Map(await Promise.all(uses))
}

function byArtifact(versions: readonly ArtifactVersion[]): ReadonlyMap<string, ArtifactVersion[]> {
  const grouped = new Map<string, ArtifactVersion[]>()
  for (const version of versions) {
    const own = grouped.get(version.artifactId)
    if (own === undefined) grouped.set(version.artifactId, [version])
    else own.push(version)
  }
  return grouped
}

/** What a rule says in the place of its artifact; null for kinds that have none. */
function nameIn(rule: Rule, { engines, kinds }: UseParts): string | null {
  const kind = engines.get(rule.engine)?.kind ?? rule.engine
  const key = kinds.find((one) => one.kind === kind)?.declaration.artifact?.key
  const text = key === undefined ? undefined : rule.config[key]
  return typeof text === 'string' ? text : null
}

interface Choice {
  readonly rule: Rule
  readonly key: string
  readonly artifact: StoredArtifact
  readonly version: ArtifactVersion | string
}

async function useOf({ rule, key, artifact, version }: Choice, parts: UseParts): Promise<RuleUse> {
  if (typeof version === 'string') return broken(rule, key, version)
  const trust = await trusted(version, parts)
  const at = `${artifact.slug}@${version.version}`
  if (!trust.ok) return broken(rule, key, `${at} must not run: ${trust.reason}`)
  const { signedBy } = trust
  const grants = createHash('sha256').update(canonicalJson(artifact.grants)).digest('hex')
  const whole = `${key} ${artifact.id}@${version.version} ${grants} ${rule.shadow} ${signedBy ?? ''}`
  return { rule, key: whole, share: null, artifact: { artifact, version, signedBy }, problem: null }
}

async function canaryOf(choice: Choice, versions: readonly ArtifactVersion[], parts: UseParts): Promise<RuleUse[]> {
  const { canary } = choice.artifact
  if (canary === null) return []
  const version = resolveVersion(choice.artifact, versions, { version: canary.version })
  const rule = canary.shadow ? { ...choice.rule, shadow: true } : choice.rule
  const use = await useOf({ ...choice, rule, version, key: `${choice.key} canary` }, parts)
  return [use]
}

/** A canary in shadow takes no message from the version that serves. */
function split(uses: readonly RuleUse[], { canary }: StoredArtifact): readonly RuleUse[] {
  if (canary === null || uses.length < 2) return uses
  return uses.map((use, index) => {
    if (index === 0) return { ...use, share: { from: 0, to: canary.percent } }
    return canary.shadow ? use : { ...use, share: { from: canary.percent, to: 100 } }
  })
}

async function trusted(version: ArtifactVersion, { loaded, contents }: UseParts): Promise<Trust> {
  const { ruleModules } = loaded.settings
  // Only a signature needs the manifest that it is over.
  const manifest = version.signature === null ? '' : await contents.manifest(version)
  return trustOf(version, manifest, ruleModules)
}

const broken = (rule: Rule, key: string, problem: string): RuleUse => ({
  rule,
  key: `${key} !`,
  share: null,
  artifact: null,
  problem,
})

/** Manifests and bytes of versions, read when they are asked for. What was read lately is kept: neither ever changes. */
export interface ArtifactContents {
  manifest(version: ArtifactVersion): Promise<string>
  open(chosen: ChosenVersion): Promise<Artifact>
}

const MOST_MANIFESTS = 500
const MOST_BYTES = 32 * 1024 * 1024

export function createArtifactContents({ artifacts }: Pick<Store, 'artifacts'>): ArtifactContents {
  const manifests = createKept<string>(MOST_MANIFESTS, () => 1)
  const modules = createKept<Uint8Array>(MOST_BYTES, (bytes) => bytes.length)
  const nameOf = ({ artifactId, version }: ArtifactVersion) => `${artifactId}@${version}`
  const manifest = (one: ArtifactVersion) =>
    manifests(nameOf(one), async () => (await artifacts.content(one.artifactId, one.version)).manifest)
  return {
    manifest,
    async open({ artifact, version, signedBy }) {
      const { sha256, version: number } = version
      const [text, bytes] = await Promise.all([
        manifest(version),
        modules(nameOf(version), () => artifacts.bytes(artifact.id, number)),
      ])
      const said = JSON.parse(text) as JsonObject
      return { name: artifact.slug, version: number, sha256, bytes, manifest: said, grants: artifact.grants, signedBy }
    },
  }
}

/** The last that were asked for, as long as they are not too much together; each read once. */
function createKept<T>(most: number, sizeOf: (value: T) => number) {
  const kept = new Map<string, { readonly value: Promise<T>; size: number }>()
  const shrink = (): void => {
    let sum = [...kept.values()].reduce((all, { size }) => all + size, 0)
    for (const [key, { size }] of kept) {
      if (sum <= most) return
      kept.delete(key)
      sum -= size
    }
  }
  return (key: string, read: () => Promise<T>): Promise<T> => {
    const known = kept.get(key)
    kept.delete(key)
    const entry = known ?? { value: read(), size: 0 }
    kept.set(key, entry)
    if (known === undefined)
      entry.value.then(
        (value) => {
          entry.size = sizeOf(value)
          shrink()
        },
        () => void kept.delete(key),
      )
    return entry.value
  }
}
