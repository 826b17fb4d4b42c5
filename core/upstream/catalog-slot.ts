import { createHash } from 'node:crypto'
import type { JsonObject } from '@gatehouse/sdk'
import type { Server } from '../domain/nouns.js'
import type { ListKind } from '../domain/store.js'
import type { ErrorCode, GatehouseError } from '../errors.js'
import type { ReadList } from './catalog-read.js'
import { LISTS } from './catalog-types.js'

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000

/** What was last seen of one list, as one credential sees it, and how asking for it goes. */
export interface Slot {
  readonly server: Server
  /** The `slotKey` of those who see it so. */
  readonly key: string
  readonly kind: ListKind
  seen: SeenList | null
  /** Milliseconds since the epoch; 0 when it has to be asked for again. */
  freshUntil: number
  /** Rises when the server says that the list changed: an answer begun before is of the past. */
  generation: number
  flight: Flight | null
  /** Every question that is not answered yet, those too that a change has overtaken. */
  readonly underway: Set<Promise<void>>
  trouble: Trouble | null
  /** Settles when the list of the run before was looked up. */
  restored: Promise<void>
  savedHash: string | null
  usedAt: number
}

export interface SeenList extends ReadList {
  readonly at: number
  readonly byId: ReadonlyMap<string, JsonObject>
  readonly hash: string
}

/** A question on its way; never rejects. */
export interface Flight {
  readonly startedAt: number
  readonly abort: AbortController
  readonly promise: Promise<void>
  /** Somebody did not wait for it: whoever asked has to be told that there is news. */
  abandoned: boolean
}

/** Why a server cannot be listed, since when, and when it is worth asking again. */
export interface Trouble {
  readonly code: ErrorCode
  readonly reason: string
  readonly since: number
  readonly failures: number
  readonly retryAt: number
}

export function worsen(trouble: Trouble | null, error: GatehouseError, now: number): Trouble {
  const failures = (trouble?.failures ?? 0) + 1
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(failures - 1, 10))
  return { code: error.code, reason: error.message, since: trouble?.since ?? now, failures, retryAt: now + pause }
}

export function seenList(list: ReadList, kind: ListKind, at: number): SeenList {
  const id = LISTS[kind].id
  const byId = new Map(list.entries.map((entry) => [String(entry[id]), entry]))
  const hash = createHash('sha256').update(JSON.stringify(list.entries)).digest('hex')
  return { ...list, at, byId, hash }
}
