import type { Authenticated, InSession, LegacySession } from '../call.js'
import { GatehouseError } from '../errors.js'
import { clientInfoOf } from '../mcp/translate.js'

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
  return async (call) => {
    if (call.fault !== null) throw call.fault
    const session = call.era === 'modern' ? null : await legacy(sessions, call)
    call.trail.wire(session?.version ?? call.version, session?.id ?? null)
    call.trail.client(session?.client ?? clientInfoOf(call.params, call.era))
    return { ...call, room: 'session', session, version: session?.version ?? call.version }
  }
}

async function legacy(sessions: Sessions, call: Authenticated): Promise<LegacySession | null> {
  if (call.method === 'initialize') return null
  if (call.sessionId === null) {
    if (STATELESS.has(call.method) || call.method.startsWith('notifications/')) return null
    throw new GatehouseError('GH_SESSION_NEEDED', { message: `'${call.method.slice(0, 100)}' needs a session` })
  }
  const found = sessions.find(call.sessionId, call.principal.connection.id, call.plan.gateway.id)
  const session = found instanceof Promise ? await found : found
  if (session === null)
    throw new GatehouseError('GH_SESSION_UNKNOWN', { message: 'Session not found; initialize anew' })
  return session
}
