import type { Credentials } from '@gatehouse/sdk'
import type { Gone, Inbound } from '../call.js'
import { clip } from '../domain/clip.js'
import type { Snapshot } from '../domain/snapshot.js'
import type { Classified, EraHeaders } from '../mcp/classify.js'
import type { Ask } from '../mcp/questions.js'
import { Trail } from '../record/trail.js'
import { oneHeader, type Visit } from './visit.js'

/** One message of a visit, as it was read. */
export interface Arrived {
  readonly snapshot: Snapshot
  readonly item: Classified
  readonly headers: EraHeaders
  readonly text: string
  readonly bytes: number
  readonly batched: boolean
}

/** How the call stays in touch with its client. */
export interface Touch {
  readonly gone: Gone
  readonly ask: Ask | null
  readonly joins: Inbound['joins']
}

/** A message as the rooms take it: nothing in it is believed yet. */
export function inbound(visit: Visit, arrived: Arrived, { gone, ask, joins }: Touch): Inbound {
  const { item, headers, snapshot, text, batched } = arrived
  const message = item.kind === 'fault' ? null : item.message
  const method = message === null || message.kind === 'response' ? null : message.method
  const limits = snapshot.settings.limits
  return {
    room: 'door',
    era: item.era,
    version: item.version,
    id: message?.kind === 'response' ? null : idOf(item),
    method: method ?? 'notifications/response',
    params: message === null || message.kind === 'response' ? {} : message.params,
    text,
    fault: item.kind === 'fault' ? item.error : null,
    tolerated: (item.kind === 'request' ? item.tolerated : undefined) ?? null,
    credentials: credentialsOf(visit, snapshot),
    gatewayName: visit.gatewayName,
    sessionId: item.era === 'modern' ? null : (headers.sessionId ?? null),
    batched,
    snapshot,
    deadline: visit.at + limits.call,
    gone,
    notify: takesEvents(visit) ? (note) => visit.openStream().note(note) : null,
    ask,
    answer: message?.kind === 'response' ? { id: message.id, body: message.body } : null,
    flow: takesEvents(visit) ? visit : null,
    interrupt: takesEvents(visit) && !batched ? visit.interrupt : null,
    joins,
    trail: trailOf(visit, arrived, method),
  }
}

/** Only a client that says so, or has a stream already: what it gets unasked is an event stream. */
export const takesEvents = ({ req, older }: Visit): boolean =>
  older !== null || (req.headers.accept?.includes('text/event-stream') ?? false)

const idOf = (item: Classified): string | number | null =>
  item.kind === 'fault' ? item.id : item.message.kind === 'notification' ? null : item.message.id

function trailOf({ req, at, address }: Visit, { item, snapshot, bytes }: Arrived, method: string | null): Trail {
  const id = idOf(item)
  const userAgent = clip(req.headers['user-agent'] ?? '', 300) || null
  const arrival = { at, method, rpcId: id === null ? null : String(id), ip: address, userAgent, bytes }
  return new Trail(arrival, snapshot.settings.limits.bodyInLog)
}

function credentialsOf({ req, gatewayName, address }: Visit, snapshot: Snapshot): Credentials {
  const plan = gatewayName === null ? undefined : snapshot.gateways.get(gatewayName)
  return {
    authorization: req.headers.authorization,
    header: (name) => oneHeader(req, name.toLowerCase()),
    address,
    gatewayId: plan?.gateway.id ?? null,
  }
}
