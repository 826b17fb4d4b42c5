import { OAuthError } from '@modelcontextprotocol/client'
import { GatehouseError } from '../../errors.js'

/**
 * What a failed renewal means. `later`: the tokens may be as good as ever. `dead`: they are not, somebody has to authorise.
 * `unknown`: we are not known as a client any more, so all that it obtained is dead.
 */
export interface Outcome {
  readonly kind: 'later' | 'dead' | 'unknown'
  /** Fit for an administrator: no token, no text of the server's own. */
  readonly reason: string
}

export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof OAuthError)) {
    const reason = error instanceof GatehouseError ? error.message : 'its answer could not be read'
    return { kind: 'later', reason }
  }
  const code = /^[\w.-]{1,60}$/.test(error.code) ? error.code : 'an error of its own'
  const reason = `the server's sign-in answered ${code}`
  if (code === 'invalid_grant') return { kind: 'dead', reason }
  if (code === 'invalid_client' || code === 'unauthorized_client') return { kind: 'unknown', reason }
  return { kind: 'later', reason }
}
