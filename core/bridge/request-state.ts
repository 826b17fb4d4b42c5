import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '@gatehouse/sdk'
import { z } from 'zod'
import { GatehouseError } from '../errors.js'
import { writeJson } from '../mcp/json.js'
import type { TokenSealer } from '../vault/seal-token.js'

/**
 * What a client of the modern era keeps for us between two requests. `forward`: the server's own state, verbatim. `parked`: a
 * call that sleeps at replica `owner`. `rerun`: the call is made again once what is done at a URL is done. `again`: it was not
 * made yet, since a credential was missing.
 */
export type RequestState = {
  readonly round: number
  /** The correlation id of the request that was asked first: later rounds stand under it. */
  readonly correlationId: string
} & (
  | { readonly kind: 'forward'; readonly state: string }
  | { readonly kind: 'parked'; readonly callId: string; readonly owner: string }
  | { readonly kind: 'rerun'; readonly elicitationIds: readonly string[] }
  | { readonly kind: 'again' }
)

/** The request that the state belongs to, and that alone. */
export interface StateSubject {
  readonly user: string
  readonly host: string
  readonly gateway: string
  readonly server: string
  /** One server may stand twice behind a gateway, as two identities and under other rules. */
  readonly assignment: string
  readonly method: string
  /** The upstream's own name of the feature. */
  readonly feature: string
  readonly arguments: JsonObject | undefined
}

export interface RequestStates {
  seal(state: RequestState, subject: StateSubject): string
  /** Throws GH_FORWARD_STATE: one answer for what is broken, expired and another's. */
  open(sealed: Json | undefined, subject: StateSubject): RequestState
}

export const REQUEST_STATE = 'request-state 1'
const LIFE_MS = 600_000
/** A state that a server makes its clients carry. */
const LONGEST_STATE = 64 * 1024
const MOST_ROUNDS = 20

const common = { e: z.number(), n: z.number(), m: z.uuid() }
const sealed = z.discriminatedUnion('t', [
  z.strictObject({ t: z.literal('f'), ...common, u: z.string() }),
  z.strictObject({ t: z.literal('p'), ...common, c: z.string(), o: z.string() }),
  z.strictObject({ t: z.literal('r'), ...common, i: z.array(z.string()) }),
  z.strictObject({ t: z.literal('a'), ...common }),
])

export function createRequestStates(sealer: TokenSealer, now: () => number = Date.now): RequestStates {
  return {
    seal(state, subject) {
      if (state.round > MOST_ROUNDS)
        throw new GatehouseError('GH_FORWARD_ROUNDS', {
          message: 'The server asked more than a client is asked in one call',
        })
      if (bytesOf(state) > LONGEST_STATE) throw new GatehouseError('GH_FORWARD_STATE_SIZE')
      const token = sealer.seal(JSON.stringify({ ...short(state), e: now() + LIFE_MS }), boundTo(subject))
      return prefixOf(state) + token
    },
    open(token, subject) {
      const [, prefix = '', box = ''] = typeof token === 'string' ? (PREFIXED.exec(token) ?? []) : []
      const text = sealer.open(box, boundTo(subject))
      const found = text === null ? null : readSealed(text)
      if (found === null || found.e <= now() || prefix !== prefixOf(long(found)))
        throw new GatehouseError('GH_FORWARD_STATE', { message: INVALID })
      return long(found)
    },
  }
}

/** Whoever has a parked state in hand sees where its call sleeps: a door that cannot open it passes it on. */
const prefixOf = (state: RequestState): string => (state.kind === 'parked' ? `${state.owner}.` : '')
const PREFIXED = /^([a-z0-9]{4}\.)?(.*)$/s

const INVALID = 'Invalid or expired requestState'

/** What a server makes us carry. */
function bytesOf(state: RequestState): number {
  switch (state.kind) {
    case 'forward':
      return Buffer.byteLength(state.state)
    case 'parked':
    case 'again':
      return 0
    case 'rerun':
      return Buffer.byteLength(JSON.stringify(state.elicitationIds))
  }
}

/** Null for what another version of ours may have sealed. */
function readSealed(text: string): z.infer<typeof sealed> | null {
  try {
    return sealed.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

function short(state: RequestState) {
  const common = { n: state.round, m: state.correlationId }
  switch (state.kind) {
    case 'forward':
      return { t: 'f', ...common, u: state.state }
    case 'parked':
      return { t: 'p', ...common, c: state.callId, o: state.owner }
    case 'rerun':
      return { t: 'r', ...common, i: state.elicitationIds }
    case 'again':
      return { t: 'a', ...common }
  }
}

function long(found: z.infer<typeof sealed>): RequestState {
  const common = { round: found.n, correlationId: found.m }
  switch (found.t) {
    case 'f':
      return { kind: 'forward', ...common, state: found.u }
    case 'p':
      return { kind: 'parked', ...common, callId: found.c, owner: found.o }
    case 'r':
      return { kind: 'rerun', ...common, elicitationIds: found.i }
    case 'a':
      return { kind: 'again', ...common }
  }
}

function boundTo(subject: StateSubject): string[] {
  const { user, host, gateway, server, assignment, method, feature } = subject
  const digest = createHash('sha256')
    .update(canonical(subject.arguments ?? {}))
    .digest('base64url')
  return [user, host, gateway, server, assignment, method, feature, digest]
}

/** Equal for equal values, whatever the order of their keys; as the wire has it, for another replica reads it too. */
function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return writeJson(value ?? null)
  const object = value as JsonObject
  const keys = Object.keys(object).toSorted()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(object[key])}`).join(',')}}`
}
