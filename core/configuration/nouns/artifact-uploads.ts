import { createHash } from 'node:crypto'
import { type ArtifactDeclaration, closest, type ConfigError, type JsonObject, parseStrictly } from '@gatehouse/sdk'
import { isSigned, trustOf } from '../../domain/artifact-trust.js'
import { MOST_MODULE, type Signature } from '../../domain/artifacts.js'
import { canonicalJson } from '../../domain/canonical-json.js'
import type { EngineKind } from '../../domain/engines.js'
import { invalid } from '../problems.js'
import type { Work } from '../work.js'

/** What somebody gives to be kept: bytes, what they say of themselves, and who vouches for that. */
export interface Upload {
  readonly module: Uint8Array
  /** As it was given: a signature is over its canonical JSON. */
  readonly manifest: JsonObject
  readonly signature?: Signature | undefined
}

/** An upload that fits what its engine declares, and that the settings allow. */
export interface CheckedUpload {
  readonly bytes: Uint8Array
  readonly sha256: string
  readonly manifest: JsonObject
  readonly manifestText: string
  readonly manifestSha256: string
  readonly signature: Signature | null
  readonly signedBy: string | null
}

export interface UploadPlace {
  readonly engine: string
  readonly name: string
  readonly version: number
  readonly grants: JsonObject
}

const MOST_MANIFEST = 512 * 1024
export const DEEPEST_MANIFEST = 64

/** Everything but what the engine itself says. */
export async function checkUpload({ store, checks }: Work, engine: string, upload: Upload): Promise<CheckedUpload> {
  const { module: bytes, manifest, signature = null } = upload
  const declaration = artifactKind(checks.engines(), engine)
  if (bytes.length === 0) throw invalid('module', 'is empty')
  const most = Math.min(declaration.mostBytes, MOST_MODULE)
  if (bytes.length > most)
    throw invalid('module', `has ${bytes.length} bytes; the engine ${engine} takes ${most} at most`)
  const manifestText = textOf(manifest)
  const parsed = parseStrictly(declaration.manifest, manifest)
  if (!parsed.ok) throw wrong('manifest', parsed.errors[0])
  const [sha256, manifestSha256] = [digest(bytes), digest(manifestText)]
  if (parsed.value.sha256 !== sha256)
    throw invalid(
      'manifest.sha256',
      `is ${parsed.value.sha256}, but that of the module is ${sha256}: build it anew, or take the manifest that belongs to it`,
    )
  const { ruleModules } = await store.settings.get()
  const isKnown = signature !== null && Object.hasOwn(ruleModules.trustedKeys, signature.keyId)
  if (isKnown && !isSigned(manifestText, signature, ruleModules.trustedKeys))
    throw invalid('signature', `is not that of the key '${signature.keyId}' over this manifest: sign it anew`)
  const trust = trustOf({ sha256, signature }, manifestText, ruleModules)
  if (!trust.ok) throw invalid(trust.reason.startsWith('sha256:') ? 'module' : 'signature', trust.reason)
  return { bytes, sha256, manifest, manifestText, manifestSha256, signature, signedBy: trust.signedBy }
}

const digest = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex')

/** The engine builds it and runs what its manifest asks for; answers what it found out. */
export async function askEngine({ checks }: Work, place: UploadPlace, checked: CheckedUpload): Promise<JsonObject> {
  const { engine, ...named } = place
  const { bytes, sha256, manifest, signedBy } = checked
  const answer = await checks.checkUpload(engine, { ...named, sha256, bytes, manifest, signedBy })
  if (answer.ok) return answer.facts
  throw wrong('', answer.errors[0])
}

/** What an engine declares of its artifacts. */
export function artifactKind(kinds: readonly EngineKind[], engine: string): ArtifactDeclaration {
  const declared = kinds.find(({ kind }) => kind === engine)?.declaration.artifact
  if (declared !== undefined) return declared
  const known = kinds.filter(({ declaration }) => declaration.artifact !== undefined).map(({ kind }) => kind)
  const meant = closest(engine, known)
  const hint = meant === undefined ? `those are ${known.join(', ') || 'none'}` : `did you mean ${meant}?`
  throw invalid('engine', `no engine '${engine}' that runs modules is loaded; ${hint}`)
}

/** What an operator allows a module, as its engine takes it. */
export function checkGrants(kinds: readonly EngineKind[], engine: string, grants: JsonObject): JsonObject {
  const parsed = parseStrictly(artifactKind(kinds, engine).grants, grants)
  if (!parsed.ok) throw wrong('grants', parsed.errors[0])
  return grants
}

function textOf(manifest: JsonObject): string {
  if (!nestsWithin(manifest, DEEPEST_MANIFEST)) throw invalid('manifest', `is nested deeper than ${DEEPEST_MANIFEST}`)
  const text = canonicalJson(manifest)
  if (text.length > MOST_MANIFEST) throw invalid('manifest', `is longer than ${MOST_MANIFEST} characters`)
  return text
}

export function nestsWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((one) => nestsWithin(one, levels - 1))
}

function wrong(place: string, error: ConfigError | undefined) {
  const field = [place, error?.path ?? ''].filter((part) => part !== '').join('.')
  return invalid(field, error?.message ?? 'is not valid')
}
