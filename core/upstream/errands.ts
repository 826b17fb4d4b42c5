import type { Principal } from '@gatehouse/sdk'
import { Cancel, type CancelSignal } from '../domain/cancel-signal.js'
import { type Enrolled, Roll } from '../domain/roll.js'
import type { Snapshot } from '../domain/snapshot.js'
import { GatehouseError } from '../errors.js'
import type { Ability } from './ability.js'
import type { Credentials } from './credentials.js'

/** What a call is about at a server: where, and for whom. */
export interface Errand {
  readonly gatewayId: string
  readonly assignmentId: string
  readonly serverId: string
  /** As the gateway's clients know the server. */
  readonly prefix: string
  readonly principal: Principal
  readonly ability: Ability
}

export interface ErrandOptions {
  readonly current: () => Snapshot
  readonly credentials: Credentials
}

/** The calls that are at a server, so that one that is switched off in the middle of them ends them. */
export interface Errands {
  /** Whether the configuration that stands now would not let it begin. */
  isOff(errand: Errand): boolean
  /**
   * Does the work until it is done, or until what it is about is switched off: then `gone` is told and this rejects with
   * GH_PERMIT_DISABLED. `gone` passes on that nobody waits any more.
   */
  run<T>(errand: Errand, gone: CancelSignal, work: (gone: CancelSignal) => Promise<T>): Promise<T>
  /** To be called after each change of the configuration. */
  recheck(): void
}

interface UnderWay extends Enrolled {
  readonly errand: Errand
  readonly end: () => void
}

export function createErrands({ current, credentials }: ErrandOptions): Errands {
  const underWay = new Roll<UnderWay>()
  const isOff = (errand: Errand): boolean => {
    const assignment = assignmentOf(current(), errand)
    if (assignment === undefined) return true
    const target = credentials.access(errand.principal, errand.ability).target(assignment)
    // A credential that must be given anew ends nothing that it began.
    return 'state' in target && (target.state === 'disabled' || target.lastSeenAs === undefined)
  }
  return {
    isOff,
    run: (errand, gone, work) =>
      new Promise((resolve, reject) => {
        const cancel = new Cancel()
        const onGone = () => cancel.tell()
        const one: UnderWay = {
          place: -1,
          errand,
          end: () => {
            reject(disabled(errand.prefix))
            cancel.tell()
          },
        }
        const leave = () => {
          underWay.delete(one)
          gone.removeEventListener('abort', onGone)
        }
        gone.addEventListener('abort', onGone, { once: true })
        if (gone.aborted) cancel.tell()
        underWay.add(one)
        work(cancel).then(resolve, reject).finally(leave)
      }),
    recheck() {
      for (const { errand, end } of underWay.all()) if (isOff(errand)) end()
    },
  }
}

export const disabled = (server: string): GatehouseError =>
  new GatehouseError('GH_PERMIT_DISABLED', { message: `Server '${server}' is disabled`, data: { server } })

/** An assignment that was made anew is known by its name. */
function assignmentOf({ gateways }: Snapshot, { gatewayId, assignmentId, serverId, prefix }: Errand) {
  const plan = gateways.get(gatewayId)
  const found = plan?.assignmentById.get(assignmentId) ?? plan?.assignments.find((other) => other.prefix === prefix)
  return found?.server.id === serverId ? found : undefined
}
