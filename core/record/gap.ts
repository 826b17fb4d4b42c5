import type { MessageRecord } from '../domain/record.js'
import { uuidv7 } from './trail.js'

/** What could not be written, from the first failure until bytes went through again. */
export interface Overflow {
  /** Messages that went on without a record (`fast`). */
  readonly lost: number
  /** Messages that were refused for want of a record (`strict`). */
  readonly refused: number
  /** `disk`: the system refused the bytes; `bound`: the log is as large as it may become. */
  readonly reason: 'disk' | 'bound'
  /** Milliseconds since the epoch. */
  readonly since: number
}

/** The record that stands for those that are missing, so that the log itself tells of its gap. */
export function gapRecord({ lost, reason, since }: Overflow, now: number): MessageRecord {
  const cause = reason === 'disk' ? 'the disk refused them' : 'the log had reached its bound'
  return {
    ...nobody,
    id: uuidv7(now),
    at: now,
    method: 'gatehouse/gap',
    outcome: 'proxy_request_error',
    durationMs: now - since,
    legs: [
      {
        ...nowhere,
        type: 'proxy_request_error',
        durationMs: now - since,
        error: `${lost} messages from ${new Date(since).toISOString()} on are not in the record: ${cause}`,
      },
    ],
  }
}

const nobody = {
  rootId: null,
  rpcId: null,
  sessionId: null,
  version: null,
  featureType: null,
  feature: null,
  userId: null,
  userEmail: null,
  userName: null,
  teamId: null,
  hostId: null,
  hostName: null,
  clientName: null,
  clientVersion: null,
  connectionId: null,
  gatewayId: null,
  gatewayName: null,
  ip: null,
  userAgent: null,
  httpStatus: null,
  request: null,
  response: null,
  originals: null,
} as const

const nowhere = {
  offset: 0,
  bytes: null,
  httpStatus: null,
  rpcError: null,
  serverId: null,
  serverName: null,
  serverUrl: null,
  identityId: null,
  scheme: null,
  receipts: [],
} as const
