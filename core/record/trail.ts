import { createHash, randomFillSync } from 'node:crypto'
import type { FeatureKind, LogType, Principal, Receipt } from '@gatehouse/sdk'
import { clip } from '../domain/clip.js'
import type { AssignmentPlan } from '../domain/snapshot.js'
import type { CapturedBody, Leg, MessageRecord, SealedOriginals, SealedPart } from '../domain/record.js'

/** What is known of the message when it comes in. */
export interface Arrival {
  readonly at: number
  readonly method: string | null
  readonly rpcId: string | null
  readonly ip: string | null
  readonly userAgent: string | null
  readonly bytes: number
}

export interface LegFacts {
  readonly durationMs?: number | null
  readonly bytes?: number | null
  readonly httpStatus?: number | null
  readonly rpcError?: number | null
  readonly error?: string | null
  /** Milliseconds after the arrival; now, unless told. */
  readonly offset?: number
}

/** Seals a text as a part of a message; null: its key is not at hand. */
export type SealBody = (
  place: { readonly at: number; readonly id: string; readonly leg: SealedPart },
  text: string,
) => string | null

/** Where a receipt will stand: the number of its leg and its own within it, both from 1, as in the id of its row. */
export interface ReceiptPlace {
  readonly leg: number
  readonly receipt: number
}

/** Which server a leg leads to, and as whom. */
export interface Way {
  readonly server: { readonly id: string; readonly slug: string; readonly url: string | null }
  readonly identityId: string | null
  readonly scheme: Leg['scheme']
}

export function wayOf({ server, assignment, identity }: AssignmentPlan): Way {
  const { kind } = assignment.scheme
  return { server, identityId: identity?.id ?? null, scheme: kind === 'per-user' ? 'per_user' : kind }
}

/** What clients may send at any length is cut before it is kept anywhere. */
const LONGEST_METHOD = 256
const LONGEST_ID = 256
const LONGEST_NAME = 512

const NO_RECEIPTS: readonly Receipt[] = Object.freeze([])

/**
 * Collects the facts and legs of one message on its way through the rooms and is closed once, by the pipeline, before the
 * answer is flushed. Bodies are given to it only as they left the rules.
 */
export class Trail {
  readonly at: number
  readonly #id: string
  #rootId: string | null = null
  readonly #arrival: Arrival
  readonly #method: string | null
  readonly #rpcId: string | null
  readonly #bodyLimit: number
  readonly #legs: Leg[] = []
  #principal: Principal | null = null
  #gateway: { readonly id: string; readonly name: string } | null = null
  #client: { readonly name: string | null; readonly version: string | null } | null = null
  #feature: { readonly kind: FeatureKind; readonly name: string } | null = null
  #sessionId: string | null = null
  #version: string | null = null
  #request: CapturedBody | null = null
  #response: CapturedBody | null = null
  #captures = true
  #originals: SealedOriginals | null = null
  #receipts = NO_RECEIPTS

  constructor(arrival: Arrival, bodyLimit: number) {
    const { method, rpcId } = arrival
    this.#arrival = arrival
    this.#method = method === null ? null : clip(method, LONGEST_METHOD)
    this.#rpcId = rpcId === null ? null : clip(rpcId, LONGEST_ID)
    this.#bodyLimit = bodyLimit
    this.at = arrival.at
    this.#id = uuidv7(arrival.at)
  }

  get correlationId(): string {
    return this.#rootId ?? this.#id
  }

  /** Puts it under the correlation id of another message, of which it is a part. */
  belongsTo(correlationId: string): void {
    this.#rootId = correlationId === this.#id ? null : correlationId
  }

  authenticated(
    principal: Principal,
    gateway: { readonly id: string; readonly slug: string },
    captures: boolean,
  ): void {
    this.#principal = principal
    this.#gateway = { id: gateway.id, name: gateway.slug }
    this.#captures = captures
  }

  wire(version: string, sessionId: string | null): void {
    this.#version = version
    this.#sessionId = sessionId
  }

  client(client: { readonly name: string | null; readonly version: string | null }): void {
    this.#client = client
  }

  feature(kind: FeatureKind, name: string): void {
    this.#feature = { kind, name: clip(name, LONGEST_NAME) }
  }

  /** What rules did; it goes to the next leg that is written. */
  ruled(receipts: readonly Receipt[]): void {
    if (receipts.length > 0) this.#receipts = this.#receipts.length === 0 ? receipts : [...this.#receipts, ...receipts]
  }

  takeReceipts(): readonly Receipt[] {
    const taken = this.#receipts
    this.#receipts = NO_RECEIPTS
    return taken
  }

  /** The request as it left the rules; `null` when a rule blocked it. */
  request(text: string | null): void {
    this.#request = this.#captured(text)
  }

