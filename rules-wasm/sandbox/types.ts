import type { RuleAnswer, RuleGrants, RuleManifest } from '@gatehouse/sdk/rule-abi'

/** What rules may use at most, after manifest, grants and the operator's ceilings: the least of each. */
export interface Limits {
  readonly moduleBytes: number
  readonly inputBytes: number
  readonly outputBytes: number
  readonly memoryPages: number
  readonly fuel: number
  readonly deadlineMs: number
  readonly killMs: number
}

/** A module as somebody hands it over. Nothing of it is trusted; the manifest has passed its schema. */
export interface RuleBundle {
  readonly bytes: Uint8Array
  readonly manifest: RuleManifest
  readonly grants: RuleGrants
  /** What the operator allows at most; RULE_LIMITS unless told. */
  readonly ceilings?: Partial<Limits>
}

/** A module that was vetted, metered and compiled. Can be posted to another thread, which need not do it again. */
export interface RuleModule {
  readonly language: 'wasm' | 'javascript'
  readonly manifest: RuleManifest
  readonly limits: Limits
  /** Whether it gets the stub of WASI: its manifest wants it and it was granted. */
  readonly wasiStub: boolean
  /** Of the bytes as handed over. */
  readonly sha256: string
  readonly code: WebAssembly.Module | string
  /** Around all that stands in its memory from instantiation on, before its start; null where that is not known. */
  readonly data?: { readonly start: number; readonly end: number } | null
  /** What runs JavaScript, metered and compiled, so that no thread need do it again. Of a module of JavaScript alone. */
  readonly engine?: WebAssembly.Module
  /** For people: size, imports, exports, memory, `METER_VERSION`. */
  readonly facts: Readonly<Record<string, string | number | readonly string[]>>
}

export interface Problem {
  readonly message: string
  /** The byte of the module where it stands, or the key of the manifest. */
  readonly offset?: number
  readonly path?: string
}

export type Built =
  { readonly ok: true; readonly module: RuleModule } | { readonly ok: false; readonly problems: readonly Problem[] }

/** One rule with its configuration, ready to run. Runs one message at a time; makes itself a fresh instance after every trap. */
export interface OpenRule {
  run(call: RunRequest): Promise<Ran>
  close(): void
}

export interface RunRequest {
  /** UTF-8 of a `RuleInput`. Not kept, and not changed by the rule. */
  readonly input: Uint8Array
  /** What the rule has stored, for a stateful one; null: it has no store. */
  readonly kv: ReadonlyMap<string, string> | null
  /**
   * After so many milliseconds it is ended, and its thread lives on. Costs a quarter of a millisecond. It is no more than a help: whoever
   * gave it to a thread still ends that one when nothing comes.
   */
  readonly mostMs?: number | undefined
}

/** Why a run gave no verdict, or a late one. All but `refused` are the rule's own fault. */
export type FailureKind =
  | 'trap'
  | 'fuel'
  | 'stack'
  | 'memory'
  | 'output'
  | 'answer'
  /** The module itself said so, through Extism's error. */
  | 'error'
  /** It was ended: it took longer than `mostMs`. */
  | 'late'
  /** It was not run: the input is over the rule's limit. */
  | 'refused'

export interface Ran {
  /** Null exactly when there is a failure. */
  readonly answer: RuleAnswer | null
  readonly failure: { readonly kind: FailureKind; readonly message: string } | null
  /** Units used; the same for the same module, configuration, input and store. */
  readonly fuel: number
  readonly ms: number
  /** Of the module's memory after the call. */
  readonly memoryPages: number
  readonly outputBytes: number
  readonly log: readonly { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly text: string }[]
  /** Lines that were over the quota. */
  readonly dropped: number
  readonly counters: Readonly<Record<string, number>>
  /** What it has read of the store, null where nothing was: with these alone the run can be repeated. */
  readonly reads: Readonly<Record<string, string | null>>
  /** What it wants to store; to be thrown away when it failed. A null value deletes. */
  readonly writes: readonly { readonly key: string; readonly value: string | null; readonly ttlSeconds: number }[]
}
