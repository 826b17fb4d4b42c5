import type { InSession, Routed } from '../call.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import type { Capability } from '../upstream/offers.js'

type Route = (call: InSession) => Routed | Promise<Routed>

const NEEDS: ReadonlyMap<string, Capability> = new Map([
  ['tools/call', 'tools'],
  ['prompts/get', 'prompts'],
  ['resources/read', 'resources'],
  ['completion/complete', 'completions'],
  ['resources/subscribe', 'subscribe'],
  ['resources/unsubscribe', 'subscribe'],
  ['logging/setLevel', 'logging'],
])

/** False when it is known that no server of the gateway has what the method needs. */
export type MayHave = (call: InSession | Routed, capability: Capability) => boolean

/** A method that no server of the gateway has is unknown, as it would be at a server alone. */
export function mustBeOffered(call: InSession | Routed, mayHave: MayHave): void {
  const needed = NEEDS.get(call.method)
  if (needed !== undefined && !mayHave(call, needed))
    throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD', { message: `No server of this gateway serves '${call.method}'` })
}

/** Asked only about what is in no list: whoever has the feature has the method too, save for those with capabilities of their own. */
export function whereOffered(route: Route, mayHave: MayHave): Route {
  const unfound = (call: InSession, thrown: unknown): never => {
    if (NOT_FOUND.has(asGatehouseError(thrown).code)) mustBeOffered(call, mayHave)
    throw thrown
  }
  const found = (routed: Routed): Routed => {
    if (routed.feature.definition === null) mustBeOffered(routed, mayHave)
    return routed
  }
  return (call) => {
    if (OF_THEIR_OWN.has(call.method)) mustBeOffered(call, mayHave)
    try {
      const routed = route(call)
      return routed instanceof Promise ? routed.then(found, (thrown: unknown) => unfound(call, thrown)) : found(routed)
    } catch (thrown) {
      return unfound(call, thrown)
    }
  }
}

const OF_THEIR_OWN: ReadonlySet<string> = new Set(['completion/complete', 'resources/subscribe'])
const NOT_FOUND: ReadonlySet<string> = new Set(['GH_ROUTE_FEATURE', 'GH_ROUTE_RESOURCE'])
