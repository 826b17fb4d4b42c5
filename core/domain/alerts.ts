import type { Alert, JsonObject } from '@gatehouse/sdk'
import type { FloodLimits } from './flood.js'

export type AlertState = 'open' | 'acknowledged' | 'resolved'

/** An alert with its repeats, and with the names of what it is about while those are there. */
export interface StandingAlert {
  readonly id: string
  readonly type: Alert['type']
  readonly severity: Alert['severity']
  readonly key: string
  readonly message: string
  readonly gatewayId: string | null
  readonly gateway: string | null
  readonly serverId: string | null
  readonly server: string | null
  readonly ruleId: string | null
  readonly rule: string | null
  readonly connectionId: string | null
  readonly userId: string | null
  readonly user: string | null
  readonly correlationId: string | null
  readonly context: JsonObject
  readonly count: number
  readonly state: AlertState
  readonly firstAt: string
  readonly lastAt: string
  readonly stateAt: string
}

/** So many repeats of an alert, as the last one says; of no two the same type and key. */
export interface Raised {
  readonly alert: Alert
  readonly times: number
  /** The replica that found it out and has to say, too, that it is over. */
  readonly holder?: string | undefined
}
/** `isToCarry`: receivers are to be told now, and stand in the queue. */
export type RaisedRow = Pick<StandingAlert, 'id' | 'type' | 'key' | 'count' | 'state' | 'firstAt' | 'lastAt'> & {
  readonly isToCarry: boolean
}

export interface AlertFilter {
  readonly states?: readonly AlertState[] | undefined
  readonly severities?: readonly Alert['severity'][] | undefined
  readonly types?: readonly Alert['type'][] | undefined
  readonly gatewayId?: string | undefined
  readonly serverId?: string | undefined
  readonly ruleId?: string | undefined
  readonly userId?: string | undefined
  /** Of the last repeat; milliseconds since the epoch. */
  readonly since?: number | undefined
  readonly until?: number | undefined
}

/** Who changes a state; null: the gateway itself. */
export interface StateChange {
  readonly state: AlertState
  readonly by: { readonly id: string; readonly email: string } | null
  readonly note: string | null
}
export interface StateEntry {
  readonly state: AlertState
  readonly at: string
  readonly userId: string | null
  readonly email: string | null
  readonly note: string | null
}
export type AlertCounts = Readonly<Record<'open' | 'acknowledged', Readonly<Record<Alert['severity'], number>>>>

export interface AlertRepository {
  /** Repeats of one that is not resolved raise its count, in one statement; receivers are queued with them. */
  raise(raised: readonly Raised[]): Promise<readonly RaisedRow[]>
  find(id: string): Promise<StandingAlert | null>
  /** Newest first; `before` is the last of the page before. */
  page(
    filter: AlertFilter & {
      readonly before?: Pick<StandingAlert, 'id' | 'lastAt'> | undefined
      readonly limit: number
    },
  ): Promise<StandingAlert[]>
  counts(): Promise<AlertCounts>
  /** What was raised, repeated or changed since a cursor, oldest change first; null: only where the feed ends now. */
  follow(
    cursor: string | null,
    filter: AlertFilter,
  ): Promise<{ readonly items: StandingAlert[]; readonly cursor: string }>
  history(id: string): Promise<StateEntry[]>
  /** GH_API_NOT_FOUND, or GH_API_CONFLICT when its state does not lead there. What is so already stays as it is. */
  setState(id: string, change: StateChange): Promise<StandingAlert>
  /** Of those that are open and fit, at most 10,000; answers how many. */
  acknowledgeAll(
    filter: AlertFilter & { readonly ids?: readonly string[] | undefined },
    by: StateChange['by'],
    note: string | null,
  ): Promise<number>
  /**
   * What the alert of this key told of is over, says the holder; false when none stands or another replica that lives still
   * holds it.
   */
  resolve(type: Alert['type'], key: string, holder?: string): Promise<boolean>
  /** Those that stand though every replica that held them is dead. */
  forsaken(): Promise<readonly Pick<Alert, 'type' | 'key'>[]>
  /** Resolves what has not repeated for so many days, and forgets what was resolved before; answers how many went. */
  forget(days: number, limit: number): Promise<number>
}

/** One message to a target: an alert, or the digest of several. `id` stays the same until it is delivered. */
export interface AlertMessage {
  readonly id: string
  /** 1 for the first try. */
  readonly attempt: number
  /** Milliseconds since it was first due. */
  readonly ageMs: number
  readonly total: number
  readonly bySeverity: Readonly<Record<Alert['severity'], number>>
  /** The gravest, then the newest; at most 20. */
  readonly alerts: readonly StandingAlert[]
  /** The last thing that was tried at this target did not go well. */
  readonly wasFailing: boolean
}

export interface DeliveryFailure {
  readonly message: string
  readonly status: number | null
}

/** How far delivery to a target is. */
export interface AlertProgress {
  readonly waiting: number
  readonly waitingSince: string | null
  readonly delivered: number
  readonly lastSuccess: string | null
  readonly lastError: { readonly at: string; readonly message: string; readonly status: number | null } | null
  readonly deadLetters: number
}

/** The queue of what targets have yet to be told. */
export interface AlertQueue {
  /** Targets for which there may be something to do now. */
  due(limits: FloodLimits): Promise<readonly string[]>
  /** The next message of a target; until it is settled, or for `leaseMs`, no other replica is given any of that target. */
  claim(targetId: string, limits: FloodLimits & { readonly leaseMs: number }): Promise<AlertMessage | null>
  delivered(targetId: string, messageId: string): Promise<void>
  /** To be tried again after so long; null: never again. */
  failed(
    targetId: string,
    messageId: string,
    failure: DeliveryFailure & { readonly afterMs: number | null },
  ): Promise<void>
  progress(targetId: string): Promise<AlertProgress>
  /** What waits for targets that were switched off is told to nobody. */
  dropDisabled(): Promise<void>
}

/** Neither rejects: a failure is logged, and must not fail the call. */
export interface Alerting {
  /** `holder`: the replica that found it out, for what each replica finds out by itself. */
  raise(alert: Alert, holder?: string): Promise<void>
  /** What the standing alert of this key told of is over, as this holder has found. */
  resolve(type: Alert['type'], key: string, holder?: string): Promise<void>
  stop(): Promise<void>
}
