import type { z } from 'zod'
import type { CallContext, Json, JsonObject } from './call.js'
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
export type Evaluation = (
  | { readonly verdict: 'findings'; readonly findings: readonly Finding[] }
  | Pass
  | Modify<{ readonly message: Json }>
  | Block
  | Undecided
) &
  Beside

/** What an engine may tell beside its answer. */
export interface Beside {
  /** What was found, by type, where it is not told by findings: for the receipt. */
  readonly counts?: Readonly<Record<string, number>>
  /**
   * What the verdict rests on, for the receipt: digests, versions, amounts. At most 16 keys, texts of at most 200 characters. Numbers
   * of keys that begin with `counter.` are added up, and so is `fuel`, in the statistics of the rule's version.
   */
  readonly evidence?: Evidence
  /**
   * All that it looked at besides the message. Kept sealed with the original where a gateway does so, and given back as `recorded` when
   * the verdict is replayed. At most 64 KiB of JSON.
   */
  readonly recorded?: JsonObject
  /** Milliseconds that it took, where the engine knows better than core: in a chain, core waits for all of it together. */
  readonly ms?: number
  /**
   * The rule's own fault: it could not decide because of it, or was late. Enough of them put the rule in quarantine. Begins with its
   * kind and a colon (`trap: unreachable`, `late: …`); it goes to alerts, so nothing of the message or of what the rule said stands in it.
   */
  readonly strike?: string
  /**
   * Of an engine that declares `chains`: the answers for the rules behind the first, in their order. It may end early: core asks again
   * from there. Each stands on the message as those before it left it: core does not believe what follows one that it judges
   * otherwise.
   */
  readonly rest?: readonly Evaluation[]
}
export type Evidence = Readonly<Record<string, string | number>>

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
  | {
      readonly ok: true
      readonly state: unknown
      readonly passes: number
      /** Whether it keeps something of what it is asked: then it is not asked before those in front of it have let the message through. */
      readonly remembers?: boolean
      /** What was found out about its artifact, for whoever uploads it. */
      readonly facts?: JsonObject
    }
  | { readonly ok: false; readonly errors: readonly ConfigError[] }

/**
 * How an engine works; said once, with `serve('engine.prepare', kind, …)`. From it, and from the schemas, follow what a rule has
 * to say, what the API, the YAML file and the console ask for, and what is refused when a rule is saved.
 */
export interface EngineDeclaration {
  /** The keys that a rule of this engine adds to those of every rule. `replacement` and `keepLast` are core's own: not named here. */
  readonly rule: z.ZodType
  /**
   * - `spans`: it answers findings. A rule says by its `action` what core does to them.
   * - `verdict`: it decides on the whole message itself. A rule has no action but, if it wants, `detect`.
   * - `either`: both, and a rule may have any action, or none. With one, findings are what it is done to.
   */
  readonly answers: 'spans' | 'verdict' | 'either'
  /** Whether there is a time when it cannot decide (an outside service, say). Only then a rule may say `onFailure`. */
  readonly fails: boolean
  /** Whether `block` and `detect` show it the serialised message besides its texts. True unless told; a costly engine does without. */
  readonly whole?: boolean
  /**
   * Whether the types of its findings tell what was found (`EMAIL_ADDRESS`): then `replace` without a replacement puts the type
   * in its place, as `<EMAIL_ADDRESS>`. True unless told; without, such a rule needs a replacement.
   */
  readonly named?: boolean
  /** Whether it wants to be asked once for all its rules that follow each other; it then answers `rest`. Its rules have one pass. */
  readonly chains?: boolean
  /** Its rules each name an artifact: a versioned blob that core keeps. */
  readonly artifact?: ArtifactDeclaration
}

/** What an engine's artifacts are. */
export interface ArtifactDeclaration {
  /** The key of a rule's configuration that names one; it stands in `rule` too. */
  readonly key: string
  /** The manifest beside the bytes: an object with `name`, `version` and `sha256`, signed as a whole. */
  readonly manifest: z.ZodType<{ readonly name: string; readonly version: string; readonly sha256: string }>
  /** What an operator may allow one beyond what all are allowed. */
  readonly grants: z.ZodType
  readonly mostBytes: number
}

