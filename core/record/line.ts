import { SEALED_PARTS } from '../domain/record.js'
import type { CapturedBody, Leg, MessageRecord, SealedBody, SealedOriginals, SealedPart } from '../domain/record.js'

/**
 * A record as one line of JSON; fields that are null are mostly left out. Written by hand since it is made for every
 * message: what comes again and again (who, which server) is quoted once. A test holds it against `JSON.stringify`.
 */
export function lineOf(record: MessageRecord): string {
  const { request, response, originals } = record
  return (
    `{"id":"${record.id}","at":${record.at},"rpcId":${JSON.stringify(record.rpcId)}` +
    (record.rootId === null ? '' : `,"rootId":"${record.rootId}"`) +
    whatOf(record) +
    whoOf(record) +
    `,"outcome":"${record.outcome}","httpStatus":${JSON.stringify(record.httpStatus)}` +
    `,"durationMs":${JSON.stringify(record.durationMs)},"legs":[${legsOf(record.legs)}]` +
    (request === null ? '' : `,"request":${bodyOf(request)}`) +
    (response === null ? '' : `,"response":${bodyOf(response)}`) +
    (originals === null ? '}' : `,"originals":${originalsOf(originals)}}`)
  )
}

/**
 * Texts that were made for a set of values, kept as long as the same values come again. Of what they were made from only
 * `factsOf` is kept: a whole record holds bodies.
 */
class Fragments<T extends object> {
  readonly #kept = new Map<string | null, { readonly from: T; readonly text: string }>()
  constructor(
    private readonly factsOf: (from: T) => T,
    private readonly isSame: (a: T, b: T) => boolean,
    private readonly make: (from: T) => string,
  ) {}

  of(key: string | null, from: T): string {
    const known = this.#kept.get(key)
    if (known !== undefined && this.isSame(known.from, from)) return known.text
    const text = this.make(from)
    // Keys come from clients, too: then all are learnt anew.
    if (this.#kept.size >= MOST) this.#kept.clear()
    this.#kept.set(key, { from: this.factsOf(from), text })
    return text
  }
}

const MOST = 4_096

const what = new Fragments<Pick<MessageRecord, 'method' | 'feature' | 'featureType'>>(
  ({ method, feature, featureType }) => ({ method, feature, featureType }),
  (a, b) => a.method === b.method && a.feature === b.feature && a.featureType === b.featureType,
  (r) => text('method', r.method) + text('featureType', r.featureType) + text('feature', r.feature),
)
const whatOf = (record: MessageRecord) => what.of(record.feature ?? record.method, record)

const WHO = [
  'sessionId',
  'version',
  'userId',
  'userEmail',
  'userName',
  'teamId',
  'hostId',
  'hostName',
  'clientName',
  'clientVersion',
  'connectionId',
  'gatewayId',
  'gatewayName',
  'ip',
  'userAgent',
] as const
const who = new Fragments<Pick<MessageRecord, (typeof WHO)[number]>>(
  (record) => pick(record, WHO),
  (a, b) =>
    a.sessionId === b.sessionId &&
    a.connectionId === b.connectionId &&
    a.version === b.version &&
    a.ip === b.ip &&
    a.userAgent === b.userAgent &&
    a.clientName === b.clientName &&
    a.clientVersion === b.clientVersion &&
    a.userId === b.userId &&
    a.userEmail === b.userEmail &&
    a.userName === b.userName &&
    a.teamId === b.teamId &&
    a.hostId === b.hostId &&
    a.hostName === b.hostName &&
    a.gatewayId === b.gatewayId &&
    a.gatewayName === b.gatewayName,
  (record) => WHO.map((key) => text(key, record[key])).join(''),
)
const whoOf = (record: MessageRecord) => who.of(record.sessionId ?? record.connectionId, record)

const WAY = ['serverId', 'serverName', 'serverUrl', 'identityId', 'scheme'] as const
const way = new Fragments<Pick<Leg, (typeof WAY)[number]>>(
  (leg) => pick(leg, WAY),
  (a, b) =>
    a.serverId === b.serverId &&
    a.serverName === b.serverName &&
    a.serverUrl === b.serverUrl &&
    a.identityId === b.identityId &&
    a.scheme === b.scheme,
  (leg) =>
    text('serverId', leg.serverId) +
    text('serverName', leg.serverName) +
    text('serverUrl', leg.serverUrl) +
    text('identityId', leg.identityId) +
    text('scheme', leg.scheme),
)

function legsOf(legs: readonly Leg[]): string {
  let all = ''
  for (const leg of legs) all += all === '' ? legOf(leg) : `,${legOf(leg)}`
  return all
}

function legOf(leg: Leg): string {
  return (
    `{"type":"${leg.type}","offset":${leg.offset}` +
    number('durationMs', leg.durationMs) +
    number('bytes', leg.bytes) +
    number('httpStatus', leg.httpStatus) +
    number('rpcError', leg.rpcError) +
    text('error', leg.error) +
    (leg.serverId === null ? '' : way.of(leg.serverId, leg)) +
    (leg.receipts.length === 0 ? '}' : `,"receipts":${JSON.stringify(leg.receipts)}}`)
  )
}

const pick = <T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> =>
  Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>

const text = (key: string, value: string | null) => (value === null ? '' : `,"${key}":${JSON.stringify(value)}`)
const number = (key: string, value: number | null) => (value === null ? '' : `,"${key}":${JSON.stringify(value)}`)

function bodyOf({ text, bytes, sha256 }: CapturedBody): string {
  return `{"text":${JSON.stringify(text)},"bytes":${bytes}${sha256 === null ? '}' : `,"sha256":"${sha256}"}`}`
}

/** Base64 and numbers: nothing in it has to be quoted. */
function originalsOf(originals: SealedOriginals): string {
  const parts = SEALED_PARTS.flatMap((part) => sealedOf(part, originals[part] ?? null))
  return `{${parts.join(',')}}`
}

function sealedOf(part: SealedPart, body: SealedBody | null): readonly string[] {
  if (body === null) return []
  return [`"${part}":{${body.box === null ? '' : `"box":"${body.box}",`}"bytes":${body.bytes}}`]
}
