import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import { parseJson } from '../mcp/json.js'
import { isObject } from '../mcp/message.js'
import { readOriginal } from '../rules/originals.js'
import type { Leg, NotKept } from '../domain/replay.js'
import type { StoredCall } from './stored.js'

/** What a leg of a stored message was about. */
export interface About {
  readonly prefix: string
  readonly serverSlug: string
  readonly serverId: string
  readonly kind: FeatureKind
  readonly feature: string
}

/** What rules look at again, in the server's own terms. */
export interface Input extends About {
  readonly kept: 'original' | 'redacted'
  readonly shape?: FeatureKind
  readonly message: JsonObject
}
export type Found = Input | (About & { readonly kept: NotKept })

export interface InputsOptions {
  readonly open: (
    place: { readonly at: number; readonly id: string; readonly leg: Leg },
    box: Buffer,
  ) => Promise<string | null>
  /** Whether whoever asked may see bodies. */
  readonly bodies: boolean
  /** By which names the gateway knows a server today, for the record names the server alone; null: those of all servers. */
  readonly prefixesOf: (serverId: string | null) => readonly string[]
  /** Whether some rule looks at such a leg. */
  readonly covers: (leg: Leg, about: About) => boolean
}

/** What was kept of one leg, or why nothing was; null when the message had no such leg. */
export async function inputOf(call: StoredCall, leg: Leg, options: InputsOptions): Promise<Found | null> {
  const sealed = leg === 'request' ? call.sealed_request : call.sealed_response
  if (sealed !== null) {
    const original = await originalOf(call, leg, sealed, options)
    if (original !== null) return original
  }
  const redacted = redactedOf(call, leg, options)
  if (redacted === null || isKept(redacted)) return redacted
  const bytes = leg === 'request' ? call.sealed_request_bytes : call.sealed_response_bytes
  if (bytes === null) return redacted
  // One was kept, or would have been.
  if (sealed !== null) return { ...redacted, kept: 'unreadable' }
  return { ...redacted, kept: options.bodies || redacted.kept === 'too_long' ? 'too_long' : 'not_permitted' }
}

export const isKept = (found: Found): found is Input => 'message' in found

async function originalOf(call: StoredCall, leg: Leg, box: Buffer, { open }: InputsOptions): Promise<Input | null> {
  const text = await open({ at: call.at.getTime(), id: call.id, leg }, box)
  const original = text === null ? null : readOriginal(text)
  return original && { kept: 'original', ...original }
}

/** As the rules of that day left it. */
function redactedOf(call: StoredCall, leg: Leg, options: InputsOptions): Found | null {
  const way = call.legs.find(({ type, serverId }) => type.startsWith('mcp_') && typeof serverId === 'string')
  if (leg === 'response' && !call.legs.some(isAnswer)) return null
  const about = aboutOf(call, leg, way, options)
  // What a client was shown in place of what was blocked is the gateway's own word.
  if (call.outcome.startsWith('policy_enforced')) return { ...about, kept: 'blocked' }
  const text = leg === 'request' ? call.request : call.response
  if (text === null) return leg === 'request' && way === undefined ? null : { ...about, kept: 'not_captured' }
  if (leg === 'request' ? call.request_cut : call.response_cut) return { ...about, kept: 'too_long' }
  const message = leg === 'request' ? paramsOf(text, call) : resultOf(text)
  return message === null ? { ...about, kept: 'unreadable' } : { ...about, kept: 'redacted', ...message }
}

type Way = StoredCall['legs'][number] | undefined

/** Of the names that its server has today, the first that a rule looks at. */
function aboutOf(call: StoredCall, leg: Leg, way: Way, { prefixesOf, covers }: InputsOptions): About {
  const serverId = way?.serverId ?? ''
  const serverSlug = way?.serverName ?? ''
  const about = { serverSlug, serverId, kind: call.feature_type, feature: call.feature }
  const prefixes = prefixesOf(way?.serverId ?? null)
  const prefix = prefixes.find((one) => covers(leg, { ...about, prefix: one })) ?? prefixes[0] ?? serverSlug
  return { ...about, prefix }
}

/** The server's own answer: an error of ours in its place has a code of ours and none of the protocol. */
const isAnswer = ({ type, rpcError }: StoredCall['legs'][number]): boolean =>
  type === 'mcp_response_success' || (type === 'mcp_response_error' && typeof rpcError === 'number')

type Seen = Pick<Input, 'message' | 'shape'>

/** Clients know features by public names: rules are shown the server's own. */
function paramsOf(text: string, { feature_type: kind, feature }: StoredCall): Seen | null {
  const params = read(text)?.params
  if (!isObject(params)) return null
  const name = kind === 'resource' ? 'uri' : 'name'
  return { message: typeof params[name] === 'string' ? { ...params, [name]: feature } : params }
}

/** An error carries text like any answer, and is looked at as one (`rooms/inspect.ts`). */
function resultOf(text: string): Seen | null {
  const answer = read(text)
  if (isObject(answer?.result)) return { message: answer.result }
  if (!isObject(answer?.error)) return null
  const { code: _, ...seen } = answer.error
  return { message: { structuredContent: seen }, shape: 'tool' }
}

function read(text: string): JsonObject | null {
  try {
    const value = parseJson(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}
