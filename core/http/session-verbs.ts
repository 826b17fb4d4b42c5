import type { JsonObject, Principal } from '@gatehouse/sdk'
import type { LegacySession, Reply } from '../call.js'
import { GatehouseError } from '../errors.js'
import type { Classified } from '../mcp/classify.js'
import { ownerOf } from '../mcp/owned-id.js'
import { inbound } from './inbound.js'
import { offersLines, openLine } from './older-door.js'
import { accepts } from './parse.js'
import { send } from './send.js'
import { eraHeaders, oneHeader, type Visit } from './visit.js'

/**
 * GET and DELETE belong to legacy sessions, and GET to clients of 2024-11-05; other verbs to nobody. The caller is
 * authenticated like any other, by way of a ping: a challenge comes before every other answer.
 */
export async function aboutSession(visit: Visit): Promise<void> {
  const { req, res, options, gone, hop } = visit
  const headers = eraHeaders(visit)
  const snapshot = options.snapshot()
  hop?.fits(NOTHING)
  const lastEventId = req.method === 'GET' ? oneHeader(req, 'last-event-id') : undefined
  const owner = ownerOf(lastEventId)
  if (owner !== null && (await options.toOwner.pass(owner, visit, { body: NOTHING }))) return
  let session: LegacySession | null = null as LegacySession | null
  let caller: Principal | null = null as Principal | null
  const ping = { snapshot, item: pingOf(headers.version), headers, text: '', bytes: 0, batched: false }
  const reply = await options.pipeline(
    inbound(visit, ping, { gone, ask: null, joins: (...found) => void ([caller, session] = found) }),
  )
  if (reply.status !== 200) return send(visit, withoutId(reply))
  if (req.method !== 'GET' && req.method !== 'DELETE') throw notServed('POST, GET, DELETE')
  if (session === null && req.method === 'GET' && caller !== null && offersLines(visit, snapshot))
    return openLine(visit, snapshot, caller)
  if (session === null) throw notServed('POST')
  if (req.method === 'DELETE') {
    await options.sessions.end(session.id)
    res.writeHead(200, { 'content-length': 0 }).end()
    return
  }
  if (!accepts(req, 'text/event-stream')) throw new GatehouseError('GH_DOOR_ACCEPT')
  // Its end was told before anyone listened.
  if (res.destroyed) return
  const leave = options.places.take()
  options.standing.enter(visit)
  res.once('close', () => {
    options.standing.leave(visit)
    leave()
  })
  options.lines.open(session, res, lastEventId)
}

/** The ping's id is ours: its client has asked nothing that has one. */
function withoutId({ text, ...rest }: Reply): Reply {
  return { ...rest, text: text === null ? null : JSON.stringify({ ...(JSON.parse(text) as JsonObject), id: null }) }
}

const NOTHING = Buffer.alloc(0)
const PING = { kind: 'request' as const, id: 0, method: 'ping', params: {} }

/** Asks for nothing but who is asking. */
export const pingOf = (version: string | undefined): Classified => ({
  kind: 'request',
  era: 'legacy',
  version: version ?? '2025-03-26',
  message: PING,
})

export const notServed = (allow: string): GatehouseError => new GatehouseError('GH_DOOR_METHOD', { data: { allow } })
