import type { IncomingMessage, ServerResponse } from 'node:http'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { allowOrigin, answerPreflight } from './cors.js'
import { inbound } from './inbound.js'
import { lineIdOf, offersLines, postToLine } from './older-door.js'
import { post } from './post.js'
import { refuse } from './send.js'
import { aboutSession, pingOf } from './session-verbs.js'
import { createStanding } from './standing.js'
import { type DoorOptions, type DoorParts, eraHeaders, Visit } from './visit.js'

export type Door = (req: IncomingMessage, res: ServerResponse, gatewayName: string | null) => Promise<void>

/** The MCP door: bytes in, `Inbound` to the pipeline, bytes out. Everything it refuses is answered as JSON-RPC. */
export function createDoor(options: DoorOptions): Door {
  const standing = createStanding<Visit>({ stillEnters, end: (visit) => visit.cut() })
  const parts = { ...options, standing }
  return async (req, res, gatewayName) => {
    try {
      await admit(parts, req, res, gatewayName)
    } catch (thrown) {
      refuse(res, thrown, options.onBroken)
    }
  }
}

async function admit(options: DoorParts, req: IncomingMessage, res: ServerResponse, gatewayName: string | null) {
  const { origin, host } = req.headers
  const hop = options.toOwner.arrived(req)
  if (hop === null && !(options.names.hostIsOurs(host) && options.names.originIsOurs(origin)))
    throw new GatehouseError('GH_DOOR_ORIGIN')
  if (origin !== undefined) allowOrigin(res, origin)
  if (req.method === 'OPTIONS') return answerPreflight(req, res)
  const late = options.catchUp()
  if (late !== null) await late
  const visit = new Visit(options, { req, res, hop }, gatewayName)
  const lineId = req.method === 'POST' ? lineIdOf(req) : null
  if (options.draining() && (req.method !== 'POST' || lineId !== null)) throw new GatehouseError('GH_DOOR_DRAINING')
  if (req.method !== 'POST') return aboutSession(visit)
  return lineId === null ? post(visit) : postToLine(visit, lineId)
}

/** A failure that says nothing of the caller's right (the database is away) ends nobody. */
async function stillEnters(visit: Visit): Promise<boolean> {
  const { snapshot, authenticate } = visit.options
  if (visit.older !== null && !offersLines(visit, snapshot())) return false
  const headers = eraHeaders(visit)
  const ping = { snapshot: snapshot(), item: pingOf(undefined), headers, text: '', bytes: 0, batched: false }
  try {
    await authenticate(inbound(visit, ping, { gone: visit.gone, ask: null, joins: () => undefined }))
    return true
  } catch (thrown) {
    return ![401, 403].includes(asGatehouseError(thrown).entry.http)
  }
}
