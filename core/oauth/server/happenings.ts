import type { EventEmitter } from 'node:events'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { REPLAYED_CODE, REPLAYED_REFRESH } from './adapter.js'

/** What the authorization server tells of: nothing in it is a secret. */
export interface Happenings {
  /** Somebody was turned away. `reason` is for the log: the answer said less. */
  readonly refused: (refusal: RefusedRequest) => void
  /** A code or a refresh token was used again that was spent: its grant has ended. */
  readonly reused: (reuse: { readonly what: 'code' | 'refresh token'; readonly clientId: string | null }) => void
  readonly broken: (thrown: unknown) => void
}

export interface RefusedRequest {
  readonly req: KoaContextWithOIDC['req']
  readonly method: string
  readonly reason: string
  readonly httpStatus: number
}

interface Failure {
  readonly error?: string
  readonly error_description?: string
  readonly error_detail?: string
  readonly statusCode?: number
}

const METHODS = {
  'authorization.error': 'oauth/authorize',
  'grant.error': 'oauth/token',
  'registration_create.error': 'oauth/register',
  'revocation.error': 'oauth/revoke',
} as const

export function watch(provider: Provider, { refused, reused, broken }: Happenings): void {
  // The library's types have a signature for each event and none for all.
  const emitter = provider as EventEmitter
  for (const [event, method] of Object.entries(METHODS)) {
    emitter.on(event, (ctx: KoaContextWithOIDC, failure: Failure) => {
      const { error = 'error', error_description = '', error_detail = '', statusCode = 400 } = failure
      const reason = [error, error_detail || error_description].filter(Boolean).join(': ')
      refused({ req: ctx.req, method, reason, httpStatus: statusCode })
      const clientId = ctx.oidc?.client?.clientId ?? null
      if (error_detail === REPLAYED_CODE) reused({ what: 'code', clientId })
      if (error_detail === REPLAYED_REFRESH) reused({ what: 'refresh token', clientId })
    })
  }
  provider.on('server_error', (_, thrown) => broken(thrown))
}
