import { enter, type InSession, type Permitted, type Routed } from '../call.js'
import { GatehouseError } from '../errors.js'
import type { Access } from '../upstream/catalog-types.js'
import { disabled } from '../upstream/errands.js'

export type Permit = (call: Routed) => Permitted

/** Default deny: the server, its assignment and the credential must all be enabled and there. Pure but for the look-ups. */
export function createPermit(accessOf: (call: InSession | Routed) => Access): Permit {
  return (call) => {
    const { assignment } = call.feature
    const target = accessOf(call).target(assignment)
    if (!('state' in target)) return enter(call, 'permitted', { target })
    const server = assignment.prefix
    if (target.state === 'disabled') throw disabled(server)
    throw new GatehouseError('GH_FORWARD_CONNECT', {
      message: `Server '${server}' needs a credential of yours: ${target.reason}`,
      data: { server },
    })
  }
}
