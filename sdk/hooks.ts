import { z } from 'zod'
import type { CallContext, FeatureKind, JsonObject } from './call.js'
import type { Evaluation, EvaluateRequest, Prepared, PrepareRequest, TestAnswer, TestRequest } from './engine.js'
import type {
  IdpBegin,
  IdpComplete,
  IdpDescription,
  IdpEnded,
  IdpFailure,
  IdpInstance,
  IdpLogout,
  IdpNotice,
  IdpPerson,
  IdpRedirect,
} from './idp.js'
import type { Credentials, Identification, Principal } from './principal.js'
import type { AlertDelivery, Delivery, DeliveryAnswer, RaisedAlert } from './record.js'
import type { Verdict } from './verdict.js'

/**
 * How the handlers of a hook are asked. A hook has exactly one kind; asking it another way does not compile.
 *
 * - `sequential`: one after another, each sees the former's result; a block ends it.
 * - `first`: in order, until one answers something else than `notMine`.
 * - `parallel`: all at once on the same payload; answers are kept in order.
 * - `keyed`: exactly one handler per key.
 */
export type HookKind = 'sequential' | 'first' | 'parallel' | 'keyed'

/**
 * What a failure of a handler becomes (a throw, a rejection, a late answer, `undefined`, an answer that fails its schema,
 * a patch outside the writable fields): `closed` refuses the message, `open` goes on as if the handler were not there.
 */
export type FailurePolicy = 'closed' | 'open'

/** One row of the hook table. `Payload` and `Answer` are types only; the rest is data. */
export interface HookDefinition<
  Kind extends HookKind,
  Payload,
  Answer,
  Writable extends keyof Payload & string = never,
> {
  readonly kind: Kind
  /** Milliseconds for all handlers of one run together. */
  readonly deadlineMs: number
  readonly onFailure: FailurePolicy
  /** Fields of the payload that a `modify` may replace. */
  readonly writable: readonly Writable[]
  /** Checks an answer's shape; the message says what is wrong. */
  readonly answer: z.ZodType
  readonly summary: string
  /** Never set: carries the types. */
  readonly types?: { payload: Payload; answer: Answer }
}

const hook =
  <Payload, Answer>() =>
  <const Kind extends HookKind, const Writable extends keyof Payload & string = never>(row: {
    kind: Kind
    deadlineMs: number
    onFailure: FailurePolicy
    writable: readonly Writable[]
    answer: z.ZodType
    summary: string
  }): HookDefinition<Kind, Payload, Answer, Writable> =>
    Object.freeze(row)

/** What a `modify` may hold: any of the writable fields; another field of the payload does not compile. */
export type PatchOf<Payload, Writable extends keyof Payload> = { readonly [Field in Writable]?: Payload[Field] } & {
  readonly [Field in Exclude<keyof Payload, Writable>]?: never
}

/** Payload of `feature.list`: the features of one server, as the client would see them, before they are merged. */
export interface FeatureList {
  readonly kind: FeatureKind | 'template'
  readonly server: { readonly id: string; readonly slug: string }
  readonly gateway: { readonly id: string; readonly slug: string }
  readonly principal: Principal
  /** Entries as the upstream gave them; unknown keys are kept. */
  readonly entries: readonly JsonObject[]
}

/**
 * Payload of `feature.request`: the params of a call on their way to the server, after the gateway's rules. When the client
 * answers what the server asked in the middle of it, once more with `inputResponses`, in this form for every era.
 */
export interface FeatureRequest {
  readonly context: CallContext
  /** The JSON-RPC params; for `tools/call` the arguments stand in `arguments`. */
  readonly params: JsonObject
}

/**
 * Payload of `feature.response`: the result on its way to the client, after the gateway's rules. A question of the server in
 * the middle of a call is one with `resultType: 'input_required'` and `inputRequests`, in this form for every era.
 */
export interface FeatureResponse {
  readonly context: CallContext
  readonly result: JsonObject
}

/** Payload of `identity.enrich`. */
export interface Enrichment {
  readonly principal: Principal
  readonly attributes: Readonly<Record<string, string>>
}

