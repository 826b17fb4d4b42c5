import { z } from 'zod'
import type { CallContext, Json, JsonObject } from './call.js'

/**
 * The contract between the gateway and a rule that runs as WebAssembly (or JavaScript): what the module exports and may import, what
 * it is shown, what it answers, what its manifest says. A module exports `evaluate: () -> i32` and its ABI as
 * `gatehouse_rule_abi_1` (a function or an immutable global); it reads and writes through Extism's memory, or with the two bulk
 * functions `input_read` and `output_write`. What a host does not know in an answer it ignores, and so must a rule with its input.
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
export const RULE_GRANT_LIMITS = Object.freeze({ moduleBytes: 16_777_216, memoryPages: 1_024 })

/** Calls in this time that fail by the rule's own fault (a trap, no fuel left, lateness, rubbish) put it in quarantine. */
export const RULE_STRIKES = Object.freeze({ count: 3, withinMs: 600_000 })

/**
 * What a rule is shown: UTF-8 JSON. `message` is the JSON-RPC params (request) or result (response); `texts` its string values in
 * the order of the message, without base64 and marks of the protocol, and `keys` its object keys: each stands here only if the
 * manifest's `input` asks for it. `time` is when the call began: the same in every run of it.
 */
export interface RuleInput {
  readonly version: 1
  readonly leg: 'request' | 'response'
  readonly call: RuleCall
  readonly message?: Json
  readonly texts?: readonly string[]
  readonly keys?: readonly string[]
}

/** The facts of the call. What nobody knows is null. */
export interface RuleCall extends Pick<CallContext, 'method' | 'era' | 'feature' | 'attributes'> {
  readonly id: string
  readonly gateway: string
  readonly server: string | null
  readonly user: string | null
  readonly host: string
  /** Milliseconds since the epoch. */
  readonly time: number
}

/**
 * What a rule answers: UTF-8 JSON.
 *
 * - `pass`: it goes on. Findings only count, or are what the rule's action is done to, if it has one.
 * - `block`: it ends here; `reason` is read by the client.
 * - `modify`: `message` stands in its place, or `texts` in the place of some texts. Names and URIs cannot be changed.
 * - `undecided`: the rule's `onFailure` decides.
 */
export interface RuleAnswer {
  readonly version: 1
  readonly verdict: 'pass' | 'block' | 'modify' | 'undecided'
  readonly reason?: string | undefined
  readonly message?: JsonObject | undefined
  readonly texts?: readonly { readonly text: number; readonly value: string }[] | undefined
  readonly findings?: readonly RuleFinding[] | undefined
  /** In what the findings count: UTF-16 code units unless told. */
  readonly unit?: 'utf16' | 'utf8' | undefined
}

/** Something found. `text` or `key` is a number in the list of that name; without either only the type counts. */
export interface RuleFinding {
  readonly type: string
  readonly text?: number | undefined
  readonly key?: number | undefined
  readonly start?: number | undefined
  readonly end?: number | undefined
  readonly score?: number | undefined
}

const index = z.number().int().min(0)

/** Unknown keys are ignored: a later version of an ABI may add some. */
export const RuleAnswer: z.ZodType<RuleAnswer> = z.object({
  version: z.literal(1),
  verdict: z.enum(['pass', 'block', 'modify', 'undecided']),
  reason: z.string().max(RULE_LIMITS.reasonLength).optional(),
  message: z
    .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
    .optional(),
  texts: z
    .array(z.object({ text: index, value: z.string() }))
    .max(10_000)
    .optional(),
  findings: z
    .array(
      z.object({
        type: z.string().min(1).max(200),
        text: index.optional(),
        key: index.optional(),
        start: index.optional(),
        end: index.optional(),
        score: z.number().min(0).max(1).optional(),
      }),
    )
    .max(RULE_LIMITS.findings)
    .optional(),
  unit: z.enum(['utf16', 'utf8']).optional(),
})

const NAME = /^[a-z][a-z0-9-]{0,62}$/
const WORD = /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/
const limit = (most: number) => z.number().int().min(1).max(most)
/** No key may be called like what every object has. */
const named = <T extends z.ZodType>(value: T, most: number) =>
  z
    .record(z.string().regex(WORD), value)
    .refine((record) => Object.keys(record).length <= most, `has more than ${most} entries`)
    .refine((record) => !Object.keys(record).some((key) => key in Object.prototype), 'has a key that every object has')

