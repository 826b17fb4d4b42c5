import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '@gatehouse/sdk'
import {
  type ArtifactVersion,
  type Canary,
  findVersion,
  resolveVersion,
  type StoredArtifact,
  type VersionReference,
} from '../../domain/artifacts.js'
import { trustOf } from '../../domain/artifact-trust.js'
import { invalid } from '../problems.js'
import { conflict, managerAfter, mustBeFree, mustBeMine, mustExist } from '../work.js'
import type { Work } from '../work.js'
import { type ArtifactUser, artifactUsers, namesOfUsers, openVersion } from './artifact-references.js'
import { askEngine, checkGrants, type CheckedUpload, checkUpload, type Upload } from './artifact-uploads.js'
import { ruleError } from './rules.js'

export interface NewArtifact extends Upload {
  readonly engine: string
  readonly grants?: JsonObject | undefined
}

/** What of an artifact changes; null ends a canary. */
export interface ArtifactPatch {
  readonly current?: VersionReference | 'previous' | undefined
  readonly canary?: CanaryInput | null | undefined
  readonly grants?: JsonObject | undefined
}
export interface CanaryInput {
  readonly version: VersionReference
  readonly percent: number
  readonly shadow: boolean
}

/** An artifact is made with its first version, which is current. */
export async function createArtifact(work: Work, slug: string, input: NewArtifact): Promise<StoredArtifact> {
  await mustBeFree(work.store.artifacts, 'artifact', slug)
  const { engine } = input
  const checked = await checkUpload(work, engine, input)
  const grants = checkGrants(work.checks.engines(), engine, input.grants ?? {})
  const facts = await askEngine(work, { engine, name: slug, version: 1, grants }, checked)
  const { managedBy } = work.actor
  const plain = { slug, engine, current: 1, previous: null, latest: 1, canary: null, grants, managedBy }
  const artifact = await work.store.artifacts.insert(plain)
  await keep(work, artifact, { version: 1, checked, facts })
  return artifact
}

/** The same bytes with the same manifest are the version that is there; a signature that comes later is kept with it. */
export async function addVersion(
  work: Work,
  reference: string,
  { makeCurrent = false, ...upload }: Upload & { readonly makeCurrent?: boolean | undefined },
): Promise<ArtifactVersion> {
  const artifact = await mustBeChangeable(work, reference)
  const checked = await checkUpload(work, artifact.engine, upload)
  await mustBeOfThis(work, artifact, checked)
  const added = (await known(work, artifact, checked)) ?? (await addNew(work, artifact, checked))
  if (makeCurrent) await updateArtifact(work, artifact.id, { current: { version: added.version } })
  return added
}

/** What was signed under another name is another module: nobody puts it in the place of this one. */
async function mustBeOfThis({ store }: Work, { id, slug, current }: StoredArtifact, { manifest }: CheckedUpload) {
  const { name } = JSON.parse((await store.artifacts.content(id, current)).manifest) as JsonObject
  if (name === manifest['name']) return
  const [own, given] = [name, manifest['name']].map((one) => `'${String(one)}'`)
  throw invalid(
    'manifest.name',
    `is ${given}, and the versions of ${slug} are of ${own}: upload it as a module of its own`,
  )
}

/** A signature by a stranger takes no place of one that counts. */
async function known({ store }: Work, artifact: StoredArtifact, checked: CheckedUpload) {
  const { signature } = checked
  const same = await store.artifacts.same(artifact.id, checked)
  if (same === null || signature === null || isDeepStrictEqual(same.signature, signature)) return same
  const trust = trustOf(same, checked.manifestText, (await store.settings.get()).ruleModules)
  if (checked.signedBy === null && trust.ok && trust.signedBy !== null)
    throw conflict(
      `${artifact.slug}@${same.version} is signed by '${trust.signedBy}' already, and '${signature.keyId}' is no trusted key`,
      'signature',
    )
  await store.artifacts.sign(artifact.id, same.version, signature)
  return { ...same, signature }
}

