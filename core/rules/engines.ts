import type {
  CallContext,
  Credentials,
  Evaluation,
  EvaluateRequest,
  FeatureKind,
  Prepared,
  PrepareRequest,
  TestAnswer,
  TestRequest,
} from '@gatehouse/sdk'
import type { EngineKind } from '../domain/engines.js'

/** The way to the engines. `evaluate` answers at once when the engine does; whatever it throws leaves the rule undecided. */
export interface Engines {
  kinds(): readonly EngineKind[]
  prepare(kind: string, request: PrepareRequest): Promise<Prepared>
  evaluate(kind: string, request: EvaluateRequest, limits?: Limits): Evaluation | Promise<Evaluation>
  test(kind: string, request: TestRequest): Promise<TestAnswer>
  retire(kind: string, state: unknown): void
}

/** How long one evaluation may take, and what else ends it. */
export interface Limits {
  readonly within: number
  readonly parent?: (() => AbortSignal) | undefined
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
  /** A header of the client's request that engines may be told. */
  readonly header: (name: string) => string | undefined
  /** Whether the gateway keeps what engines looked at. */
  readonly keeps?: boolean
}

/** Every rule that looks at the server covers it: nobody can say which feature is behind what it says. */
export const NO_FEATURE = ''

/** What engines may be told of a header: no credential, neither of the client nor of a proxy before us. */
export function toldHeader({ header }: Pick<Credentials, 'header'>, name: string): string | undefined {
  return SECRET_HEADER.test(name) ? undefined : header(name)
}

const SECRET_HEADER =
  /^(?:proxy-|x-auth)|authorization|cookie|token|secret|passw|assertion|credential|session|jwt|signature|-cert\b|api[-_]?key|[-_]key$/i