/** One run of a rule with what must come of it: run at every upload, and by `gatehouse rules test`. */
export const RuleVector = z.strictObject({
  name: z.string().min(1).max(200),
  /** What the rule is shown; what is left out is made up. */
  input: z.strictObject({
    leg: z.enum(['request', 'response']).default('request'),
    call: z.record(z.string(), z.unknown()).default({}),
    message: z.record(z.string(), z.unknown()).default({}),
  }),
  config: z.record(z.string(), z.string()).default({}),
  /** What the rule has stored before. */
  kv: z.record(z.string(), z.string()).default({}),
  expect: z.strictObject({
    verdict: z.enum(['pass', 'block', 'modify', 'undecided']),
    reason: z.string().optional(),
    /** Types of its findings and how often; none, if given empty. */
    findings: z.record(z.string(), z.number().int().min(1)).optional(),
    /** The message as it goes on, after a `modify`. */
    message: z.record(z.string(), z.unknown()).optional(),
  }),
})
export type RuleVector = z.output<typeof RuleVector>

/** The manifest beside a module. Strict: what is unknown here is refused, for it would have meant something. */
export const RuleManifest = z.strictObject({
  name: z.string().regex(NAME),
  /** The author's own version; the gateway numbers uploads besides. */
  version: z.string().min(1).max(64),
  description: z.string().max(1_000).default(''),
  abi: z.enum(RULE_ABIS as [string, ...string[]]),
  language: z.enum(['wasm', 'javascript']).default('wasm'),
  /** SHA-256 of the module's bytes, in hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  hooks: z
    .array(z.enum(['request', 'response']))
    .min(1)
    .max(2)
    .default(['request', 'response']),
  input: z
    .array(z.enum(['message', 'texts']))
    .min(1)
    .max(2)
    .default(['message']),
  capabilities: z.array(z.enum(RULE_CAPABILITIES)).max(RULE_CAPABILITIES.length).default([]),
  /** Needs the grant of the same name: clock, random numbers and output of WASI, all of them ours. */
  wasiStub: z.boolean().default(false),
  /** Whether it remembers: then, and only then, it may name the capability `kv`. */
  stateful: z.boolean().default(false),
  /** What it gets along with; the operator's limits hold where they are lower. */
  limits: z
    .strictObject({
      inputBytes: limit(RULE_LIMITS.inputBytes),
      outputBytes: limit(RULE_LIMITS.outputBytes),
      memoryPages: limit(RULE_GRANT_LIMITS.memoryPages),
      fuel: limit(RULE_LIMITS.fuel),
      deadlineMs: limit(RULE_LIMITS.deadlineMs),
      killMs: limit(RULE_LIMITS.killMs),
    })
    .partial()
    .default({}),
  /** A suggestion: the gateway's rule decides. */
  onFailure: z.enum(['block', 'allow']).default('block'),
  /** Keys of its configuration: texts. One without a default must be given. */
  config: named(
    z.strictObject({
      description: z.string().max(1_000).default(''),
      default: z.string().max(RULE_LIMITS.configValueBytes).optional(),
      /** A regular expression that the whole value must match. */
      pattern: z.string().max(200).optional(),
    }),
    RULE_LIMITS.configKeys,
  ).default({}),
  /** Patterns for `regex_match`, by id. */
  patterns: named(z.string().min(1).max(RULE_LIMITS.patternLength), RULE_LIMITS.patterns).default({}),
  counters: z.array(z.string().regex(WORD)).max(RULE_LIMITS.counters).default([]),
  vectors: z.array(RuleVector).max(50).default([]),
})
export type RuleManifest = z.output<typeof RuleManifest>

/** What an operator allows a module beyond the limits. */
export const RuleGrants = z.strictObject({
  memoryPages: limit(RULE_GRANT_LIMITS.memoryPages).optional(),
  moduleBytes: limit(RULE_GRANT_LIMITS.moduleBytes).optional(),
  wasiStub: z.boolean().optional(),
})
export type RuleGrants = z.output<typeof RuleGrants>