/** A versioned blob of core's, for an engine. `version` counts uploads from 1. */
export interface Artifact {
  readonly name: string
  readonly version: number
  /** Of the bytes, in hexadecimal; core has checked it, and the signature if one is demanded. */
  readonly sha256: string
  readonly bytes: Uint8Array
  readonly manifest: JsonObject
  readonly grants: JsonObject
  /** The name of the trusted key that signed it; null when nobody did. */
  readonly signedBy: string | null
}

/**
 * A named instance of an engine, as it was registered: an address, a key. Kinds that declare a `config` in the options of
 * `serve` have instances, and rules name one; all other kinds are named by rules themselves. `config` holds its secrets.
 */
export interface EngineInstance {
  readonly id: string
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
}

export type RuleAction = 'block' | 'redact' | 'replace' | 'mask' | 'hash' | 'detect'

/**
 * Payload of `engine.prepare`: what the rule's own keys say. They fit the declared schema and stand as they were written: defaults
 * are filled in by the engine.
 */
export interface PrepareRequest {
  readonly config: Readonly<Record<string, unknown>>
  /** What core does with findings; null when the engine is to answer a verdict on the whole message. */
  readonly action: RuleAction | null
  /** Null for kinds that have no instances. */
  readonly instance: EngineInstance | null
  /** Whose rule it is; null while one is only checked. */
  readonly rule: { readonly id: string; readonly name: string; readonly version: number } | null
  /** Of engines that declare one: the one that the rule names. */
  readonly artifact?: Artifact
  /** True when it was uploaded, and there is no rule yet. `config` is then empty, and what a rule has to say is not asked for. */
  readonly isUpload?: boolean
}

/** Payload of `engine.evaluate`. `message` is the JSON-RPC params or result that the leaves were walked from. */
export interface EvaluateRequest {
  readonly state: unknown
  readonly pass: number
  readonly leg: 'request' | 'response'
  readonly leaves: readonly Leaf[]
  readonly message: Json
  readonly context: CallContext
  /**
   * A header of the client's request; undefined when there is none. Credentials (`authorization`, `cookie`, `proxy-*` and their
   * like) are never told.
   */
  readonly header: (name: string) => string | undefined
  /**
   * The message with other texts in place of the leaves of these numbers, for a verdict `modify`. Only leaves of kind `value` can
   * be named; copies of structured content are made anew with it.
   */
  readonly rewrite: (texts: ReadonlyMap<number, string>) => Json
  /** For engines that declare `chains`: the rules of this leg, this one first, each with what core would do to its findings. */
  readonly chain?: readonly ChainLink[]
  /** Whether what it tells as `recorded` will be kept: without that it need not be told. */
  readonly keeps?: boolean
  /** Set when a verdict is replayed: what `recorded` told then. Nothing is stored then, and nothing else is looked at. */
  readonly recorded?: JsonObject
}

/** A rule in a chain. */
export interface ChainLink {
  readonly state: unknown
  readonly rule: { readonly id: string; readonly version: number }
  /** Null when the engine decides by itself. */
  readonly action: RuleAction | null
  /** What it changes or blocks is only told: the rules behind it see the message as it was. */
  readonly shadow: boolean
}

/** Payload and answer of `engine.test`: tries a configuration on a text, before there is a rule. Nothing is retried. */
export interface TestRequest {
  readonly config: Readonly<Record<string, unknown>>
  readonly action: RuleAction | null
  readonly instance: EngineInstance | null
  readonly leg: 'request' | 'response'
  readonly text: string
  /** Of engines that declare one: the one that the configuration names. */
  readonly artifact?: Artifact
}
/**
 * Findings count `leaf` 0, which is the text. An engine that decides on whole messages makes one of the text: `arguments.text`
 * of a call of the tool `test`, or a result with one text block; its `modify` answers that message. `notes` are for whoever
 * tries: a status, milliseconds, what was wrong with an answer. Neither secrets nor more than 20 lines.
 */
export type TestAnswer =
  | { readonly ok: true; readonly evaluation: Evaluation; readonly notes?: readonly string[] }
  | { readonly ok: false; readonly errors: readonly ConfigError[] }
