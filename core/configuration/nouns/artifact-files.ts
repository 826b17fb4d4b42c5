import { createHash } from 'node:crypto'
import type { JsonObject } from '@gatehouse/sdk'
import {
  type ArtifactVersion,
  type Canary,
  findVersion,
  type StoredArtifact,
  type VersionReference,
} from '../../domain/artifacts.js'
import { canonicalJson } from '../../domain/canonical-json.js'
import type { Store } from '../../domain/store.js'
import { type Brought, BROUGHT, type BroughtEntry } from '../bring-modules.js'
import { invalid } from '../problems.js'
import { conflict } from '../work.js'
import type { Work } from '../work.js'
import { addVersion, type ArtifactPatch, createArtifact, updateArtifact } from './artifacts.js'
import type { Upload } from './artifact-uploads.js'

/** An artifact as a file compares it: its uploads, and which of them serve. */
export interface ArtifactState {
  readonly engine: string
  readonly versions: { readonly latest: number; readonly all: readonly VersionState[] }
  readonly current: number
  readonly canary: Canary | null
  readonly grants: JsonObject
}
type VersionState = Pick<ArtifactVersion, 'version' | 'sha256' | 'manifestSha256' | 'signature'>

const NOTHING: Omit<ArtifactState, 'engine'> = {
  versions: { latest: 0, all: [] },
  current: 1,
  canary: null,
  grants: {},
}

export async function artifactState(
  { artifacts }: Pick<Store, 'artifacts'>,
  one: StoredArtifact,
): Promise<ArtifactState> {
  const { engine, latest, current, canary, grants } = one
  const all = (await artifacts.versions(one.id)).map(({ version, sha256, manifestSha256, signature }) => {
    return { version, sha256, manifestSha256, signature }
  })
  return { engine, versions: { latest, all }, current, canary, grants }
}

/** What the file makes of it. What rules alone speak of keeps all but its uploads; a version that is not there is 0. */
export function wantedState(entry: BroughtEntry, present: ArtifactState | undefined): ArtifactState {
  const { uploads, place } = broughtBy(entry)
  const before = present ?? { ...NOTHING, engine: entry.engine }
  const versions = uploads.reduce((known, upload) => withUpload(known, upload), before.versions)
  if (place !== null) return { ...before, engine: entry.engine, versions }
  const find = (at: VersionReference): number => findVersion(versions.all, at)?.version ?? 0
  const [first] = uploads
  const filed = first === undefined ? before.current : (sameAs(versions.all, first)?.version ?? 0)
  const { current, canary, grants = {}, engine } = entry
  return {
    engine,
    versions,
    current: current === undefined ? filed : find(current),
    canary: canary ? { ...canary, version: find(canary.version) } : null,
    grants,
  }
}

/** Uploads what is new, and makes the versions serve that the file names. */
export async function applyArtifact(work: Work, slug: string, entry: BroughtEntry): Promise<void> {
  const { uploads, place } = broughtBy(entry)
  const stored = await work.store.artifacts.byKey(slug)
  if (stored !== null && stored.engine !== entry.engine)
    throw conflict(`artifact '${slug}' is for the engine ${stored.engine}, and stays so`, 'engine')
  const [first] = uploads
  if (stored === null && first === undefined)
    throw invalid('file', `is needed: no artifact '${slug}' is here yet. Name its file, or upload it first`)
  const { engine, grants = {} } = entry
  if (stored === null && first !== undefined) await createArtifact(work, slug, { ...first, engine, grants })
  // What it is granted counts for what is uploaded.
  else if (place === null) await updateArtifact(work, slug, { grants })
  const added: number[] = []
  for (const upload of uploads) added.push((await addVersion(work, slug, upload)).version)
  if (place === null) await updateArtifact(work, slug, patchOf(entry, added[0]))
}

function patchOf({ current, canary = null }: BroughtEntry, filed: number | undefined): ArtifactPatch {
  if (current !== undefined) return { current, canary }
  return filed === undefined ? { canary } : { current: { version: filed }, canary }
}

/** What of a new module is told in a plan: digests, shortened. */
export function moduleNotes(wanted: ArtifactState, present: ArtifactState | undefined): string[] {
  const added = wanted.versions.all.filter(({ version }) => version > (present?.versions.latest ?? 0))
  const last = present?.versions.all.at(-1)
  const from = last === undefined ? '' : `sha256:${last.sha256.slice(0, SHOWN)} -> `
  return added.map(({ sha256 }) => `module ${from}sha256:${sha256.slice(0, SHOWN)}`)
}
const SHOWN = 12

export const broughtBy = (entry: BroughtEntry): Brought => entry[BROUGHT] ?? { uploads: [], place: null }

function withUpload({ latest, all }: ArtifactState['versions'], upload: Upload): ArtifactState['versions'] {
  const { signature = null } = upload
  const same = sameAs(all, upload)
  if (same === undefined)
    return { latest: latest + 1, all: [...all, { version: latest + 1, ...digestsOf(upload), signature }] }
  if (signature === null) return { latest, all }
  return { latest, all: all.map((one) => (one === same ? { ...one, signature } : one)) }
}

function sameAs(all: readonly VersionState[], upload: Upload): VersionState | undefined {
  const { sha256, manifestSha256 } = digestsOf(upload)
  return all.find((one) => one.sha256 === sha256 && one.manifestSha256 === manifestSha256)
}

const digest = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex')
const digestsOf = ({ module, manifest }: Upload) => ({
  sha256: digest(module),
  manifestSha256: digest(canonicalJson(manifest)),
})