  /** Of the first receipt that is told next: of a message that comes this far, the leg that opens stands before all others. */
  nextReceipt(): ReceiptPlace {
    return { leg: this.#legs.length + 2, receipt: this.#receipts.length + 1 }
  }

  /**
   * What a leg said before the rules. It is sealed here and now: of the plain text nothing is held. The last word counts
   * where a leg is looked at more than once.
   */
  original(leg: 'request' | 'response', text: string, seal: SealBody): void {
    const bytes = Buffer.byteLength(text)
    this.#seal(leg, bytes > this.#bodyLimit ? null : text, bytes, seal)
  }

  /**
   * What engines looked at besides, a JSON text for each verdict; sealed here and now, too. Those that fit into what is kept of a
   * body are kept, in their order; `bytes` counts them all.
   */
  recorded(leg: 'request' | 'response', texts: readonly string[], seal: SealBody): void {
    const fitting: string[] = []
    let [bytes, kept] = [1, 1]
    for (const text of texts) {
      const size = Buffer.byteLength(text) + 1
      bytes += size
      if (kept + size > this.#bodyLimit) continue
      kept += size
      fitting.push(text)
    }
    this.#seal(`${leg}_recorded`, fitting.length === 0 ? null : `[${fitting.join(',')}]`, bytes, seal)
  }

  /** Without its key it cannot be kept; what is too long (`text` is null) is counted. */
  #seal(part: SealedPart, text: string | null, bytes: number, seal: SealBody): void {
    const box = text === null ? null : seal({ at: this.at, id: this.#id, leg: part }, text)
    if (box === null && text !== null) return
    this.#originals = { ...this.#originals, [part]: { box, bytes } }
  }

  leg(type: LogType, facts: LegFacts, way: Way | null = null): void {
    this.#legs.push({
      type,
      offset: Math.max(0, facts.offset ?? Date.now() - this.at),
      durationMs: facts.durationMs ?? null,
      bytes: facts.bytes ?? null,
      httpStatus: facts.httpStatus ?? null,
      rpcError: facts.rpcError ?? null,
      error: facts.error ?? null,
      serverId: way?.server.id ?? null,
      serverName: way?.server.slug ?? null,
      serverUrl: way?.server.url ?? null,
      identityId: way?.identityId ?? null,
      scheme: way?.scheme ?? null,
      receipts: this.takeReceipts(),
    })
  }

  /** The first leg: it stands before all others, whatever happened since. */
  opened(
    failed: { readonly httpStatus: number; readonly rpcError: number | null; readonly error: string } | null,
  ): void {
    this.#legs.unshift({
      type: failed === null ? 'proxy_request_success' : 'proxy_request_error',
      offset: 0,
      durationMs: null,
      bytes: this.#arrival.bytes,
      httpStatus: failed?.httpStatus ?? null,
      rpcError: failed?.rpcError ?? null,
      error: failed?.error ?? null,
      serverId: null,
      serverName: null,
      serverUrl: null,
      identityId: null,
      scheme: null,
      receipts: NO_RECEIPTS,
    })
  }

  /** `response` is the text that goes to the client; `null` keeps it out of the record. */
  close(outcome: LogType, httpStatus: number, response: string | null): MessageRecord {
    this.#response = this.#captured(response)
    const user = this.#principal?.user ?? null
    return {
      id: this.#id,
      rootId: this.#rootId,
      at: this.at,
      method: this.#method,
      rpcId: this.#rpcId,
      sessionId: this.#sessionId,
      version: this.#version,
      featureType: this.#feature?.kind ?? null,
      feature: this.#feature?.name ?? null,
      userId: user?.id ?? null,
      userEmail: user?.email ?? null,
      userName: user?.name ?? null,
      teamId: user?.teams[0] ?? null,
      hostId: this.#principal?.host.id ?? null,
      hostName: this.#principal?.host.name ?? null,
      clientName: this.#client?.name ?? null,
      clientVersion: this.#client?.version ?? null,
      connectionId: this.#principal?.connection.id ?? null,
      gatewayId: this.#gateway?.id ?? null,
      gatewayName: this.#gateway?.name ?? null,
      ip: this.#arrival.ip,
      userAgent: this.#arrival.userAgent,
      outcome,
      httpStatus,
      durationMs: Math.max(0, Date.now() - this.at),
      legs: this.#legs,
      request: this.#request,
      response: this.#response,
      originals: this.#originals,
    }
  }

  #captured(text: string | null): CapturedBody | null {
    if (text === null || !this.#captures) return null
    // A UTF-16 unit is at most three bytes: a short text needs no exact count.
    if (text.length * 3 <= this.#bodyLimit) return { text, bytes: Buffer.byteLength(text), sha256: null }
    const bytes = Buffer.from(text)
    if (bytes.length <= this.#bodyLimit) return { text, bytes: bytes.length, sha256: null }
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { text: bytes.subarray(0, wholeUntil(bytes, this.#bodyLimit)).toString('utf8'), bytes: bytes.length, sha256 }
  }
}

/** The last place at or before `limit` that cuts no character in two. */
function wholeUntil(bytes: Buffer, limit: number): number {
  let end = limit
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return end
}

const pool = Buffer.alloc(16 * 256)
let used = pool.length

/** RFC 9562, section 5.7: 48 bits of time, 74 random ones. */
export function uuidv7(at: number): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = pool.subarray(used, (used += 16))
  bytes.writeUIntBE(at, 0, 6)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
