import type { LogRow, LogType, Receipt } from '@gatehouse/sdk'

/** One message with its legs inside, as it lies in the write-ahead log and in the database. Compact names: it is hot. */
export interface MessageRecord {
  /** UUIDv7: carries the time, so a look-up goes to one partition. The correlation id, but for `rootId`. */
  readonly id: string
  /** Of the message that this one belongs to (the answer to its question, its next round): the correlation id of both. */
  readonly rootId: string | null
  /** Milliseconds since the epoch at which the message came in. */
  readonly at: number
  readonly method: string | null
  readonly rpcId: string | null
  readonly sessionId: string | null
  readonly version: string | null
  readonly featureType: 'tool' | 'prompt' | 'resource' | null
  readonly feature: string | null
  readonly userId: string | null
  readonly userEmail: string | null
  readonly userName: string | null
  readonly teamId: string | null
  readonly hostId: string | null
  readonly hostName: string | null
  readonly clientName: string | null
  readonly clientVersion: string | null
  readonly connectionId: string | null
  readonly gatewayId: string | null
  readonly gatewayName: string | null
  readonly ip: string | null
  readonly userAgent: string | null
  /** Type of the last leg: what became of the message. */
  readonly outcome: LogType
  readonly httpStatus: number | null
  readonly durationMs: number
  readonly legs: readonly Leg[]
  /** JSON text after redaction, capped; null when the gateway captures none or a rule blocked it. */
  readonly request: CapturedBody | null
  readonly response: CapturedBody | null
  /** What it said before the rules, where the gateway keeps that; sealed before it comes here. */
  readonly originals: SealedOriginals | null
}

/**
 * What is sealed of each leg that rules could have looked at: what it said before them, and what engines looked at besides, so that
 * their verdicts can be run again. These are columns too.
 */
export const SEALED_PARTS = ['request', 'response', 'request_recorded', 'response_recorded'] as const
export type SealedPart = (typeof SEALED_PARTS)[number]
export type SealedOriginals = Readonly<Partial<Record<SealedPart, SealedBody | null>>>

export interface SealedBody {
  /** Base64; null when it is longer than what is kept of a body. */
  readonly box: string | null
  /** Of the text, bytes. */
  readonly bytes: number
}

export interface Leg {
  readonly type: LogType
  /** Milliseconds after `at`. */
  readonly offset: number
  readonly durationMs: number | null
  readonly bytes: number | null
  readonly httpStatus: number | null
  readonly rpcError: number | null
  readonly error: string | null
  readonly serverId: string | null
  readonly serverName: string | null
  readonly serverUrl: string | null
  readonly identityId: string | null
  readonly scheme: 'open' | 'shared' | 'per_user' | null
  readonly receipts: readonly Receipt[]
}

export interface CapturedBody {
  readonly text: string
  /** Size before the cap, bytes. */
  readonly bytes: number
  /** Hex SHA-256 of the whole text; null when nothing was cut. */
  readonly sha256: string | null
}

/** The part of a row's id that all rows of its message share: several messages may have one correlation id. */
export const messageOf = ({ log_id }: Pick<LogRow, 'log_id'>): string => log_id.slice(0, log_id.lastIndexOf('-'))
