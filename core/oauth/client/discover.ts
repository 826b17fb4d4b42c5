import { discoverOAuthServerInfo, extractWWWAuthenticateParams } from '@modelcontextprotocol/client'
import type { OAuthDiscoveryState } from '@modelcontextprotocol/client'

/** What a refusal tells of the way to a sign-in (RFC 9728, section 5.1). */
export interface Challenge {
  readonly resourceMetadataUrl: URL | undefined
  readonly scope: string | undefined
}

export function readChallenge(text: string | null): Challenge {
  if (text === null || text.length > 8_192) return { resourceMetadataUrl: undefined, scope: undefined }
  const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(
    new Response(null, { headers: { 'www-authenticate': text } }),
  )
  return { resourceMetadataUrl, scope }
}

/** The server's sign-in: where its own word leads (RFC 9728), else at its origin (RFC 8414). */
export async function discover(
  serverUrl: string,
  { resourceMetadataUrl }: Challenge,
  fetch: typeof globalThis.fetch,
): Promise<OAuthDiscoveryState> {
  const named = resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl }
  const info = await discoverOAuthServerInfo(serverUrl, { fetchFn: fetch, ...named })
  const at = resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl: resourceMetadataUrl.href }
  return { ...info, ...at }
}

/** How we authenticate at the token endpoint, of what it takes: as a confidential client if we may. */
export function authMethodOf({ authorizationServerMetadata: metadata }: OAuthDiscoveryState): AuthMethod {
  const taken = metadata?.token_endpoint_auth_methods_supported ?? []
  if (taken.length === 0) return 'client_secret_basic'
  return METHODS.find((method) => taken.includes(method)) ?? 'none'
}

const METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const
type AuthMethod = (typeof METHODS)[number]
