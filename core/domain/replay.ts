import type { FeatureKind, Receipt } from '@gatehouse/sdk'
import type { Rule } from '../domain/nouns.js'

/** One backtest as the process that runs it is told. Crosses a process boundary: plain values alone. */
export interface ReplayJob {
  readonly id: string
  readonly gatewayId: string
  /** In their order, each on what the former left. All are run as if they were enabled and no shadow. */
  readonly rules: readonly Rule[]
  /** Milliseconds since the epoch: from, included, and until, not included. */
  readonly since: number
  readonly until: number
  readonly most: { readonly messages: number; readonly ms: number }
  /** Whether sealed originals may be opened, and texts shown in samples: whoever asked may see bodies. */
  readonly bodies: boolean
  /** Whether engines may send texts to services outside. */
  readonly external: boolean
  /** Ids of the plugins that are set up for it. */
  readonly plugins: readonly string[]
}

export type Leg = 'request' | 'response'
export type Verdict = Receipt['verdict']

/** Why a leg could not be looked at again. */
export type NotKept =
  /** The gateway keeps no bodies, or retention has dropped them. */
  | 'not_captured'
  /** A rule blocked it, and bodies of what is blocked are kept sealed or not at all. */
  | 'blocked'
  /** It is longer than what is kept of a body. */
  | 'too_long'
  /** Only a sealed original is kept, and whoever asked may not see bodies. */
  | 'not_permitted'
  /** It was sealed, and the key of its day is gone; or it is not what it should be. */
  | 'unreadable'

export interface Counts {
  readonly pass: number
  readonly block: number
  readonly modify: number
  readonly detect: number
  readonly undecided: number
}

export interface RuleReport {
  readonly name: string
  readonly engine: string
  readonly counts: Counts
  readonly findings: Readonly<Record<string, number>>
  /** Milliseconds that it took, all messages together. */
  readonly ms: number
}

export interface FeatureReport {
  readonly server: string
  readonly kind: FeatureKind
  readonly feature: string
  readonly counts: Counts
}

export interface Sample {
  readonly correlationId: string
  readonly at: string
  readonly leg: Leg
  readonly server: string
  readonly feature: string
  readonly rule: string
  readonly verdict: Verdict
  readonly input: 'original' | 'redacted'
  /** Null where texts may not be shown. */
  readonly before: string | null
  /** Null too when nothing goes on. */
  readonly after: string | null
}

/** What was found out; partial while it runs. */
export interface ReplayReport {
  /** Messages of features that lie in the period and were read. */
  readonly messages: number
  /** Messages that the rules cover. */
  readonly covered: number
  /** Legs that were looked at, by what of them was kept. */
  readonly inputs: { readonly original: number; readonly redacted: number }
  /** Legs that could not be looked at. */
  readonly notKept: Readonly<Partial<Record<NotKept, number>>>
  /** What would have become of the legs that were looked at. */
  readonly outcomes: Counts
  readonly rules: readonly RuleReport[]
  /** Those with most acts first; at most 50. */
  readonly features: readonly FeatureReport[]
  /** People whose messages would have been blocked or changed, or in which something would have been found. */
  readonly users: number
  /** Why it ended before the period did; null: it did not. */
  readonly stoppedBy: 'messages' | 'time' | 'cancel' | null
  readonly durationMs: number
}

export interface Progress {
  readonly read: number
  /** Null until they are counted; never more than what may be read. */
  readonly total: number | null
}

/** What the process that runs it says on its way. */
export interface Told {
  readonly progress: Progress
  readonly report: ReplayReport
  readonly samples: readonly Sample[]
}
