import type { CallContext } from '@gatehouse/sdk'

/** What is known of a compiled rule while it runs: the same for as long as it is held prepared, and the only part that changes. */
export interface RuleWatch {
  /** Set while its engine must not be asked: it is then undecided on every message. */
  quarantine: Quarantine | null
  /** The same for the messages of some alone, whose messages alone it failed on. */
  held: ReadonlyMap<string, Quarantine>
  /** Its own faults of the last while, oldest first. */
  strikes: readonly Strike[]
  /** Since it was last written down; null: nothing. */
  tally: Tally | null
}

export interface Strike {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly reason: string
  /** On whose message. */
  readonly principal: string | null
}

export interface Quarantine {
  /** ISO 8601. */
  readonly since: string
  /** Of the strikes that led to it, oldest first. */
  readonly reasons: readonly string[]
  /** Id of the person, or else of the connection, on whose messages alone it failed and for whom alone it holds; null: for all. */
  readonly principal: string | null
}

/** Of a rule as it is shown: of the version that stands, or else of its canary. */
export interface RuleQuarantine extends Quarantine {
  readonly canary: boolean
}

/** What a quarantine is of: a version of a rule with a version of its artifact. Another of either is free. */
export interface RuleVersion {
  readonly ruleId: string
  readonly ruleVersion: number
  /** Of the artifact; null for a rule without. */
  readonly sha256: string | null
}

export interface StoredQuarantine extends RuleVersion, Quarantine {
  readonly gatewayId: string
}

export interface QuarantineRepository {
  all(): Promise<readonly StoredQuarantine[]>
  /** The first of a version stands; false when there was one. Those of older versions of the rule go. */
  put(quarantine: StoredQuarantine): Promise<boolean>
  /** Of every version of the rule; answers how many. */
  release(ruleId: string): Promise<number>
}

/** What a version of a rule did, in numbers. */
export interface Tally {
  calls: number
  changes: number
  blocks: number
  detections: number
  undecided: number
  /** By what they begin with. */
  strikes: Record<string, number>
  /** Calls whose evidence tells of fuel. */
  fuelCalls: number
  fuelSum: number
  fuelMax: number
  msSum: number
  msMax: number
  /** What its engine counted beside its verdicts. */
  counters: Record<string, number>
}

/** Of one version and one hour, or of a period. */
export interface VersionTally extends RuleVersion, Readonly<Tally> {
  /** `name@version` of its artifact. */
  readonly artifact: string | null
}

export interface StoredTally extends VersionTally {
  /** ISO 8601, of the first and the last hour. */
  readonly from: string
  readonly to: string
}

export interface RuleStatRepository {
  /** Adds to the hour that it is now. */
  add(tallies: readonly (VersionTally & { readonly gatewayId: string })[]): Promise<void>
  /** Newest version first; since a time in milliseconds since the epoch. */
  of(ruleId: string, since: number): Promise<readonly StoredTally[]>
  /** Forgets whole days; 0 keeps everything. */
  forget(days: number): Promise<void>
}

const NOBODY: RuleWatch['held'] = new Map()
export const newWatch = (): RuleWatch => ({ quarantine: null, held: NOBODY, strikes: [], tally: null })

export const nameOfArtifact = (artifact: { readonly name: string; readonly version: number } | null): string | null =>
  artifact === null ? null : `${artifact.name}@${artifact.version}`

/** Who is behind a message, as far as quarantines tell people apart. */
export const principalOf = ({ user, connection }: Pick<CallContext, 'user' | 'connection'>): string | null =>
  user?.id ?? connection?.id ?? null

/** What keeps a rule from being asked about a message of theirs. */
export const quarantineFor = ({ quarantine, held }: RuleWatch, principal: string | null): Quarantine | null =>
  quarantine ?? (principal === null ? null : (held.get(principal) ?? null))

export const quarantineKey = (one: RuleVersion & Pick<Quarantine, 'principal'>): string =>
  `${versionKey(one)} ${one.principal ?? ''}`

export const versionKey = ({ ruleId, ruleVersion, sha256 }: RuleVersion): string =>
  `${ruleId}@${ruleVersion} ${sha256 ?? ''}`
