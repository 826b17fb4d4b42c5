import type { ArtifactVersion, StoredArtifact } from '../domain/artifacts.js'
import type { Engine, Gateway, Identity, Idp, Server, Settings } from '../domain/nouns.js'
import type { Snapshot } from '../domain/snapshot.js'

/** The configuration as it was read. */
export interface Loaded {
  readonly epoch: number
  readonly gateways: readonly Gateway[]
  readonly servers: readonly Server[]
  readonly identities: readonly Identity[]
  readonly idps: readonly Idp[]
  readonly engines: readonly Engine[]
  readonly artifacts: readonly StoredArtifact[]
  readonly versions: readonly ArtifactVersion[]
  readonly settings: Settings
  readonly quarantines: Snapshot['quarantines']
}

export type EnginesBySlug = ReadonlyMap<string, Engine>
export const bySlug = (engines: readonly Engine[]): EnginesBySlug =>
  new Map(engines.map((engine) => [engine.slug, Object.freeze(engine)]))