/** Payload of `upstream.credentials`: which credential does this call need? */
export interface CredentialRequest {
  readonly server: { readonly id: string; readonly slug: string; readonly url: string | null }
  readonly assignmentId: string
  readonly principal: Principal
}
/** Headers to send upstream, or `notMine`. */
export type CredentialAnswer =
  | { readonly kind: 'notMine' }
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>>; readonly expiresAt: number | null }
  | { readonly kind: 'refused'; readonly reason: string }

/** A verdict whose patch, field by field, is of the payload's types; which fields may stand in it, `writable` says. */
const verdict = (patch: z.ZodRawShape) =>
  z.discriminatedUnion('verdict', [
    z.object({ verdict: z.literal('pass') }),
    z.object({ verdict: z.literal('modify'), patch: z.object(patch) }),
    z.object({ verdict: z.literal('block'), reason: z.string() }),
    z.object({ verdict: z.literal('undecided'), message: z.string() }),
  ])
const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
)
const notMine = z.object({ kind: z.literal('notMine') })
const refused = z.object({ kind: z.literal('refused'), reason: z.string() })
const idpFailure = z.object({
  ok: z.literal(false),
  failure: z.enum(['refused', 'unavailable']),
  reason: z.string(),
})
const configErrors = z.array(
  z.object({ message: z.string(), path: z.string().optional(), position: z.number().optional() }),
)
const finding = z.object({
  type: z.string(),
  leaf: z.number().int().min(0),
  start: z.number().int().min(0),
  end: z.number().int().min(1),
  score: z.number().min(0).max(1),
})
const beside = {
  counts: z.exactOptional(z.record(z.string(), z.number().int().min(1))),
  evidence: z.exactOptional(
    z
      .record(z.string().max(64), z.union([z.string().max(200), z.number()]))
      .refine((all) => Object.keys(all).length <= 16, 'has more than 16 keys'),
  ),
  recorded: z.exactOptional(jsonObject),
  strike: z.exactOptional(z.string().max(500)),
  ms: z.exactOptional(z.number().min(0)),
  rest: z.exactOptional(z.array(z.lazy((): z.ZodType<Evaluation> => evaluation))),
}
const evaluation: z.ZodType<Evaluation> = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('findings'), findings: z.array(finding), ...beside }),
  z.object({ verdict: z.literal('pass'), ...beside }),
  z.object({ verdict: z.literal('modify'), patch: z.object({ message: z.json() }), ...beside }),
  z.object({ verdict: z.literal('block'), reason: z.string(), ...beside }),
  z.object({ verdict: z.literal('undecided'), message: z.string(), ...beside }),
])
const delivery = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('delivered') }),
  z.object({
    kind: z.literal('retry'),
    message: z.string(),
    status: z.number().optional(),
    afterMs: z.number().min(0).optional(),
  }),
  z.object({ kind: z.literal('rejected'), message: z.string(), status: z.number().optional() }),
])
const nothing = z.undefined()

/**
 * THE hook table: name -> kind, payload, answer, deadline, failure policy, writable fields. Handler types, the bus, the
 * documentation and the console's plugin page are derived from it; a name that is not here cannot be hooked.
 */
