import { z } from 'zod'
import type { CallContext, Json, JsonObject } from './call.js'
import { RULE_ABIS, RULE_CAPABILITIES, RULE_GRANT_LIMITS, RULE_LIMITS } from './rule-limits.js'

/** The schemas and types of the contract with rules; what is fixed in it is told in `rule-limits.ts`, and is here too. */
export * from './rule-limits.js'

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

/** Unknown keys are ignored: a later version of an ABI may add some. The sandbox reads answers by the same rules, without a schema. */
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
const limit = (most: number) => z.number().int().min(1).max(most, `must be at most ${most}`)
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
  /**
   * `javascript`: the module is the UTF-8 source of one ECMAScript module that exports `evaluate(input)`, which returns its answer;
   * what its capabilities name stands in the global `gatehouse`. Its fuel is counted in tens of units of the interpreter.
   */
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
      fuel: limit(RULE_GRANT_LIMITS.fuel),
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
  fuel: limit(RULE_GRANT_LIMITS.fuel).optional(),
  wasiStub: z.boolean().optional(),
})
export type RuleGrants = z.output<typeof RuleGrants>
