import { Cancel, type CancelSignal } from '../domain/cancel-signal.js'
import { type Enrolled, Roll } from '../domain/roll.js'
import type { Snapshot } from '../domain/snapshot.js'
import { GatehouseError } from '../errors.js'

/** What a call is about at a server: where, and as whom. */
export interface Errand {
  readonly gatewayId: string
  readonly assignmentId: string
  readonly serverId: string
  /** As the gateway's clients know the server. */
  readonly prefix: string
  /** The key of the credential that was lent; the id of an identity where it is one. */
  readonly key: string
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

export function createErrands(current: () => Snapshot): Errands {
  const underWay = new Roll<UnderWay>()
  const isOff = (errand: Errand): boolean => !stands(current(), errand)
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

/** A gateway that is disabled is the door's to refuse. An assignment that was made anew is known by its name. */
function stands({ gateways, identities }: Snapshot, { gatewayId, assignmentId, serverId, ...as }: Errand): boolean {
  const plan = gateways.get(gatewayId)
  const found =
    plan?.assignmentById.get(assignmentId) ?? plan?.assignments.find((other) => other.prefix === as.prefix) ?? null
  if (found === null || found.server.id !== serverId) return false
  // Whoever is called without a person's credential has a key that is no identity's.
  const isIdentity = UUID.test(as.key)
  return found.server.enabled && found.assignment.enabled && (!isIdentity || identities.get(as.key)?.enabled === true)
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/
