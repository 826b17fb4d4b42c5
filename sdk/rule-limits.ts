/**
 * The contract between the gateway and a rule that runs as WebAssembly (or JavaScript): what the module exports and may import, what
 * it is shown, what it answers, what its manifest says. A module exports `evaluate: () -> i32` and its ABI as
 * `gatehouse_rule_abi_1` (a function or an immutable global); it reads and writes through Extism's memory, or with the two bulk
 * functions `input_read` and `output_write`. What a host does not know in an answer it ignores, and so must a rule with its input.
 *
 * Here stands what is fixed in it; the schemas are in `rule-abi.ts`. A thread that runs rules loads this alone, for it is begun often.
 */
export const RULE_ABI = 'gatehouse.rule/1'
/** The ABIs that this gateway runs. From the day a second exists, two are here at a time. */
export const RULE_ABIS: readonly string[] = Object.freeze([RULE_ABI])

/** The import module of the host functions; Extism's own stand in `extism:host/env`. */
export const RULE_HOST_MODULE = 'extism:host/user'

/** What a rule may use beside its input and output, each only when its manifest names it. */
export const RULE_CAPABILITIES = ['log', 'config', 'kv', 'regex', 'counters'] as const
export type RuleCapability = (typeof RULE_CAPABILITIES)[number]

/**
 * The host functions in `RULE_HOST_MODULE`, by name. `ptr` and `len` are bytes in the module's own memory; texts are UTF-8. A
 * pointer outside of the memory traps. Functions that give a text write it to `out`, at most `cap` bytes of it, and answer its
 * whole length, -1 when there is none. Numbers are i32.
 */
export const RULE_HOST_FUNCTIONS = Object.freeze({
  /** `(out, offset, len) -> n`: copies up to `len` bytes of the input from `offset` on. Always there. */
  input_read: { params: ['i32', 'i32', 'i32'], results: ['i32'], capability: null },
  /** `(ptr, len)`: this is the answer, in place of any former one. Always there. */
  output_write: { params: ['i32', 'i32'], results: [], capability: null },
  /** `(level, ptr, len)`: level 0 debug, 1 info, 2 warn, 3 error. Lines past the quota are dropped and counted. */
  log: { params: ['i32', 'i32', 'i32'], results: [], capability: 'log' },
  /** `(key, keyLen, out, cap) -> n`: a text of the rule's configuration. */
  config_read: { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'], capability: 'config' },
  /** `(key, keyLen, out, cap) -> n`: what the rule has stored for this connection, with what it wrote in this call. */
  kv_get: { params: ['i32', 'i32', 'i32', 'i32'], results: ['i32'], capability: 'kv' },
  /** `(key, keyLen, value, valueLen, ttlSeconds) -> 1 | 0`: 0 when a quota is used up. Kept only if the call succeeds. ttl 0: the longest. */
  kv_set: { params: ['i32', 'i32', 'i32', 'i32', 'i32'], results: ['i32'], capability: 'kv' },
  /** `(key, keyLen)` */
  kv_delete: { params: ['i32', 'i32'], results: [], capability: 'kv' },
  /**
   * `(id, idLen, ptr, len, from, out) -> 1 | 0`: the first match of the manifest's pattern at or after the byte `from` of the text; two
   * i32 at `out`: its start and end in bytes. -1 for a pattern that the manifest does not have.
   */
  regex_match: { params: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], results: ['i32'], capability: 'regex' },
  /** `(name, nameLen, n)`: adds to a counter of the manifest. */
  counter_add: { params: ['i32', 'i32', 'i32'], results: [], capability: 'counters' },
}) satisfies Readonly<Record<string, RuleHostFunction>>

export interface RuleHostFunction {
  readonly params: readonly ('i32' | 'i64')[]
  readonly results: readonly ('i32' | 'i64')[]
  /** What a manifest must name for it; null: always there. */
  readonly capability: RuleCapability | null
}

/**
 * What holds unless an operator sets less, and more only by grant. Bytes, WebAssembly pages of 64 KiB, units of fuel, milliseconds.
 */
export const RULE_LIMITS = Object.freeze({
  moduleBytes: 1_048_576,
  inputBytes: 262_144,
  outputBytes: 65_536,
  memoryPages: 64,
  tableElements: 10_000,
  fuel: 20_000_000,
  /** A call that takes longer counts as a strike; its answer holds. */
  deadlineMs: 50,
  /** A call that takes longer is ended, with the thread that runs it. */
  killMs: 250,
  logLines: 16,
  logLineBytes: 1_024,
  kvKeys: 64,
  kvKeyBytes: 128,
  kvValueBytes: 4_096,
  kvBytes: 32_768,
  kvTtlSeconds: 86_400,
  counters: 32,
  patterns: 64,
  patternLength: 1_000,
  /** Bytes of text that `regex_match` may look at in one call, all together: up to the end of what it finds, or of the text. */
  regexBytes: 2_097_152,
  findings: 1_000,
  reasonLength: 500,
  configKeys: 64,
  configValueBytes: 8_192,
})

/** What a grant may allow at most. */
export const RULE_GRANT_LIMITS = Object.freeze({ moduleBytes: 16_777_216, memoryPages: 1_024, fuel: 500_000_000 })

/** Calls in this time that fail by the rule's own fault (a trap, no fuel left, lateness, rubbish) put it in quarantine. */
export const RULE_STRIKES = Object.freeze({ count: 3, withinMs: 600_000 })
