import type { CallContext, Json } from './call.js'
import type { Block, Modify, Pass, Undecided } from './verdict.js'

/**
 * One text of a message. Core walks a message once per leg and shows the same leaves to every engine.
 *
 * - `value`: a JSON string value; findings on it may be rewritten.
 * - `key`: an object key; a finding counts for `block` and `detect` but is never rewritten.
 * - `whole`: the serialised message, last in the list, so that a match across punctuation is not missed; like `key`.
 *
 * Base64 payloads (`data`, `blob`) are no leaves.
 */
export interface Leaf {
  readonly kind: 'value' | 'key' | 'whole'
  readonly text: string
}

/**
 * Something found in a leaf. `start` and `end` count UTF-16 code units, `0 <= start < end <= text.length`; anything else
 * is a fault. `type` names what was found (a pattern, an entity); it goes to the record, the matched text never does.
 * `score` is 0 to 1.
 */
export interface Finding {
  readonly type: string
  readonly leaf: number
  readonly start: number
  readonly end: number
  readonly score: number
}

/** What an engine answers: spans (core applies the rule's action to them) or a verdict on the whole message. */
export type Evaluation =
  | { readonly verdict: 'findings'; readonly findings: readonly Finding[] }
  | Pass
  | Modify<{ readonly message: Json }>
  | Block
  | Undecided

/** An error in an engine's configuration. `path` is the key inside the configuration, `position` an offset in its text. */
export interface ConfigError {
  readonly message: string
  readonly path?: string
  readonly position?: number
}

/**
 * A rule as an engine prepared it, once per change. `state` is the engine's own. With `passes` of n, core evaluates the
 * rule n times, each on the text as the former pass left it.
 */
export type Prepared =
  | { readonly ok: true; readonly state: unknown; readonly passes: number }
  | { readonly ok: false; readonly errors: readonly ConfigError[] }

/** Payload of `engine.prepare`: what the rule's own keys say. */
export interface PrepareRequest {
  readonly config: Readonly<Record<string, unknown>>
  /** What core does with findings; null when the engine is to answer a verdict on the whole message. */
  readonly action?: 'block' | 'redact' | 'replace' | 'mask' | 'hash' | 'detect' | null
}

/** Payload of `engine.evaluate`. `message` is the JSON-RPC params or result that the leaves were walked from. */
export interface EvaluateRequest {
  readonly state: unknown
  readonly pass: number
  readonly leg: 'request' | 'response'
  readonly leaves: readonly Leaf[]
  readonly message: Json
  readonly context: CallContext
}

/** Payload and answer of `engine.test`: tries a configuration on a sample without any rule. */
export interface TestRequest {
  readonly config: Readonly<Record<string, unknown>>
  readonly text: string
}
export type TestAnswer =
  | { readonly ok: true; readonly evaluation: Evaluation }
  | { readonly ok: false; readonly errors: readonly ConfigError[] }
