import type { JsonObject, Principal } from '@gatehouse/sdk'
import type { Inspected, InSession, LegacySession } from '../call.js'
import { GatehouseError } from '../errors.js'
import { isLogLevel, LOG_LEVELS } from '../mcp/log-levels.js'
import type { SessionChange } from '../mcp/sessions.js'

/** What a legacy client sets for the rest of its session. `resources/subscribe` is routed like a read. */
export const SETTING_METHODS = new Set(['logging/setLevel', 'resources/unsubscribe'])

export interface Subscribe {
  /** `logging/setLevel` and `resources/unsubscribe`. */
  set(call: InSession): Promise<JsonObject>
  /** `resources/subscribe`, once it is known that the caller may read the resource. */
  resource(call: Inspected): Promise<JsonObject>
}

export interface SubscribeOptions {
  readonly update: (id: string, change: SessionChange) => Promise<LegacySession | null>
  /** What the session has subscribed to has changed. */
  readonly attend: (session: LegacySession, principal: Principal) => void
  /** Whether the server will tell; null: nobody listens for it. */
  readonly watched: (sessionId: string, uri: string) => Promise<'granted' | 'refused' | 'unknown'> | null
  /** How long a server has to say so; one that is down is told when it is back. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 2_000
const DONE: JsonObject = Object.freeze({})

export function createSubscribe(options: SubscribeOptions): Subscribe {
  const { update, attend, watched, patienceMs = PATIENCE_MS } = options
  async function change(call: InSession | Inspected, changes: SessionChange): Promise<LegacySession> {
    const changed = await update(sessionOf(call).id, changes)
    if (changed === null) throw new GatehouseError('GH_SESSION_UNKNOWN', { message: 'The session has ended' })
    attend(changed, call.principal)
    return changed
  }
  return {
    async set(call) {
      switch (call.method) {
        case 'logging/setLevel': {
          const { level } = call.params
          if (!isLogLevel(level))
            throw new GatehouseError('GH_DOOR_PARAMS', {
              message: `params.level must be one of ${LOG_LEVELS.join(', ')}`,
            })
          await change(call, { logLevel: level })
          return DONE
        }
        case 'resources/unsubscribe': {
          const { uri } = call.params
          if (typeof uri !== 'string')
            throw new GatehouseError('GH_DOOR_PARAMS', { message: 'params.uri must be a string' })
          // One that it never had is no matter, and costs the database nothing.
          if (sessionOf(call).subscriptions.includes(uri)) await change(call, { unsubscribe: uri })
          return DONE
        }
        default:
          throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD')
      }
    },
    async resource(call) {
      const uri = call.feature.publicName
      // No database keeps it, and no server lists it.
      if (/\0|\p{Surrogate}/u.test(uri)) throw unknownResource(uri)
      const { id } = await change(call, { subscribe: uri })
      const outcome = await withPatience(watched(id, uri), patienceMs)
      if (outcome === 'granted' || outcome === null) return DONE
      await change(call, { unsubscribe: uri })
      throw outcome === 'unknown' ? unknownResource(uri) : new GatehouseError('GH_DOOR_PARAMS', { message: REFUSED })
    },
  }
}

const REFUSED = 'The server of this resource does not tell of its updates'

/** Only the eras that have sessions have these methods. */
function sessionOf(call: InSession | Inspected): LegacySession {
  if (call.session !== null) return call.session
  throw new GatehouseError('GH_DOOR_UNKNOWN_METHOD', { message: 'Method not found' })
}

function unknownResource(uri: string): GatehouseError {
  return new GatehouseError('GH_ROUTE_RESOURCE', {
    message: `Resource not found: ${uri.slice(0, 200)}`,
    data: { uri },
  })
}

/** Null when it is not known in time. */
async function withPatience<T>(answer: Promise<T> | null, ms: number): Promise<T | null> {
  if (answer === null) return null
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, ms, null)))
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