export const HOOKS = Object.freeze({
  'auth.identify': hook<Credentials, Identification>()({
    kind: 'first',
    deadlineMs: 5_000,
    onFailure: 'closed',
    writable: [],
    answer: z.discriminatedUnion('kind', [
      notMine,
      refused,
      z.object({ kind: z.literal('token'), hash: z.string().regex(/^[0-9a-f]{64}$/) }),
      z.object({
        kind: z.literal('subject'),
        issuer: z.string(),
        subject: z.string(),
        claims: z.record(z.string(), z.unknown()),
      }),
    ]),
    summary: 'Whose credential is this? Answers a reference; core resolves it.',
  }),
  'identity.enrich': hook<Enrichment, Verdict<PatchOf<Enrichment, 'attributes'>>>()({
    kind: 'sequential',
    deadlineMs: 2_000,
    onFailure: 'closed',
    writable: ['attributes'],
    answer: verdict({ attributes: z.exactOptional(z.record(z.string(), z.string().max(256))) }),
    summary: 'Adds facts about the caller, or refuses the caller.',
  }),
  'upstream.credentials': hook<CredentialRequest, CredentialAnswer>()({
    kind: 'first',
    deadlineMs: 30_000,
    onFailure: 'closed',
    writable: [],
    answer: z.discriminatedUnion('kind', [
      notMine,
      refused,
      z.object({
        kind: z.literal('headers'),
        headers: z.record(z.string(), z.string()),
        expiresAt: z.number().nullable(),
      }),
    ]),
    summary: 'The credential for an upstream server, when it is not the vault that holds it.',
  }),
  'feature.list': hook<FeatureList, Verdict<PatchOf<FeatureList, 'entries'>>>()({
    kind: 'sequential',
    deadlineMs: 5_000,
    onFailure: 'closed',
    writable: ['entries'],
    answer: verdict({ entries: z.exactOptional(z.array(jsonObject)) }),
    summary: 'Sees and may change the features of one server before they are shown.',
  }),
  'feature.request': hook<FeatureRequest, Verdict<PatchOf<FeatureRequest, 'params'>>>()({
    kind: 'sequential',
    deadlineMs: 30_000,
    onFailure: 'closed',
    writable: ['params'],
    answer: verdict({ params: z.exactOptional(jsonObject) }),
    summary: 'Sees and may change or block the params of a call.',
  }),
  'feature.response': hook<FeatureResponse, Verdict<PatchOf<FeatureResponse, 'result'>>>()({
    kind: 'sequential',
    deadlineMs: 30_000,
    onFailure: 'closed',
    writable: ['result'],
    answer: verdict({ result: z.exactOptional(jsonObject) }),
    summary: 'Sees and may change or block the result of a call.',
  }),
  'engine.prepare': hook<PrepareRequest, Prepared>()({
    kind: 'keyed',
    deadlineMs: 30_000,
    onFailure: 'closed',
    writable: [],
    answer: z.discriminatedUnion('ok', [
      z.object({
        ok: z.literal(true),
        state: z.unknown(),
        passes: z.number().int().min(1).max(1_000),
        remembers: z.exactOptional(z.boolean()),
        facts: z.exactOptional(jsonObject),
      }),
      z.object({ ok: z.literal(false), errors: configErrors }),
    ]),
    summary: 'Compiles a rule, once per change.',
  }),
  'engine.evaluate': hook<EvaluateRequest, Evaluation>()({
    kind: 'keyed',
    deadlineMs: 30_000,
    onFailure: 'closed',
    writable: [],
    answer: evaluation,
    summary: 'Looks at the leaves of a message. On failure the rule’s own `onFailure` decides.',
  }),
  'engine.test': hook<TestRequest, TestAnswer>()({
    kind: 'keyed',
    deadlineMs: 30_000,
    onFailure: 'closed',
    writable: [],
    answer: z.discriminatedUnion('ok', [
      z.object({ ok: z.literal(true), evaluation, notes: z.exactOptional(z.array(z.string().max(1_000)).max(20)) }),
      z.object({ ok: z.literal(false), errors: configErrors }),
    ]),
    summary: 'Tries a configuration on a sample.',
  }),
  'engine.retire': hook<{ readonly state: unknown }, void>()({
    kind: 'keyed',
    deadlineMs: 5_000,
    onFailure: 'open',
    writable: [],
    answer: nothing,
    summary: 'A prepared rule is no longer used: free what it holds.',
  }),
  'idp.begin': hook<IdpBegin, IdpRedirect>()({
    kind: 'keyed',
    deadlineMs: 15_000,
    onFailure: 'closed',
    writable: [],
    answer: z.discriminatedUnion('ok', [
      z.object({ ok: z.literal(true), url: z.url({ protocol: /^https?$/ }), kept: z.string() }),
      idpFailure,
    ]),
    summary: 'Starts a sign-in at an identity provider.',
  }),
  'idp.complete': hook<IdpComplete, IdpPerson | IdpFailure>()({
    kind: 'keyed',
    deadlineMs: 30_000,
    onFailure: 'closed',
    writable: [],
    answer: z.discriminatedUnion('ok', [
      z.object({
        ok: z.literal(true),
        issuer: z.string().min(1),
        subject: z.string().min(1).max(1024),
        email: z.string(),
        emailVerified: z.boolean(),
        name: z.string(),
        groups: z.array(z.string()).nullable(),
        claims: z.record(z.string(), z.unknown()),
        session: z.string().nullable(),
        idToken: z.string().nullable(),
        expiresAt: z.number().nullable(),
      }),
      idpFailure,
    ]),
    summary: 'Ends a sign-in: who came back?',
  }),
  'idp.logout': hook<IdpLogout, { readonly url: string | null }>()({
    kind: 'keyed',
    deadlineMs: 15_000,
    onFailure: 'open',
    writable: [],
    answer: z.object({ url: z.url({ protocol: /^https?$/ }).nullable() }),
    summary: 'Where to send a person who signs out.',
  }),
  'idp.notice': hook<IdpNotice, IdpEnded>()({
    kind: 'keyed',
    deadlineMs: 15_000,
    onFailure: 'closed',
    writable: [],
    answer: z.discriminatedUnion('kind', [
      notMine,
      refused,
      z.object({
        kind: z.literal('ended'),
        issuer: z.string().min(1),
        subject: z.string().nullable(),
        session: z.string().nullable(),
        id: z.string().min(1),
        expiresAt: z.number(),
      }),
    ]),
    summary: 'Somebody says that a session at the provider has ended: is it true?',
  }),
  'idp.describe': hook<{ readonly idp: IdpInstance }, IdpDescription>()({
    kind: 'keyed',
    deadlineMs: 15_000,
    onFailure: 'closed',
    writable: [],
    answer: z.discriminatedUnion('ok', [
      z.object({
        ok: z.literal(true),
        issuer: z.string().min(1),
        jwksUri: z.string().nullable(),
        backchannelLogout: z.boolean(),
        endSession: z.boolean(),
        notes: z.array(z.string()),
      }),
      idpFailure,
    ]),
    summary: 'What the provider says of itself; the test of a configuration.',
  }),
  'exporter.deliver': hook<Delivery, DeliveryAnswer>()({
    kind: 'keyed',
    deadlineMs: 15_000,
    onFailure: 'closed',
    writable: [],
    answer: delivery,
    summary: 'Hands a batch of the record to a receiver. A failure is a `retry`.',
  }),
  'alert.raised': hook<RaisedAlert, void>()({
    kind: 'parallel',
    deadlineMs: 10_000,
    onFailure: 'open',
    writable: [],
    answer: nothing,
    summary: 'An alert was raised or repeated; repeats within a second are told once.',
  }),
  'alert.deliver': hook<AlertDelivery, DeliveryAnswer>()({
    kind: 'keyed',
    deadlineMs: 15_000,
    onFailure: 'closed',
    writable: [],
    answer: delivery,
    summary: 'Hands an alert, or a digest of many, to a receiver. A failure is a `retry`.',
  }),
})

export type HookTable = typeof HOOKS
export type HookName = keyof HookTable
type Row<H extends HookName> = HookTable[H]
export type KindOf<H extends HookName> = Row<H>['kind']
export type PayloadOf<H extends HookName> = NonNullable<Row<H>['types']>['payload']
export type AnswerOf<H extends HookName> = NonNullable<Row<H>['types']>['answer']
/** The hooks of one kind. */
export type HooksOf<K extends HookKind> = { [H in HookName]: KindOf<H> extends K ? H : never }[HookName]

/** What a handler gets beside its payload. */
export interface HookCall {
  /** Milliseconds since the epoch at which an answer is too late. */
  readonly deadline: number
  /** Aborted at the deadline or when the call is given up. Made only when it is asked for. */
  readonly signal: AbortSignal
}

/** A handler answers at once or by a promise. Payloads are frozen one level deep. */
export type Handler<H extends HookName> = (
  payload: Readonly<PayloadOf<H>>,
  call: HookCall,
) => AnswerOf<H> | Promise<AnswerOf<H>>
