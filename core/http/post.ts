import type { IncomingMessage } from 'node:http'
import type { Json, Principal } from '@gatehouse/sdk'
import type { Reply } from '../call.js'
import type { Snapshot } from '../domain/snapshot.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { classify, type Classified, type EraHeaders } from '../mcp/classify.js'
import { writeJson } from '../mcp/json.js'
import { idOf, isObject } from '../mcp/message.js'
import { ownerOf } from '../mcp/owned-id.js'
import { hasBatches } from '../mcp/versions.js'
import { readBody } from './body.js'
import { type Arrived, inbound, takesEvents } from './inbound.js'
import { parse } from './parse.js'
import { Presence } from './presence.js'
import { send, sendNothing } from './send.js'
import { eraHeaders, type Visit } from './visit.js'

const MAX_BATCH = 100

/** A message, or several in one array, through the pipeline; its answer, as JSON or as an event stream. */
export async function post(visit: Visit): Promise<void> {
  const { options, req } = visit
  const snapshot = options.snapshot()
  if (isWorthAsking(visit.req) && (await turnsAway(visit, snapshot))) return
  const body = await readBody(req, snapshot.settings.limits.requestBody)
  visit.hop?.fits(body)
  options.standing.enter(visit)
  try {
    await answer(visit, snapshot, body)
  } finally {
    options.standing.leave(visit)
  }
}

/** Whether the caller was refused before the body was read. */
export async function turnsAway(visit: Visit, snapshot: Snapshot): Promise<boolean> {
  const refused = await refusalOf(visit, snapshot)
  if (refused !== null) refuseUnread(visit, refused)
  return refused !== null
}

/** From here on a body is worth more than asking twice who sends it. */
const LARGE = 64 * 1024

/** Whoever shows nothing, or sends much, is asked who they are before anything of theirs is kept in memory. */
export function isWorthAsking({ headers }: IncomingMessage): boolean {
  if (headers.authorization === undefined) return true
  const length = headers['content-length']
  return length === undefined || Number(length) > LARGE
}

/** The refusal of a stranger; null for whoever would be let in. */
async function refusalOf(visit: Visit, snapshot: Snapshot): Promise<Reply | null> {
  const unread = new GatehouseError('GH_DOOR_NOT_RPC')
  const arrived = { snapshot, item: faulty(unread, eraHeaders(visit)), headers: eraHeaders(visit) }
  const call = () => {
    const touch = { gone: visit.gone, ask: null, joins: () => undefined }
    return inbound(visit, { ...arrived, text: '', bytes: 0, batched: false }, touch)
  }
  try {
    await visit.options.authenticate(call())
    return null
  } catch (thrown) {
    // By the corridor, so that it is on record and says what it always says.
    return [401, 403].includes(asGatehouseError(thrown).entry.http) ? visit.options.pipeline(call()) : null
  }
}

/** What is left of the body is not waited for. */
function refuseUnread(visit: Visit, reply: Reply): void {
  const isShort = Number(visit.req.headers['content-length'] ?? Infinity) <= LARGE
  send(visit, isShort ? reply : { ...reply, headers: { ...reply.headers, connection: 'close' } })
}

async function answer(visit: Visit, snapshot: Snapshot, body: Buffer): Promise<void> {
  const text = body.toString('utf8')
  const headers = eraHeaders(visit)
  const parsed = parse(visit.req, text)
  if (parsed.ok && Array.isArray(parsed.value)) return batch(visit, snapshot, parsed.value as readonly Json[], headers)
  const item = parsed.ok ? classify(parsed.value, headers) : faulty(parsed.error, headers)
  mustBeTaken(visit, [item])
  const owner = ownerOfMessage(item)
  const patienceMs = item.kind === 'request' ? snapshot.settings.limits.callTotal : undefined
  if (owner !== null && (await visit.options.toOwner.pass(owner, visit, { body, patienceMs }))) return
  const reply = await run(visit, { snapshot, item, headers, text, bytes: body.length, batched: false })
  if (reply === null) sendNothing(visit, takesEvents(visit))
  else send(visit, reply)
}

