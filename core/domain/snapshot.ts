import type { Exposures } from './provisioning.js'
import type { RuleWatch, StoredQuarantine } from './rule-watch.js'
import type { TextChange } from './actions.js'
import type { Assignment, Engine, Gateway, Identity, Idp, Rule, Server, Settings } from './nouns.js'

/** One configuration, whole and validated. A call holds the one it met at the door until its end. */
export interface Snapshot {
  /** Rises with every change of configuration, across replicas. */
  readonly epoch: number
  /** By id, slug and former slug. */
  readonly gateways: ReadonlyMap<string, GatewayPlan>
  readonly servers: ReadonlyMap<string, Server>
  /** Those that may be lent to everyone. */
  readonly identities: ReadonlyMap<string, Identity>
  /** Oldest first. */
  readonly idps: readonly Idp[]
  /** Instances by slug. */
  readonly engines: ReadonlyMap<string, Engine>
  readonly settings: Settings
  /** Of rules whose version may be another by now. */
  readonly quarantines: readonly StoredQuarantine[]
}

export interface GatewayPlan {
  readonly gateway: Gateway
  readonly assignments: readonly AssignmentPlan[]
  readonly assignmentById: ReadonlyMap<string, AssignmentPlan>
  readonly rules: readonly CompiledRule[]
}

/** An assignment with what it points at. `prefix` is the assignment's `as`, else the server's slug. */
export interface AssignmentPlan {
  readonly assignment: Assignment
  readonly server: Server
  readonly identity: Identity | null
  readonly prefix: string
  /** What of the server exists on this gateway. */
  readonly exposures: Exposures
}

/** A rule as its engine prepared it, in the gateway's order; only enabled rules are compiled. */
export interface CompiledRule {
  readonly rule: Rule
  /** Who evaluates it: the rule's engine, or that of the instance it names. */
  readonly kind: string
  /** Slug of the instance; null for kinds without. */
  readonly instance: string | null
  /** Whether the engine is shown the message as one text besides its leaves. */
  readonly whole: boolean
  /** Whether it changes nothing, neither the message nor what it remembers: it may be asked while others that only look are. */
  readonly looksOnly: boolean
  /** How it changes the texts that it finds; null when it does not. */
  readonly change: TextChange | null
  readonly state: unknown
  readonly passes: number
  /** Whether its engine is asked once for it and those of the engine right behind it. */
  readonly chains: boolean
  /** What of core's artifacts it runs; null when it names none. */
  readonly artifact: ArtifactFacts | null
  /**
   * Whose messages it covers, by the bucket (0 to 99) of their correlation ids: from `from` on, up to `to`, not included; null: all.
   * Two versions of one rule that stand side by side share the buckets: the canary's begin at 0, and those of the version that stands
   * end at 100.
   */
  readonly share: Share | null
  readonly watch: RuleWatch
  /** Set when the engine could not prepare it: the rule is then undecided on every message. */
  readonly broken: string | null
  /** True when the rule looks at this server and feature. */
  readonly covers: (
    prefix: string,
    serverSlug: string,
    kind: 'tool' | 'prompt' | 'resource',
    feature: string,
  ) => boolean
}

/** An artifact as it is told in records. `version` counts uploads. */
export interface ArtifactFacts {
  readonly name: string
  readonly version: number
  readonly sha256: string
}

/** Whole per cent. */
export interface Share {
  readonly from: number
  readonly to: number
}
