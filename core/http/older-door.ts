import type { IncomingMessage } from 'node:http'
import type { Principal } from '@gatehouse/sdk'
import type { Reply } from '../call.js'
import type { Snapshot } from '../domain/snapshot.js'
import { GatehouseError } from '../errors.js'
import { classify, type Classified, type EraHeaders } from '../mcp/classify.js'
import { idOf } from '../mcp/message.js'
import { ownerOf } from '../mcp/owned-id.js'
import { isModernOrLater, LEGACY_VERSIONS } from '../mcp/versions.js'
import { readBody } from './body.js'
import type { LineHolder, OlderLine } from './older-lines.js'
import { accepts, parse } from './parse.js'
import { faulty, isWorthAsking, run, turnsAway } from './post.js'
import { send } from './send.js'
import { eraHeaders, type Visit } from './visit.js'

/**
 * HTTP with SSE, as clients of 2024-11-05 have it (2024-11-05, transports): a GET opens the one stream, whose first event names
 * the endpoint that takes their messages.
 */

/** Requests of one line under way: each is taken with 202 before it costs its client anything. */
const MOST_UNDER_WAY = 256
const PARAM = 'older'

/** Whether this gateway has lines at all. Clients of the newest era have no use for one. */
export function offersLines(visit: Visit, { gateways }: Snapshot): boolean {
  const { version } = eraHeaders(visit)
  const plan = visit.gatewayName === null ? undefined : gateways.get(visit.gatewayName)
  return (plan?.gateway.legacySse ?? false) && !(version !== undefined && isModernOrLater(version))
}

/** The line that a message is for; null: it is for none. */
export function lineIdOf({ url = '' }: IncomingMessage): string | null {
  const at = url.indexOf('?')
  return at < 0 ? null : new URLSearchParams(url.slice(at)).get(PARAM)
}

export function openLine(visit: Visit, snapshot: Snapshot, { connection, user }: Principal): void {
  const { options, req, res } = visit
  if (!accepts(req, 'text/event-stream')) throw new GatehouseError('GH_DOOR_ACCEPT')
  // Its end was told before anyone listened.
  if (res.destroyed) return
  const leave = options.places.take(user?.id ?? connection.id)
  options.standing.enter(visit)
  res.once('close', () => {
    options.standing.leave(visit)
    leave()
  })
  const path = `/mcp/${encodeURIComponent(visit.gatewayName ?? '')}`
  visit.older = options.older.open(holderOf(visit, snapshot, connection), res, (id) => `${path}?${PARAM}=${id}`)
}

/** Taken with 202 as soon as it is known whose it is; what comes of it goes out on the line. Refused before, it is told at once. */
export async function postToLine(visit: Visit, lineId: string): Promise<void> {
  const { options, req } = visit
  const snapshot = options.snapshot()
  if (isWorthAsking(visit.req) && (await turnsAway(visit, snapshot))) return
  const body = await readBody(req, snapshot.settings.limits.requestBody)
  visit.hop?.fits(body)
  const line = options.older.find(lineId)
  const [owner, patienceMs] = [ownerOf(lineId), snapshot.settings.limits.callTotal]
  // A dead owner took the stream with it: here there is none of that name either.
  if (line === null && owner !== null && (await options.toOwner.pass(owner, visit, { body, patienceMs }))) return
  visit.older = line
  options.standing.enter(visit)
  if (line !== null) line.underWay += 1
  try {
    await answer(visit, snapshot, body)
  } finally {
    if (line !== null) line.underWay -= 1
    options.standing.leave(visit)
  }
}

async function answer(visit: Visit, snapshot: Snapshot, body: Buffer): Promise<void> {
  const { older: line, res } = visit
  const text = body.toString('utf8')
  const headers = headersOf(line)
  const item = read(visit, text, headers)
  // Its answer would wait behind what nobody reads.
  if (item.kind === 'request') await line?.stream.drained()
  if (visit.gone.aborted) return
  let [leave, isFirst] = [() => {}, false]
  const welcome = ({ connection }: Principal) => {
    const isKnown = line?.isOf(holderOf(visit, snapshot, connection)) ?? false
    if (line === null || line.stream.closed || !isKnown || !offersLines(visit, snapshot)) throw unknown()
    isFirst = item.kind === 'request' && item.message.method === 'initialize'
    if (isFirst && line.isClaimed) throw notTaken('This stream has its session already')
    if (isFirst) line.isClaimed = true
    leave = visit.joinStream(line.stream)
    res.writeHead(202, { 'content-length': 0 }).end()
  }
  try {
    const arrived = { snapshot, item, headers, text, bytes: body.length, batched: false }
    const reply = await run(visit, arrived, welcome)
    if (line === null || visit.stream === null) return void (reply && send(visit, reply))
    if (isFirst) await initialized(visit, line, reply)
    else if (reply !== null && item.kind === 'request') line.stream.answer(reply.text ?? '')
  } finally {
    leave()
  }
}

/** Its client is told first, and of nothing else before. */
async function initialized({ options }: Visit, line: OlderLine, reply: Reply | null): Promise<void> {
  const { connectionId, gatewayId } = line.holder
  const id = reply?.headers['mcp-session-id']
  const session = id === undefined ? null : await options.sessions.find(id, connectionId, gatewayId)
  if (session === null) line.isClaimed = false
  if (reply !== null) line.stream.answer(reply.text ?? '')
  if (session !== null) options.older.begin(line, session)
}

function read(visit: Visit, text: string, headers: EraHeaders): Classified {
  const parsed = parse(visit.req, text)
  if (!parsed.ok) return faulty(parsed.error, headers)
  if (Array.isArray(parsed.value)) return faulty(notTaken('This transport takes one message at a time'), headers)
  const item = classify(parsed.value, headers)
  const fault = (error: GatehouseError) => ({ ...faulty(error, headers), id: idOf(parsed.value) })
  if (item.era === 'modern')
    return fault(
      new GatehouseError('GH_DOOR_VERSION', {
        message: 'This transport serves the older versions alone',
        data: { supported: LEGACY_VERSIONS.toReversed() },
      }),
    )
  if (item.kind !== 'request' || (visit.older?.underWay ?? 0) <= MOST_UNDER_WAY) return item
  return fault(
    new GatehouseError('GH_DOOR_BUSY', {
      message: `At most ${MOST_UNDER_WAY} requests of one stream may be under way`,
      data: { retryAfterMs: 1_000 },
    }),
  )
}

/** What the line knows counts, and no header: clients of its time send none. */
const headersOf = (line: OlderLine | null): EraHeaders => ({
  version: line?.version ?? LEGACY_VERSIONS[0],
  sessionId: line?.session?.id,
  method: undefined,
  name: undefined,
})

function holderOf({ gatewayName }: Visit, { gateways }: Snapshot, { id }: Principal['connection']): LineHolder {
  return { connectionId: id, gatewayId: gateways.get(gatewayName ?? '')?.gateway.id ?? '' }
}

const notTaken = (message: string) => new GatehouseError('GH_DOOR_NOT_RPC', { message })
const unknown = () =>
  new GatehouseError('GH_SESSION_UNKNOWN', { message: 'The stream of this endpoint is not open; open a new one' })
