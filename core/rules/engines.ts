import type { CallContext, Evaluation, EvaluateRequest, FeatureKind, Prepared, PrepareRequest } from '@gatehouse/sdk'

/** The way to the engines. `evaluate` answers at once when the engine does; whatever it throws leaves the rule undecided. */
export interface Engines {
  has(kind: string): boolean
  prepare(kind: string, request: PrepareRequest): Promise<Prepared>
  evaluate(kind: string, request: EvaluateRequest): Evaluation | Promise<Evaluation>
  retire(kind: string, state: unknown): void
}

/** What a message is about: which rules cover it. `context` is asked for only when one does. */
export interface Subject {
  /** The assignment's prefix on the gateway. */
  readonly prefix: string
  readonly serverSlug: string
  readonly kind: FeatureKind
  /** As whose message the texts are walked; `kind` unless told. */
  readonly shape?: FeatureKind
  /** The upstream's own name; `NO_FEATURE` for what is said outside of any call. */
  readonly feature: string
  readonly context: () => CallContext
}

/** Every rule that looks at the server covers it: nobody can say which feature is behind what it says. */
export const NO_FEATURE = ''