async function addNew(work: Work, artifact: StoredArtifact, checked: CheckedUpload): Promise<ArtifactVersion> {
  const { slug, engine, grants, id } = artifact
  const version = artifact.latest + 1
  const facts = await askEngine(work, { engine, name: slug, version, grants }, checked)
  await work.store.artifacts.update(id, { latest: version, ...managerAfter(work, artifact) })
  const added = await keep(work, artifact, { version, checked, facts })
  const users = artifactUsers(await work.store.gateways.all(), work.checks.engines(), artifact)
  // They name the bytes, and from now on get them with this manifest.
  const own = users.filter(({ reference: { at } }) => at !== null && 'sha256' in at && at.sha256 === added.sha256)
  if (own.length > 0) await mustFitAt(work, artifact, { field: 'manifest', version: added, users: own })
  return added
}

async function keep(
  { store, actor }: Work,
  { id: artifactId }: StoredArtifact,
  { version, checked, facts }: { version: number; checked: CheckedUpload; facts: JsonObject },
): Promise<ArtifactVersion> {
  const { bytes, sha256, manifestText: manifest, manifestSha256, signature } = checked
  const uploadedBy = actor.userId === null ? null : ((await store.users.find(actor.userId))?.email ?? null)
  const size = bytes.length
  const digests = { sha256, manifestSha256 }
  return store.artifacts.addVersion({
    artifactId,
    version,
    ...digests,
    size,
    bytes,
    manifest,
    signature,
    facts,
    uploadedBy,
  })
}

/** This is hot swap, canary and rollback. Rules that name it must still fit. */
export async function updateArtifact(work: Work, reference: string, patch: ArtifactPatch): Promise<StoredArtifact> {
  const stored = await mustBeChangeable(work, reference)
  const versions = await work.store.artifacts.versions(stored.id)
  const current = currentOf(stored, versions, patch.current)
  const isMoved = current !== stored.current
  const grants =
    patch.grants === undefined ? stored.grants : checkGrants(work.checks.engines(), stored.engine, patch.grants)
  const next = {
    current,
    previous: isMoved ? stored.current : stored.previous,
    canary: canaryOf({ ...stored, current }, versions, patch.canary),
    grants,
  }
  const artifact = await work.store.artifacts.update(stored.id, { ...next, ...managerAfter(work, stored) })
  const areGrantsNew = !isDeepStrictEqual(grants, stored.grants)
  const isCanaryNew = !isDeepStrictEqual(next.canary, stored.canary)
  await mustFit(work, artifact, { versions, isMoved, isCanaryNew, areGrantsNew })
  return artifact
}

function currentOf(
  stored: StoredArtifact,
  versions: readonly ArtifactVersion[],
  wanted: ArtifactPatch['current'],
): number {
  if (wanted === undefined) return stored.current
  if (wanted !== 'previous') return must(resolveVersion(stored, versions, wanted), 'current').version
  if (stored.previous === null) throw conflict(`${stored.slug} has no version that was current before`, 'current')
  return stored.previous
}

/** A canary that became the current version is none any more. */
function canaryOf(
  artifact: StoredArtifact,
  versions: readonly ArtifactVersion[],
  wanted: ArtifactPatch['canary'],
): Canary | null {
  if (wanted === null) return null
  if (wanted === undefined) return artifact.canary?.version === artifact.current ? null : artifact.canary
  const { version } = must(resolveVersion(artifact, versions, wanted.version), 'canary.version')
  if (version === artifact.current)
    throw invalid('canary.version', `${artifact.slug}@${version} is the current version: a canary is another one`)
  return { version, percent: wanted.percent, shadow: wanted.shadow }
}

function must(found: ArtifactVersion | string, field: string): ArtifactVersion {
  if (typeof found === 'string') throw invalid(field, found)
  return found
}

