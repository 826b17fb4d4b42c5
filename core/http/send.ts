import type { ServerResponse } from 'node:http'
import type { JsonObject } from '@gatehouse/sdk'
import type { Reply } from '../call.js'
import { asGatehouseError, retryAfter } from '../errors.js'
import { EventStream } from './event-stream.js'
import { accepts, prefersEvents } from './parse.js'
import type { Visit } from './visit.js'

/** The answer: into the event stream when one is open. */
export function send(visit: Visit, reply: Reply): void {
  const { res } = visit
  if (visit.stream !== null) return visit.stream.end(reply.text ?? undefined)
  if (res.destroyed) return
  if (reply.text === null) {
    res.writeHead(reply.status, { ...reply.headers, 'content-length': 0 }).end()
    return
  }
  // One event for a client that takes nothing else, and for a session whose client likes streams better: it can come back.
  const isStream = !accepts(visit.req, 'application/json') || (visit.session !== null && prefersEvents(visit.req))
  if (reply.status === 200 && isStream) {
    visit.openStream(reply.headers).end(reply.text)
    return
  }
  const bytes = Buffer.byteLength(reply.text)
  res.writeHead(reply.status, { ...reply.headers, 'content-type': 'application/json', 'content-length': bytes })
  // A reader that takes nothing of it for that long is cut off.
  if (bytes > LARGE) res.setTimeout(STALLED_MS, () => res.destroy())
  res.end(reply.text)
}

/** What certainly does not fit into the buffers of the system. */
const LARGE = 64 * 1024
const STALLED_MS = 60_000

/**
 * A request that was taken back gets no response (2025-11-25, cancellation): an event stream without one where the client
 * takes streams, since JSON would have to hold one; 202 otherwise.
 */
export function sendNothing(visit: Visit, takesEvents: boolean): void {
  const { res } = visit
  // Nobody shall come back for it.
  if (visit.stream !== null) return visit.stream.drop()
  if (res.destroyed) return
  if (takesEvents) {
    const empty = new EventStream()
    empty.attach(res)
    empty.end()
    return
  }
  res.writeHead(202, { 'content-length': 0 }).end()
}

/** What is refused before there is a call to put on record. */
export function refuse(res: ServerResponse, thrown: unknown, onBroken: (thrown: unknown) => void): void {
  const error = asGatehouseError(thrown)
  if (error.code === 'GH_INTERNAL') onBroken(thrown)
  if (res.headersSent || res.destroyed) return void res.destroy()
  const body: JsonObject = { jsonrpc: '2.0', id: null, error: { code: error.entry.rpc, message: error.message } }
  const text = JSON.stringify(body)
  res.writeHead(error.entry.http, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(typeof error.data?.allow === 'string' ? { allow: error.data.allow } : {}),
    ...retryAfter(error),
    // The rest of a refused body is not read: the connection ends with the answer.
    ...(error.code === 'GH_DOOR_TOO_LARGE' ? { connection: 'close' } : {}),
  })
  res.end(text)
}
