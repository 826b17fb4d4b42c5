import { enter, type Authenticated, type InSession, type LegacySession } from '../call.js'
import { GatehouseError } from '../errors.js'
import { capabilitiesOf, clientInfoOf } from '../mcp/translate.js'
import { hasBatches } from '../mcp/versions.js'
import { type Ability, abilityOf, NO_ABILITY } from '../upstream/ability.js'

/** Where legacy sessions live. */
export interface Sessions {
  /** The live session, or null when it is unknown, ended, or not of this connection and gateway. */
  find(id: string, connectionId: string, gatewayId: string): LegacySession | null | Promise<LegacySession | null>
}

/** What a legacy client may ask without a session. */
const STATELESS = new Set([
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
])

export type EnterSession = (call: Authenticated) => InSession | Promise<InSession>

/** Binds a legacy call to its session; refuses what the door found wrong, now that the caller may be told. */
export function createSession(sessions: Sessions): EnterSession {
  return (call) => {
    if (call.fault !== null) throw call.fault
    const session = call.era === 'modern' ? null : legacy(sessions, call)
    return session instanceof Promise ? session.then((late) => bind(call, late)) : bind(call, session)
  }
}

function bind(call: Authenticated, session: LegacySession | null): InSession {
  const version = session?.version ?? call.version
  // A session knows its version even when the header does not say it.
  if (call.batched && session !== null && !hasBatches(version))
    throw new GatehouseError('GH_DOOR_NOT_RPC', { message: 'This protocol version has no batches' })
  call.trail.wire(version, session?.id ?? null)
  call.joins(call.principal, session, call.trail.correlationId)
  call.trail.client(session?.client ?? clientInfoOf(call.params, call.era))
  return enter(call, 'session', { session, version, ability: abilityIn(call, session) })
}

/** What a session's client can do is worked out once. */
const known = new WeakMap<LegacySession, Ability>()

function abilityIn({ era, ask, params, version }: Authenticated, session: LegacySession | null): Ability {
  if (era === 'modern') return abilityOf(capabilitiesOf({ era, params, session }), version)
  // A legacy client that cannot be asked on this message is taken for one that can do nothing.
  if (ask === null || session === null) return NO_ABILITY
  const found = known.get(session)
  if (found !== undefined) return found
  const ability = abilityOf(capabilitiesOf({ era, params, session }), session.version)
  known.set(session, ability)
  return ability
}

function legacy(sessions: Sessions, call: Authenticated): LegacySession | null | Promise<LegacySession> {
  if (call.method === 'initialize') return null
  if (call.sessionId === null) {
    if (STATELESS.has(call.method) || call.method.startsWith('notifications/')) return null
    throw new GatehouseError('GH_SESSION_NEEDED', { message: `'${call.method.slice(0, 100)}' needs a session` })
  }
  const found = sessions.find(call.sessionId, call.principal.connection.id, call.plan.gateway.id)
  return found instanceof Promise ? found.then(mustLive) : mustLive(found)
}

function mustLive(session: LegacySession | null): LegacySession {
  if (session !== null) return session
  throw new GatehouseError('GH_SESSION_UNKNOWN', { message: 'Session not found; initialize anew' })
}