/** What rules run from now on must be allowed to run, and fit them. Grants are of every version; what stays as it was is not asked. */
async function mustFit(work: Work, artifact: StoredArtifact, changed: Changed): Promise<void> {
  const { versions, isMoved, isCanaryNew, areGrantsNew } = changed
  if (!isMoved && !isCanaryNew && !areGrantsNew) return
  const users = artifactUsers(await work.store.gateways.all(), work.checks.engines(), artifact)
  const follows = users.filter(({ reference }) => reference.at === null)
  const { current, canary } = artifact
  const fit = (field: string, version: number, own: readonly ArtifactUser[]) => {
    const found = must(resolveVersion(artifact, versions, { version }), field)
    return mustFitAt(work, artifact, { field, version: found, users: own })
  }
  if (isMoved || areGrantsNew) await fit('current', current, follows)
  if (canary !== null && (isCanaryNew || areGrantsNew)) await fit('canary.version', canary.version, follows)
  for (const user of areGrantsNew ? users : []) {
    const version = user.reference.at === null ? undefined : findVersion(versions, user.reference.at)
    if (version !== undefined) await fit('grants', version.version, [user])
  }
}

interface Changed {
  readonly versions: readonly ArtifactVersion[]
  readonly isMoved: boolean
  readonly isCanaryNew: boolean
  readonly areGrantsNew: boolean
}
interface Fitting {
  readonly field: string
  readonly version: ArtifactVersion
  readonly users: readonly ArtifactUser[]
}

async function mustFitAt(work: Work, artifact: StoredArtifact, { field, version, users }: Fitting): Promise<void> {
  const opened = await openVersion(work.store, artifact, version)
  if (typeof opened === 'string') throw invalid(field, opened)
  for (const { gateway, rule } of users) {
    const error = await ruleError(work, rule, { instance: null, artifact: opened })
    if (error) throw conflict(`rule '${rule.name}' of gateway ${gateway.slug} would not fit: ${error.message}`, field)
  }
}

/** Rules that name it stand in the way: they would block everything. */
export async function removeArtifact(work: Work, reference: string): Promise<void> {
  const stored = await mustBeChangeable(work, reference)
  const users = artifactUsers(await work.store.gateways.all(), work.checks.engines(), stored)
  if (users.length > 0) throw conflict(`artifact '${stored.slug}' is still named by ${namesOfUsers(users)}`)
  await work.store.artifacts.remove(stored.id)
}

/** Neither the current version nor a canary, nor one that a rule names. */
export async function removeVersion(work: Work, reference: string, at: VersionReference): Promise<void> {
  const stored = await mustBeChangeable(work, reference)
  const versions = await work.store.artifacts.versions(stored.id)
  const found = must(resolveVersion(stored, versions, at), 'version')
  const holder = await holderOf(work, stored, versions, found)
  if (holder !== null) throw conflict(`${stored.slug}@${found.version} is ${holder}`)
  await drop(work, stored, found)
}

/** Removes what nobody names, save the last so many uploads and the version before; answers the numbers that are gone. */
export async function pruneVersions(work: Work, reference: string, keep: number): Promise<readonly number[]> {
  const stored = await mustBeChangeable(work, reference)
  const versions = await work.store.artifacts.versions(stored.id)
  const gone: number[] = []
  for (const one of versions.slice(0, Math.max(0, versions.length - keep))) {
    if (one.version === stored.previous || (await holderOf(work, stored, versions, one)) !== null) continue
    await drop(work, stored, one)
    gone.push(one.version)
  }
  return gone
}

async function drop({ store }: Work, { id, previous }: StoredArtifact, { version }: ArtifactVersion): Promise<void> {
  await store.artifacts.removeVersion(id, version)
  if (previous === version) await store.artifacts.update(id, { previous: null })
}

/** Why a version must stay; null when it need not. */
async function holderOf(
  work: Work,
  artifact: StoredArtifact,
  versions: readonly ArtifactVersion[],
  { version }: ArtifactVersion,
): Promise<string | null> {
  if (version === artifact.current) return 'the current version: make another one current first'
  if (version === artifact.canary?.version) return 'the canary: end that first'
  const users = artifactUsers(await work.store.gateways.all(), work.checks.engines(), artifact)
  const own = users.filter(({ reference }: ArtifactUser) => {
    return reference.at !== null && findVersion(versions, reference.at)?.version === version
  })
  return own.length === 0 ? null : `still named by ${namesOfUsers(own)}`
}

async function mustBeChangeable(work: Work, reference: string): Promise<StoredArtifact> {
  const stored = await mustExist(work.store.artifacts, 'artifact', reference)
  mustBeMine(work, 'artifact', stored.slug, stored)
  return stored
}
