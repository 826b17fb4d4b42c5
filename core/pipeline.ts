import type {
  Authenticated,
  Answered,
  Inbound,
  Inspected,
  InSession,
  Permitted,
  Released,
  Reply,
  Routed,
} from './call.js'
import type { MessageRecord } from './domain/record.js'
import type { Recorder } from './record/types.js'
import type { Answer } from './rooms/answer.js'
import { OWN_METHODS } from './rooms/answer.js'
import type { Connect } from './rooms/connect.js'
import type { Aside, Forward } from './rooms/forward.js'
import type { Hear } from './rooms/hear.js'
import { LISTEN_METHOD, type Listen } from './rooms/listen.js'
import { LIST_METHODS, type List } from './rooms/list.js'
import type { Respond, Response } from './rooms/respond.js'
import { FEATURE_METHODS } from './rooms/route.js'
import { SETTING_METHODS, type Subscribe } from './rooms/subscribe.js'
import { asGatehouseError, GatehouseError } from './errors.js'

/** The rooms of the house, each a function from one type of call to the next. */
export interface Rooms {
  readonly authenticate: (call: Inbound) => Authenticated | Promise<Authenticated>
  readonly session: (call: Authenticated) => InSession | Promise<InSession>
  readonly route: (call: InSession) => Routed | Promise<Routed>
  readonly permit: (call: Routed) => Permitted
  readonly inspectRequest: (call: Permitted) => Inspected | Promise<Inspected>
  readonly forward: Forward
  readonly relay: (call: Inspected) => Relay
  readonly connect: Connect
  readonly inspectResponse: (call: Answered) => Released | Promise<Released>
  readonly hear: Hear
  readonly list: List
  readonly answer: Answer
  readonly subscribe: Subscribe
  readonly listen: Pick<Listen, 'open'>
  readonly respond: Respond
}

/** What passes before the answer, inspected like it: notes in order, questions and their answers. `settled` waits for the last note. */
export interface Relay extends Aside {
  readonly settled: () => Promise<void> | undefined
}

/** Told of every refusal, for the log: the answer has neither `detail` nor `cause`. Must not throw. */
export type OnRefused = (correlationId: string, error: GatehouseError) => void

export type Pipeline = (call: Inbound) => Promise<Reply>

/**
 * The way of every message, and the one funnel of its failures. The record is written before the answer leaves: what a
 * client has seen is on record, a refusal too.
 */
export function createPipeline(rooms: Rooms, recorder: Recorder, onRefused: OnRefused): Pipeline {
  const refuse = (call: Inbound, thrown: unknown): Response => {
    onRefused(call.trail.correlationId, asGatehouseError(thrown))
    return rooms.respond.refused(call, thrown)
  }
  return async (call) => {
    let response: Walked
    try {
      response = await walk(rooms, call)
    } catch (thrown) {
      response = refuse(call, thrown)
    }
    try {
      await recorder.append(close(call, response))
      return response.stay === undefined ? response.reply : await response.stay.tell()
    } catch (thrown) {
      response.stay?.abandon()
      return refuse(call, thrown).reply
    }
  }
}

/** With `stay` the reply is only what a stream begins with: it is on record by then, and not when it ends. */
interface Walked extends Response {
  readonly stay?: { readonly tell: () => Promise<Reply>; readonly abandon: () => void }
}

async function walk(rooms: Rooms, inbound: Inbound): Promise<Walked> {
  const authenticated = await rooms.authenticate(inbound)
  const call = await rooms.session(authenticated)
  if (call.id === null) {
    rooms.hear(call)
    return rooms.respond.accepted()
  }
  if (FEATURE_METHODS.has(call.method)) return answer(rooms, call)
  if (call.session !== null && call.method === 'resources/subscribe') {
    const inspected = await rooms.inspectRequest(rooms.permit(await rooms.route(call)))
    return rooms.respond.own(call, await rooms.subscribe.resource(inspected), {})
  }
  if (call.session !== null && SETTING_METHODS.has(call.method))
    return rooms.respond.own(call, await rooms.subscribe.set(call), {})
  if (call.method === LISTEN_METHOD) return stay(rooms, call)
  if (LIST_METHODS.has(call.method)) return rooms.respond.own(call, await rooms.list(call), {})
  if (!OWN_METHODS.has(call.method)) throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD', { message: 'Method not found' })
  const { result, headers } = await rooms.answer(call)
  return rooms.respond.own(call, result, headers)
}

/** A call that lacks a credential is answered with the way to give it. */
async function answer(rooms: Rooms, call: InSession): Promise<Response> {
  try {
    return rooms.respond.released(await use(rooms, call))
  } catch (thrown) {
    return rooms.respond.own(call, rooms.connect(call, thrown), {})
  }
}

/** The way of a call to the server that has the feature, and back. */
async function use(rooms: Rooms, call: InSession): Promise<Released> {
  const routed = await rooms.route(call)
  const permitted = rooms.permit(routed)
  const inspected = await rooms.inspectRequest(permitted)
  const relay = rooms.relay(inspected)
  let unseen: (() => void) | undefined
  try {
    const answered = await rooms.forward(inspected, relay)
    unseen = answered.reply.unseen
    const released = await rooms.inspectResponse(answered)
    const noted = relay.settled()
    if (noted !== undefined) await noted
    if (released.gone.aborted) unseen?.()
    return released
  } catch (thrown) {
    unseen?.()
    await relay.settled()
    throw thrown
  }
}

async function stay(rooms: Rooms, call: InSession): Promise<Walked> {
  const { acknowledged, tell, abandon } = await rooms.listen.open(call)
  const last = async () => {
    call.notify?.(acknowledged)
    return rooms.respond.own(call, await tell(), {}).reply
  }
  return { ...rooms.respond.opened(acknowledged), stay: { tell: last, abandon } }
}

/** Four legs for a call that reached a server; what was refused before has no `mcp_*` legs, a stranger only the refusal. */
function close(call: Inbound, response: Response): MessageRecord {
  const { reply, outcome, rpcError, error } = response
  const { trail } = call
  if (outcome !== 'auth_refused')
    trail.opened(call.fault === null ? null : { httpStatus: reply.status, rpcError, error: call.fault.code })
  trail.leg(outcome, {
    durationMs: Date.now() - trail.at,
    bytes: reply.text === null ? 0 : Buffer.byteLength(reply.text),
    httpStatus: reply.status,
    rpcError,
    error,
  })
  return trail.close(outcome, reply.status, response.keepsBody ? reply.text : null)
}
