import { errors } from 'undici'
import type { Connector } from './connector.js'
import { GatehouseError } from '../errors.js'

// A request that fails with the error of its connection was never sent.
const ofConnections = new WeakSet<Error>()

/** Remembers why connections did not come to be, so that `failure` can tell them from those that broke. */
export function noting(connect: Connector): Connector {
  return (request, callback) =>
    connect(request, (...outcome) => {
      const [error] = outcome
      if (error !== null) ofConnections.add(error)
      callback(...outcome)
    })
}

/** Whatever went wrong on the way out, as one of ours; it names the host and nothing else of the address. */
export function failure(error: unknown, host: string, isUnconnected = isOfConnection(error)): GatehouseError {
  if (error instanceof GatehouseError) return error
  return new GatehouseError(isUnconnected ? 'GH_EGRESS_UNREACHABLE' : 'GH_EGRESS_FAILED', {
    message: `${host} ${factOf(error, isUnconnected)}`,
    detail: error instanceof Error ? `${error.name}: ${error.message}` : 'unknown failure',
    cause: error,
  })
}

const isOfConnection = (error: unknown): boolean => error instanceof Error && ofConnections.has(error)

function factOf(error: unknown, isUnconnected: boolean): string {
  if (error instanceof errors.ConnectTimeoutError) return 'could not be connected in time'
  return isUnconnected ? 'could not be reached' : 'broke off before it had answered'
}
