import type { JsonObject } from '@gatehouse/sdk'
import type { Stored } from './nouns.js'

/** A versioned blob for an engine, such as the module of rules. Its versions are what was uploaded; one of them is current. */
export interface StoredArtifact extends Stored {
  readonly slug: string
  /** The kind of engine that it is for. */
  readonly engine: string
  readonly current: number
  /** The version that was current before; null when there is none any more. */
  readonly previous: number | null
  /** The number of the last upload: numbers are never given twice. */
  readonly latest: number
  readonly canary: Canary | null
  /** What an operator allows its modules beyond what all are allowed. */
  readonly grants: JsonObject
}

/** Another version beside the current one, for a share of the messages. */
export interface Canary {
  readonly version: number
  /** Of the messages, whole numbers from 1 to 100. */
  readonly percent: number
  /** It only looks: the current version serves all. */
  readonly shadow: boolean
}

/** One upload, without its bytes. Nothing of it changes, but that somebody may sign it later. */
export interface ArtifactVersion {
  readonly artifactId: string
  readonly version: number
  /** Of the bytes, in hexadecimal. */
  readonly sha256: string
  /** Of the canonical JSON of its manifest. */
  readonly manifestSha256: string
  readonly size: number
  readonly signature: Signature | null
  /** Who uploaded it, by e-mail address; null: the operator's file. */
  readonly uploadedBy: string | null
  readonly at: string
}

export interface Signature {
  /** The name of the trusted key. */
  readonly keyId: string
  /** Ed25519 over the canonical JSON (RFC 8785) of the manifest, in base64. */
  readonly signature: string
}

/** What was uploaded beside the bytes. */
export interface ArtifactContent {
  /** Canonical JSON of the manifest as it was given: what a signature is over. */
  readonly manifest: string
  /** What its engine found out at the upload. */
  readonly facts: JsonObject
}

/** How a rule, or whoever manages artifacts, names one: `name`, `name@3`, `name@sha256:<hex>`. */
export interface ArtifactReference {
  readonly slug: string
  /** Null: the current version, whichever that is. */
  readonly at: VersionReference | null
}
export type VersionReference = { readonly version: number } | { readonly sha256: string }

const REFERENCE = /^([a-z0-9][a-z0-9-]{0,62})(?:@(.+))?$/

/** Null for what is no reference. */
export function readReference(text: string): ArtifactReference | null {
  const [, slug, at] = REFERENCE.exec(text) ?? []
  if (slug === undefined) return null
  if (at === undefined) return { slug, at: null }
  const version = readVersion(at)
  return version && { slug, at: version }
}

/** `3` or `sha256:<hex>`; null for anything else. */
export function readVersion(text: string): VersionReference | null {
  if (/^[1-9]\d{0,8}$/.test(text)) return { version: Number(text) }
  const [, sha256] = /^sha256:([0-9a-f]{64})$/.exec(text) ?? []
  return sha256 === undefined ? null : { sha256 }
}

/** A file in the place of a reference: what a file that is applied may say. */
export const isModulePath = (text: string): boolean => /\.(?:wasm|js)$/.test(text)

type Seen = Pick<ArtifactVersion, 'version' | 'sha256'>

/** Of several uploads of the same bytes, the last: they differ in their manifests. */
export function findVersion<V extends Seen>(versions: readonly V[], at: VersionReference): V | undefined {
  return versions.findLast((one) => ('version' in at ? one.version === at.version : one.sha256 === at.sha256))
}

/** The version that a reference leads to, or what to say instead. `versions` are those of the artifact, oldest first. */
export function resolveVersion<V extends Seen>(
  { slug, current }: Pick<StoredArtifact, 'slug' | 'current'>,
  versions: readonly V[],
  at: VersionReference | null,
): V | string {
  const found = findVersion(versions, at ?? { version: current })
  if (found !== undefined) return found
  const wanted =
    at === null ? 'current version' : 'version' in at ? `version ${at.version}` : `version of sha256:${at.sha256}`
  const known = versions.map(({ version }) => version).slice(-MOST_NAMED)
  return `${slug} has no ${wanted}; there are ${known.join(', ')}`
}
const MOST_NAMED = 10

/** Core keeps no longer ones, whatever an engine would take. */
export const MOST_MODULE = 16 * 1024 * 1024
/** Characters that so many bytes are in base64. */
export const inBase64 = (bytes: number): number => Math.ceil(bytes / 3) * 4