/** Null when its client took it back meanwhile: whatever came of it, there is no response then. */
export async function run(
  visit: Visit,
  arrived: Arrived,
  welcome?: (principal: Principal) => void,
): Promise<Reply | null> {
  const { item, headers } = arrived
  const presence = new Presence(visit, arrived, welcome)
  const { gone, joins } = presence
  const canBeAsked = item.kind === 'request' && item.era === 'legacy' && headers.sessionId !== undefined
  const call = inbound(visit, arrived, { gone, joins, ask: canBeAsked && presence.hasLine ? presence.ask : null })
  try {
    const reply = await visit.options.pipeline(call)
    return presence.isTakenBack ? null : reply
  } finally {
    presence.leave()
  }
}

/** Only a session of 2025-03-26, or a client that states no version at all, may send several messages at once. */
async function batch(visit: Visit, snapshot: Snapshot, values: readonly Json[], headers: EraHeaders): Promise<void> {
  const wrong = batchFault(values, headers)
  const items = wrong === null ? values.map((value) => classify(value, headers)) : [faulty(wrong, headers)]
  mustBeTaken(visit, items)
  const replies = await Promise.all(
    items.map(async (item, n) => {
      const part = partOf(item, wrong === null ? values[n] : values, headers)
      const owner = ownerOfMessage(item)
      const status = owner && (await visit.options.toOwner.deliver(owner, visit, { body: Buffer.from(part.text) }))
      if (typeof status === 'number') return { ...ACCEPTED, status }
      const reply = await run(visit, { snapshot, headers, ...part, batched: true })
      return reply ?? ACCEPTED
    }),
  )
  // What is refused for its caller, its session or its form is refused as a whole.
  const refused =
    replies.find(({ status }) => status === 401 || status === 403 || status === 404) ??
    (replies.every(({ status }) => status >= 400) ? replies[0] : undefined)
  if (refused) return send(visit, refused)
  const texts = replies.flatMap((reply) => (reply.text === null ? [] : [reply.text]))
  send(visit, texts.length === 0 ? ACCEPTED : { status: 200, text: `[${texts.join(',')}]`, headers: {} })
}

/** A gateway that stops takes what its calls under way wait for, and calls that sleep here, and begins nothing new. */
function mustBeTaken({ options }: Visit, items: readonly Classified[]): void {
  const goesOn = (item: Classified) =>
    item.kind === 'response' ||
    item.kind === 'notification' ||
    (item.kind === 'request' && options.toOwner.isHere(ownerOfMessage(item)))
  if (options.draining() && !items.every(goesOn)) throw new GatehouseError('GH_DOOR_DRAINING')
}

/** One message of several, with its own text for the record. One that cannot be written must not take the others along. */
function partOf(
  item: Classified,
  value: Json | undefined,
  headers: EraHeaders,
): Pick<Arrived, 'item' | 'text' | 'bytes'> {
  try {
    const text = writeJson(value)
    return { item, text, bytes: text.length }
  } catch (thrown) {
    const tooDeep = { ...faulty(asGatehouseError(thrown), headers), id: idOf(value) }
    return { item: item.kind === 'fault' ? item : tooDeep, text: '', bytes: 0 }
  }
}

/** The replica that alone can take it: where the question was asked that this answers or is about, or where the call sleeps. */
function ownerOfMessage(item: Classified): string | null {
  if (item.kind === 'response') return ownerOf(item.message.id)
  if (item.kind === 'notification' && item.message.method === 'notifications/progress')
    return item.era === 'legacy' ? ownerOf(item.message.params.progressToken) : null
  return item.kind === 'request' && item.era === 'modern' ? ownerOf(item.message.params.requestState) : null
}

const ACCEPTED: Reply = { status: 202, text: null, headers: {} }

function batchFault(values: readonly Json[], headers: EraHeaders): GatehouseError | null {
  if (headers.version !== undefined && !hasBatches(headers.version))
    return new GatehouseError('GH_DOOR_NOT_RPC', { message: 'This protocol version has no batches' })
  if (values.length === 0 || values.length > MAX_BATCH)
    return new GatehouseError('GH_DOOR_NOT_RPC', { message: `A batch holds 1 to ${MAX_BATCH} messages` })
  if (values.some((value) => isObject(value) && value.method === 'initialize'))
    return new GatehouseError('GH_DOOR_NOT_RPC', { message: 'initialize cannot stand in a batch' })
  return null
}

export function faulty(error: GatehouseError, headers: EraHeaders): Classified & { kind: 'fault' } {
  return { kind: 'fault', era: 'legacy', version: headers.version ?? '2025-03-26', id: null, error }
}
