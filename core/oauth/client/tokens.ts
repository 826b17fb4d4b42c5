import type { AuthorizationServerMetadata, OAuthTokens } from '@modelcontextprotocol/client'
import { z } from 'zod'

/** As whom the tokens were given; kept with them, since no other client may renew them (RFC 6749, section 6). */
const Client = z.object({
  client_id: z.string(),
  client_secret: z.string().optional(),
  token_endpoint_auth_method: z.string().optional(),
})
export type Client = z.output<typeof Client>

/** Everything that renewing needs, so that no discovery lies in the way of a call. */
const Tokens = z.object({
  /** RFC 6750, section 2.1; anything else would be more than one header. */
  access: z.string().regex(/^[\x21-\x7e]{1,16384}$/),
  refresh: z.string().nullable(),
  client: Client,
  tokenEndpoint: z.string(),
  authMethods: z.array(z.string()),
  resource: z.string().nullable(),
  /** Set when the tokens came by an assertion of the person's identity provider: they are renewed by another one. */
  assertion: z.boolean().optional(),
})
export type Tokens = z.output<typeof Tokens>

export const readTokens = (text: string): Tokens => Tokens.parse(JSON.parse(text))
export const readClient = (text: string): Client => Client.parse(JSON.parse(text))
export const writeTokens = (tokens: Tokens): string => JSON.stringify(tokens)

/** The little of a server's metadata that a token request needs. */
export function metadataOf({ tokenEndpoint, authMethods }: Tokens, issuer: string): AuthorizationServerMetadata {
  return {
    issuer,
    authorization_endpoint: issuer,
    token_endpoint: tokenEndpoint,
    response_types_supported: ['code'],
    ...(authMethods.length === 0 ? {} : { token_endpoint_auth_methods_supported: authMethods }),
  }
}

/** More than any token lives; what is longer could be past all dates. */
const LONGEST_S = 100 * 365 * 24 * 3_600

/** When tokens end, as far as their server says; a lifetime of nothing is taken for none. */
export function expiryOf({ expires_in: seconds }: Pick<OAuthTokens, 'expires_in'>, now: number): number | null {
  return seconds === undefined || !Number.isFinite(seconds) || seconds <= 0
    ? null
    : now + Math.min(seconds, LONGEST_S) * 1000
}

/** Scopes of several lists, each once (SEP-2350). */
export function unionOf(...scopes: readonly (string | null | undefined)[]): string | null {
  const all = new Set(scopes.flatMap((scope) => (scope ?? '').split(' ')).filter((one) => one !== ''))
  return all.size === 0 ? null : [...all].join(' ')
}
