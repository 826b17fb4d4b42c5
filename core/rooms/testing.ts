import { HOOKS, type JsonObject, type Principal } from '@gatehouse/sdk'
import type { Inbound, InSession, Routed } from '../call.js'
import type { GatewayPlan } from '../domain/snapshot.js'
import { createRegistry, type Bus, type Registry } from '../hooks/bus.js'
import type { Fault } from '../hooks/settle.js'
import { NO_ABILITY } from '../upstream/ability.js'
import { Trail } from '../record/trail.js'

/** Builders for tests of the rooms. */

export const PRINCIPAL: Principal = Object.freeze({
  user: null,
  host: { id: 'host-1', name: 'agent', kind: 'token' },
  connection: { id: 'connection-1', gatewayId: 'gateway-1' },
  attributes: {},
} satisfies Principal)

/** A call as the door makes it; a test bends what it is about. */
export function inbound(facts: Partial<Inbound> = {}): Inbound {
  const { method = 'tools/call' } = facts
  return {
    room: 'door',
    era: 'legacy',
    version: '2025-11-25',
    id: 1,
    method,
    params: {},
    text: '{}',
    fault: null,
    tolerated: null,
    credentials: { authorization: 'Bearer x', header: () => undefined, address: '192.0.2.1', gatewayId: 'gateway-1' },
    gatewayName: 'g',
    sessionId: null,
    batched: false,
    snapshot: {
      epoch: 1,
      gateways: new Map(),
      servers: new Map(),
      identities: new Map(),
      idps: [],
      engines: new Map(),
      settings: {} as never,
      quarantines: [],
    },
    deadline: Date.now() + 60_000,
    gone: {
      aborted: false,
      signal: () => new AbortController().signal,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    },
    notify: null,
    ask: null,
    answer: null,
    flow: null,
    interrupt: null,
    joins: () => undefined,
    trail: new Trail({ at: Date.now(), method, rpcId: '1', ip: null, userAgent: null, bytes: 2 }, 1_000),
    ...facts,
  }
}

/** The same, when it is known who calls which gateway. */
export function inSession(plan: GatewayPlan, facts: Partial<Inbound> = {}): InSession {
  return { ...inbound(facts), room: 'session', principal: PRINCIPAL, plan, session: null, ability: NO_ABILITY }
}

/** The same, when it is known what is meant: the first server's feature. */
export function routed(plan: GatewayPlan, name: string, facts: Partial<Inbound> = {}): Routed {
  const [assignment] = plan.assignments
  if (assignment === undefined) throw new Error('a gateway of a test has a server')
  const feature = { kind: 'tool' as const, name, publicName: name, assignment, definition: null }
  return { ...inSession(plan, facts), room: 'routed', feature, upstreamParams: { name } as JsonObject }
}

/** A bus with what `register` hangs on it. */
export function busWith(
  register: (registry: Registry) => void,
  onFault: (fault: Fault) => void = () => undefined,
): Bus {
  const registry = createRegistry(onFault, HOOKS)
  register(registry)
  return registry.seal()
}
